using Microsoft.Extensions.Logging;

namespace LoadBalancer.Scripting.Running;

/// <summary>Takes lines of scripts into the log: so many a second, each so long. Thread-safe.</summary>
internal sealed class ScriptConsole(string policy, ILogger logger, TimeProvider time)
{
    internal const int LineMax = 1024, LinesPerSecond = 100;

    private readonly LineRate _rate = new(LinesPerSecond, time);

    /// <summary>Whether a line may be written: is asked before the line is made.</summary>
    internal bool TryEnter(LogLevel level)
    {
        if (!logger.IsEnabled(level)) return false;
        if (!_rate.TryTake(out long left)) return false;
        if (left > 0) ScriptLog.LinesLeftOut(logger, policy, left);
        return true;
    }

    internal void Write(LogLevel level, string line)
    {
        if (!logger.IsEnabled(level)) return;
        line = OneLine(line.Length > LineMax ? line[..LineMax] : line);
        ScriptLog.Console(logger, level, policy, line);
    }

    /// <summary>Without control characters: what a client has sent must not look like lines of ours.</summary>
    internal static string OneLine(string text)
    {
        foreach (char c in text)
            if (char.IsControl(c)) return string.Create(text.Length, text, static (line, text) => { for (int i = 0; i < text.Length; i++) line[i] = char.IsControl(text[i]) ? ' ' : text[i]; });
        return text;
    }
}
