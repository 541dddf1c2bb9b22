using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Logging;

/// <summary>
/// Logs as single lines to standard error. Instead of the console provider of Microsoft.Extensions.Logging: that brings
/// configuration, options monitors, a queue and a thread, for which a process that logs a few lines an hour has no use.
/// </summary>
internal sealed class LineLoggerProvider(TextWriter writer, LogLevel minimum, TimeProvider timeProvider) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new LineLogger(writer, minimum, timeProvider, ShortName(categoryName));

    public void Dispose()
    {
    }

    private static string ShortName(string category) => category[(category.LastIndexOf('.') + 1)..];
}

internal sealed class LineLogger(TextWriter writer, LogLevel minimum, TimeProvider timeProvider, string category) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        string level = logLevel switch
        {
            LogLevel.Trace => "trace",
            LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "error",
            _ => "fatal",
        };
        // One line whatever the message holds: log readers split at line ends.
        string message = formatter(state, exception).ReplaceLineEndings(" ");
        string fault = exception is null ? "" : $" | {exception.ToString().ReplaceLineEndings(" ")}";
        lock (writer) writer.WriteLine($"{timeProvider.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {level} {category}[{eventId.Id}] {message}{fault}");
    }
}
