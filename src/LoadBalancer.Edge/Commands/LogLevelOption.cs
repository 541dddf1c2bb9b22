using System.CommandLine;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>--log</c></summary>
internal static class LogLevelOption
{
    private static readonly (string Name, LogLevel Level)[] Levels =
    [
        ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warn", LogLevel.Warning), ("error", LogLevel.Error), ("none", LogLevel.None),
    ];

    internal static Option<string> Create(string defaultLevel)
    {
        var option = new Option<string>("--log") { Description = "Least level that is logged to standard error", DefaultValueFactory = _ => defaultLevel };
        option.AcceptOnlyFromAmong([.. Levels.Select(l => l.Name)]);
        return option;
    }

    internal static LogLevel Parse(string name) => Array.Find(Levels, l => l.Name == name).Level;
}
