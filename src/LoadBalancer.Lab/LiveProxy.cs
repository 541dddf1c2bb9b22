using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Simulation.Scenarios;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Lab;

/// <summary>One balancer of a turn: a whole server on one loop, configured for the scenario.</summary>
internal sealed class LiveProxy : ICompletionObserver
{
    private const string Name = "lab";
    private readonly ConcurrentQueue<int> _retried;
    private readonly LiveFleet _fleet;
    private readonly Dictionary<string, DestinationConfig> _members = [];

    internal LiveProxy(Scenario scenario, string algorithm, LiveOptions options, LiveFleet fleet, ConcurrentQueue<int> retried)
    {
        _retried = retried;
        _fleet = fleet;
        for (int i = 0; i < fleet.Servers.Length; i++)
            if (fleet.Specs[i].JoinAt is null) Add(i);
        var longest = TimeSpan.FromHours(1); // than any turn
        double runLength = scenario.Requests / Capacity.RateOf(scenario) * 1e9;
        long timeout = scenario.Timeout.In(runLength) / 100;
        Server = new ProxyServer(new ProxyConfig
        {
            Transport = new() { Kind = options.Transport, Loops = 1 },
            DrainTimeout = TimeSpan.Zero,
            Listeners = new Dictionary<string, ListenerConfig> { [Name] = new() { Address = "127.0.0.1:0", Limits = new() { RequestsPerConnectionMax = 0, KeepAliveTimeout = longest } } },
            Routes = new Dictionary<string, RouteConfig> { [Name] = new() { Cluster = Name } },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                [Name] = new()
                {
                    Balance = algorithm,
                    HashOn = ConfigRanges.HashPolicies.Contains(algorithm) ? $"header:{ClientConnection.KeyField}" : null,
                    Destinations = _members,
                    ResponseHeadTimeout = timeout == 0 ? longest : TimeSpan.FromTicks(timeout),
                    RetriesMax = scenario.Retries,
                    RetryBudget = new() { Percent = 100 },
                    SlowStart = TimeSpan.FromTicks(scenario.SlowStart.In(runLength) / 100),
                    Ejection = new() { Enabled = options.Ejection },
                    Pool = new() { IdleConnectionsMax = 4096 },
                },
            },
        }, NullLoggerFactory.Instance, this);
    }

    internal ProxyServer Server { get; }

    internal EndPoint EndPoint => Server.Endpoints[Name];

    /// <summary>A server joins.</summary>
    internal void Join(int server)
    {
        Add(server);
        Server.UpdateDestinations(Name, _members);
    }

    public void OnCompleted(CompletionRecord record)
    {
        if (record.Attempts < 2 || !Utf8Parser.TryParse(record.Target.Span[1..], out int id, out _)) return;
        for (int attempt = 1; attempt < record.Attempts; attempt++) _retried.Enqueue(id);
    }

    private void Add(int server) =>
        _members.Add(_fleet.Servers[server].Name, new DestinationConfig { Address = _fleet.Servers[server].Address, Weight = _fleet.Specs[server].Weight });
}

/// <summary>The servers of a turn, each with its description.</summary>
internal sealed record LiveFleet(EmbeddedServer[] Servers, ServerSpec[] Specs);
