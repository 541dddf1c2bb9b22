using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Sources;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Discovery;

/// <summary>Asks one source again and again, and brings what changes into its cluster.</summary>
internal sealed class SourceFollower(
    ProxyServer server, string cluster, int index, DiscoverConfig config, IDestinationSource source, DiscoveryOptions options, ILogger logger)
{
    private readonly TimeProvider _time = options.TimeProvider ?? TimeProvider.System;
    private readonly Random _random = options.Seed is { } seed ? new Random(seed + index) : new Random();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously), _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyDictionary<string, DestinationConfig>? _present; // null while it is not known what the cluster has of this source
    private string? _problem;
    private int _failures;

    /// <summary>Under which the cluster knows what comes from here.</summary>
    internal string Key { get; } = $"discover[{index}] {source.Name}";

    /// <summary>Ends with the first answer, good or not.</summary>
    internal Task First => _first.Task;

    /// <summary>Ends with the first good answer, or with the follower.</summary>
    internal Task Found => _found.Task;

    /// <summary>Whether it came with a change of the configuration, and may take the place of another: that it finds nothing, for a reason, is no answer then, before it has found something.</summary>
    internal bool IsSuccessor { get; init; }

    /// <summary>Comes after another of the same <see cref="Key"/>, which has ended: what that found holds until there is an answer.</summary>
    internal void TakeOver(SourceFollower before) => _present = before._present;

    /// <summary>Runs until it is cancelled. Never fails.</summary>
    internal async Task RunAsync(CancellationToken token)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                SourceReading reading;
                bool isChanged = false;
                try
                {
                    // File systems and the system's resolver may block without end, and cannot be called back: a stop leaves them behind.
                    reading = await source.ReadAsync(token).WaitAsync(token).ConfigureAwait(false);
                    if (IsSuccessor && !Found.IsCompleted && reading is { Destinations.Count: 0, Problem: not null }) reading = reading with { Destinations = null };
                    isChanged = reading.Destinations is { } found && Apply(found);
                }
                catch (Exception e) when (!token.IsCancellationRequested)
                {
                    // A fault of ours may not end what keeps the fleet current.
                    DiscoveryLog.InternalError(logger, cluster, source.Name, e);
                    reading = new SourceReading(null, default, "internal error");
                }
                TimeSpan next = NextIn(reading);
                // Before anybody is told: who is told may turn the clock.
                Task wait = Task.Delay(next, _time, token);
                Report(reading.Problem);
                options.Observer?.OnRefreshed(new DiscoveryRecord(cluster, source.Name, _present?.Count ?? 0, isChanged, next, reading.Problem));
                _first.TrySetResult();
                if (reading.Destinations is not null) _found.TrySetResult();
                await wait.ConfigureAwait(false);
            }
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
        }
        source.Dispose();
        _first.TrySetResult();
        _found.TrySetResult();
    }

    private bool Apply(IReadOnlyDictionary<string, DestinationConfig> found)
    {
        if (found.Count > FleetDiscovery.DestinationsMax) found = found.OrderBy(d => d.Key, StringComparer.Ordinal).Take(FleetDiscovery.DestinationsMax).ToDictionary();
        IReadOnlyDictionary<string, DestinationConfig> present = _present ?? new Dictionary<string, DestinationConfig>();
        bool isSame = found.Count == present.Count && found.All(d => present.TryGetValue(d.Key, out DestinationConfig? before) && before == d.Value);
        if (isSame && _present is not null) return false;
        int added = found.Keys.Count(name => !present.ContainsKey(name)), removed = present.Keys.Count(name => !found.ContainsKey(name));
        server.UpdateDestinations(cluster, Key, found);
        _present = found;
        if (isSame) return false;
        DiscoveryLog.Changed(logger, cluster, source.Name, found.Count, added, removed);
        return true;
    }

    // A good answer holds for its TTL, within bounds. Failures back off from the shortest interval to the longest, each less up to a half by chance,
    // so that balancers do not ask a name server that comes back all at once.
    private TimeSpan NextIn(SourceReading reading)
    {
        if (config.File is not null) return config.IntervalMin; // to look costs next to nothing
        TimeSpan good = source.IsWatched ? reading.ValidFor : reading.ValidFor < config.IntervalMin ? config.IntervalMin : reading.ValidFor > config.IntervalMax ? config.IntervalMax : reading.ValidFor;
        if (reading.Destinations is not null && (reading.Problem is null || reading.IsAnswered))
        {
            _failures = 0;
            return good;
        }
        // In seconds: the product may be more than a TimeSpan holds.
        TimeSpan backOff = TimeSpan.FromSeconds(Math.Min(config.IntervalMin.TotalSeconds * Math.Pow(2, Math.Min(_failures++, 30)), config.IntervalMax.TotalSeconds));
        if (reading.Destinations is not null && backOff > good) backOff = good; // the part that was answered does not wait for the other
        return backOff * (1 - _random.NextDouble() / 2);
    }

    // Once for each change: a name server that is away for a night is two lines.
    private void Report(string? problem)
    {
        if (problem == _problem) return;
        if (problem is not null) DiscoveryLog.Problem(logger, cluster, source.Name, problem, _present?.Count ?? 0);
        else DiscoveryLog.Recovered(logger, cluster, source.Name);
        _problem = problem;
    }
}
