using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Engine;

/// <summary>Notes what a balancer saw, and what was true, at some picks from a time on.</summary>
internal sealed class PickWatch(double from, int picksMax)
{
    private readonly List<WatchedPick> _picks = [];
    private (Server Server, int Seen)[] _candidates = [];

    internal IReadOnlyList<WatchedPick> Picks => _picks;

    internal void Before(Scheduler scheduler, long now)
    {
        if (now < from || _picks.Count == picksMax) return;
        _candidates = [.. scheduler.Destinations.Select(destination => ((Server)destination.Tag!, destination.Outstanding))];
    }

    internal void After(int request, int balancer, Server picked, long now)
    {
        if (now < from || _picks.Count == picksMax) return;
        _picks.Add(new WatchedPick(now, request, balancer, picked.Name,
            [.. _candidates.Select(c => new WatchedCandidate(c.Server.Name, c.Seen, c.Server.Outstanding - (c.Server == picked ? 1 : 0), c.Server.Speed, c.Server.Condition))]));
    }
}

/// <summary>A pick that was watched.</summary>
internal sealed record WatchedPick(long Time, int Request, int Balancer, string Picked, IReadOnlyList<WatchedCandidate> Candidates);

/// <summary>A server at that moment: outstanding as the balancer sees it, outstanding from all balancers, and its true state.</summary>
internal sealed record WatchedCandidate(string Server, int Seen, int Outstanding, double Speed, ServerCondition Condition);
