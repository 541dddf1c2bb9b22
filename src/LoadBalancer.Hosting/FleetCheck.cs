using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Discovery;
using LoadBalancer.Discovery.Sources;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Hosting;

/// <summary>Looks at what a configuration takes from elsewhere: files of destinations and, if asked, names. A check from outside of a running balancer.</summary>
internal sealed class FleetCheck(string configFile)
{
    private const int LookupsAtOnce = 8;
    private readonly List<ConfigDiagnostic> _problems = [];
    private readonly List<string> _notes = [];

    /// <summary>What is wrong: a file that cannot be used, a name that is not answered.</summary>
    internal IReadOnlyList<ConfigDiagnostic> Problems => _problems;

    /// <summary>What an operator may want to know: a file that is missing, what names are answered with.</summary>
    internal IReadOnlyList<string> Notes => _notes;

    /// <summary>Reads every file. One that is missing is no problem: it may come later.</summary>
    internal void Files(ProxyConfig config)
    {
        foreach ((string path, DiscoverConfig discover) in Sources(config))
        {
            if (discover.File is not { } file) continue;
            if (!File.Exists(file)) _notes.Add($"{path}.file: {file} does not exist; it is waited for");
            else if (new FileInfo(file).Length > FileSource.BytesMax) _problems.Add(new ConfigDiagnostic(file, 0, 0, "", $"is larger than {FileSource.BytesMax} bytes"));
            else
                try
                {
                    DestinationFile.Parse(File.ReadAllBytes(file), file, out IReadOnlyList<ConfigDiagnostic> found);
                    _problems.AddRange(found);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    _problems.Add(new ConfigDiagnostic(file, 0, 0, "", FileProblem.Describe(e, file)));
                }
        }
    }

    /// <summary>Looks whether the access log's file can be written where it is, or is to be. Makes none.</summary>
    internal void AccessLog(ProxyConfig config)
    {
        if (config.AccessLog is not { } log || log.Path == "stdout" || log.Path.StartsWith("syslog:", StringComparison.Ordinal)) return;
        if (LogProblem(log.Path) is { } problem) _problems.Add(new ConfigDiagnostic(configFile, 0, 0, "accessLog.path", problem));
    }

    private static string? LogProblem(string path)
    {
        if (Directory.Exists(path)) return $"{CharacterText.Quote(path)} is a directory; expected a file";
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(directory)) return $"the directory {CharacterText.Quote(directory ?? path)} does not exist";
        if (!File.Exists(path)) return null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return FileProblem.Describe(e, path);
        }
    }

    /// <summary>Looks every name up: those of destinations, and those that stand for destinations.</summary>
    internal async Task NamesAsync(ProxyConfig config, INameResolver resolver, CancellationToken token)
    {
        var lookUps = new List<(string Path, Func<CancellationToken, Task<(int Count, string? Problem)>> Ask)>();
        foreach ((string path, DiscoverConfig discover) in Sources(config))
        {
            if (discover.File is not null) continue;
            lookUps.Add((path, async t =>
            {
                using IDestinationSource source = FleetDiscovery.Source(discover, new DiscoveryOptions());
                SourceReading reading = await source.ReadAsync(t).ConfigureAwait(false);
                return (reading.Destinations?.Count ?? 0, reading.Problem);
            }));
        }
        foreach ((string cluster, ClusterConfig members) in config.Clusters)
            foreach ((string name, DestinationConfig destination) in members.Destinations)
                if (AddressParser.TryParseDestination(destination.Address, out EndPoint? endPoint, out _, out _) && endPoint is DnsEndPoint dns)
                    lookUps.Add((ConfigPath.Member(ConfigPath.Member(ConfigPath.Member("clusters", cluster), "destinations"), name), async t =>
                    {
                        NameAnswer answer = await resolver.ResolveAsync(dns.Host, t).ConfigureAwait(false);
                        return (answer.Addresses.Count, answer.Problem is { } problem ? $"{dns.Host} {problem}" : null);
                    }));
        var results = new (int Count, string? Problem)[lookUps.Count];
        await Parallel.ForAsync(0, lookUps.Count, new ParallelOptions { MaxDegreeOfParallelism = LookupsAtOnce, CancellationToken = token },
            async (i, cancelled) => results[i] = await lookUps[i].Ask(cancelled).ConfigureAwait(false)).ConfigureAwait(false);
        foreach ((int i, (int count, string? problem)) in results.Index())
            if (problem is null) _notes.Add($"{lookUps[i].Path}: {count} {(count == 1 ? "address" : "addresses")}");
            else _problems.Add(new ConfigDiagnostic(configFile, 0, 0, lookUps[i].Path, problem));
    }

    private static IEnumerable<(string Path, DiscoverConfig Discover)> Sources(ProxyConfig config) => config.Clusters.SelectMany(cluster =>
        cluster.Value.Discover.Index().Select(d => (ConfigPath.Item($"{ConfigPath.Member("clusters", cluster.Key)}.discover", d.Index), d.Item)));
}
