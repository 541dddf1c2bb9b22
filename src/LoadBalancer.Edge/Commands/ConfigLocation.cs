using System.CommandLine;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary>Where the configuration file is: as given, or the first of the usual places.</summary>
internal static class ConfigLocation
{
    private static readonly string[] Usual = ["./lb.json", "/etc/lb/lb.json"];

    internal static Option<string?> Option() => new("--config", "-c")
    {
        Description = $"Configuration file, or a key of etcd: etcd://host:2379/key [default: {string.Join(", then ", Usual)}]",
        HelpName = "file",
    };

    /// <summary>Reads the configuration there: a file, or a key of etcd ("etcd://host:2379/key").</summary>
    internal static async Task<ConfigReadResult> LoadAsync(string location)
    {
        if (!EtcdConfigText.IsLocation(location)) return ConfigFile.Load(location);
        if (!EtcdConfigText.TryCreate(location, environment: null, out EtcdConfigText? text, out string error)) return ConfigReadResult.Failed(location, error);
        using (text) return await ConfigFile.LoadAsync(text);
    }

    /// <summary>The file to read; null, with the reason on standard error, when none was named and none is in the usual places.</summary>
    internal static string? Find(string? given)
    {
        if (given is not null) return given;
        if (Array.Find(Usual, File.Exists) is { } found) return found;
        Console.Error.WriteLine($"lb: no configuration file: neither {string.Join(" nor ", Usual)} exists; write one with 'lb init', name one with '--config FILE', or do without: 'lb run --to HOST:PORT'");
        return null;
    }
}
