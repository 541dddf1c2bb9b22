using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Engine;

/// <summary>One attempt of one request.</summary>
internal struct Job
{
    internal PickLease Lease;
    internal Server Server;
    internal double Demand;
    internal long ArrivedAt;    // the request, at the balancer
    internal long SentAt;       // this attempt
    internal long DeliveredAt;  // at the server
    internal long Delay;        // each way
    internal ulong Key;
    internal int Id;
    internal int Class;
    internal int Balancer;
    internal int Attempt;
    internal int FoundInFlight; // others at the server when it came
    internal int Generation;    // of the slot, so that a time-out knows its job is gone
    internal int NextFree;
    internal PickOutcomeKind Outcome;
    internal bool IsGivenUp;    // timed out at the balancer, still at the server
}

/// <summary>Slots for jobs, used again. Grows to the most ever in flight, then allocates nothing.</summary>
internal sealed class JobTable
{
    private Job[] _jobs = new Job[256];
    private int _free = -1, _used;

    internal int Count { get; private set; }

    internal ref Job this[int slot] => ref _jobs[slot];

    internal int Take()
    {
        Count++;
        int slot = _free;
        if (slot >= 0)
        {
            _free = _jobs[slot].NextFree;
            return slot;
        }
        if (_used == _jobs.Length) Array.Resize(ref _jobs, 2 * _used); // leases move with their slots: there is one copy still
        return _used++;
    }

    internal void Return(int slot)
    {
        Count--;
        ref Job job = ref _jobs[slot];
        job.Generation++;
        job.NextFree = _free;
        _free = slot;
    }

    /// <summary>One past the highest slot ever used.</summary>
    internal int Used => _used;

    /// <summary>Whether the slot holds a job that its balancer still waits for.</summary>
    internal bool IsWaitedFor(int slot) => _jobs[slot].Lease.IsActive;
}
