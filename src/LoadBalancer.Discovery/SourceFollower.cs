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
    private IReadOnlyDictionary<string, DestinationConfig> _present = new Dictionary<string, DestinationConfig>();
    private string? _problem;
    private int _failures;

    /// <summary>Under which the cluster knows what comes from here.</summary>
    internal string Key { get; } = $"discover[{index}] {source.Name}";

    /// <summary>Ends with the first answer, good or not.</summary>
    internal Task First => _first.Task;

    /// <summary>Ends with the first good answer, or with the follower.</summary>
    internal Task Found => _found.Task;

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
                options.Observer?.OnRefreshed(new DiscoveryRecord(cluster, source.Name, _present.Count, isChanged, next, reading.Problem));
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
        if (found.Count == _present.Count && found.All(d => _present.TryGetValue(d.Key, out DestinationConfig? before) && before == d.Value)) return false;
        int added = found.Keys.Count(name => !_present.ContainsKey(name)), removed = _present.Keys.Count(name => !found.ContainsKey(name));
        server.UpdateDestinations(cluster, Key, found);
        _present = found;
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
        if (problem is not null) DiscoveryLog.Problem(logger, cluster, source.Name, problem, _present.Count);
        else DiscoveryLog.Recovered(logger, cluster, source.Name);
        _problem = problem;
    }
}
