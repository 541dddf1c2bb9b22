using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary>Where the configuration file is: as given, or the first of the usual places.</summary>
internal static class ConfigLocation
{
    private static readonly string[] Usual = ["./lb.json", "/etc/lb/lb.json"];

    internal static Option<string?> Option() => new("--config", "-c")
    {
        Description = $"Configuration file [default: {string.Join(", then ", Usual)}]",
        HelpName = "file",
    };

    /// <summary>The file to read; null, with the reason on standard error, when none was named and none is in the usual places.</summary>
    internal static string? Find(string? given)
    {
        if (given is not null) return given;
        if (Array.Find(Usual, File.Exists) is { } found) return found;
        Console.Error.WriteLine($"lb: no configuration file: neither {string.Join(" nor ", Usual)} exists; write one with 'lb init', name one with '--config FILE', or do without: 'lb run --to HOST:PORT'");
        return null;
    }
}
