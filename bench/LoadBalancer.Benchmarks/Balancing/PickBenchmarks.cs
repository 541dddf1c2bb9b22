using BenchmarkDotNet.Attributes;
using LoadBalancer.Balancing;

namespace LoadBalancer.Benchmarks.Balancing;

/// <summary>
/// What does one pick with its completion cost, clock excluded? 64 picks are under way at a time, a microsecond passes from one to the
/// next, and destinations differ in speed, so that nothing of a policy lies idle.
/// </summary>
[MemoryDiagnoser]
[MinColumn]
public class PickBenchmarks
{
    private const int UnderWay = 64, Picks = 100_000;
    private const int FewPicks = 10_000; // a millisecond, so that on a busy machine some iterations are left alone
    private readonly Driver _driver = new();
    private Scheduler _scheduler = new(new RoundRobinPolicy());

    /// <summary>Name of the policy.</summary>
    [ParamsSource(nameof(Policies))]
    public string Policy { get; set; } = "";

    /// <summary>All that can be named.</summary>
    public static IEnumerable<string> Policies => BalancingPolicies.BuiltIn;

    /// <summary>Number of destinations, of equal weight.</summary>
    [Params(2, 16, 64, 256, 1024, 10_000)]
    public int Destinations { get; set; }

    /// <summary>A scheduler as the proxy makes it.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _scheduler = new Scheduler(BalancingPolicies.Create(Policy), new SchedulerOptions { TimestampFrequency = 1_000_000_000 });
        _scheduler.Update([.. Enumerable.Range(0, Destinations).Select(i => new DestinationSpec(i.ToString()) { Tag = i })], 1);
    }

    /// <summary>One thread.</summary>
    [Benchmark(OperationsPerInvoke = FewPicks)]
    public void OneThread() => _driver.Run(_scheduler, FewPicks);

    /// <summary>Two threads that do nothing else: the worst case of sharing. Time of each thread per pick.</summary>
    [Benchmark(OperationsPerInvoke = Picks)]
    public void TwoThreads()
    {
        Scheduler scheduler = _scheduler;
        var other = new Thread(() => new Driver().Run(scheduler, Picks));
        other.Start();
        _driver.Run(scheduler, Picks);
        other.Join();
    }

    private sealed class Driver
    {
        private readonly PickLease[] _leases = new PickLease[UnderWay];
        private long _now = 1;

        internal void Run(Scheduler scheduler, int picks)
        {
            for (int i = 0; i < picks; i++)
            {
                ref PickLease lease = ref _leases[i % UnderWay];
                if (lease.IsActive)
                {
                    long latency = 1_000_000 * (1 + lease.Destination.Identity.Length % 3) + (_now & 0xFFFFF);
                    lease.Complete(new PickOutcome(PickOutcomeKind.Success, 0, latency, _now - lease.StartTimestamp));
                }
                lease = scheduler.Pick(new PickContext(_now += 1000, HashKey: (ulong)i + 1));
            }
            for (int i = 0; i < _leases.Length; i++) _leases[i].Complete(new PickOutcome(PickOutcomeKind.Success, 0, 1_000_000, 1_000_000));
        }
    }
}
