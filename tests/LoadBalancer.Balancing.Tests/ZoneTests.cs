namespace LoadBalancer.Balancing.Tests;

/// <summary>Preference for the balancer's own zone, which is "a".</summary>
public class ZoneTests
{
    private const int Picks = 20_000, Error = 500; // beyond 7 standard deviations of any part of that many

    private static readonly SchedulerOptions Options = Make.Options() with { Zone = "a", SlowStart = TimeSpan.Zero, PanicThreshold = 0 };

    // So many destinations in each of the zones a, b, c …
    private static DestinationSpec[] Specs(params int[] perZone) =>
        [.. perZone.SelectMany((count, zone) => Enumerable.Range(0, count).Select(i => Spec((char)('a' + zone), i))).Select((spec, i) => spec with { Tag = i })];

    private static DestinationSpec Spec(char zone, int number) => new($"{zone}{number}") { Zone = zone.ToString() };

    private static Scheduler Start(DestinationSpec[] specs, SchedulerOptions? options = null, string policy = "random")
    {
        var scheduler = new Scheduler(BalancingPolicies.Create(policy), options ?? Options);
        scheduler.Update(specs, 0);
        return scheduler;
    }

    private static void Take(Scheduler scheduler, DestinationStatus reason, params string[] identities)
    {
        foreach (string identity in identities) scheduler.Mark(scheduler.Find(identity)!, reason, true, 0);
    }

    private static Dictionary<string, int> ByZone(Scheduler scheduler, int picks = Picks)
    {
        var counts = scheduler.Destinations.Select(d => d.Zone ?? "").Distinct().ToDictionary(zone => zone, _ => 0);
        for (int i = 0; i < picks; i++)
        {
            PickLease lease = scheduler.Pick(new PickContext(i));
            counts[lease.Destination.Zone ?? ""]++;
            lease.Complete(Make.Success);
        }
        return counts;
    }

    [Test]
    public void Pick_EqualZones_StaysLocal([ValueSource(typeof(BalancingPolicies), nameof(BalancingPolicies.BuiltIn))] string policy) =>
        Assert.That(ByZone(Start(Specs(4, 4, 4), policy: policy), 1000)["a"], Is.EqualTo(1000));

    [TestCase(0.84, "a0", "a1", Description = "1.4 × 3 × 2/10")]
    [TestCase(0.4667, "a0", "a1", "a2", Description = "1.4 × 3 × 1/9")]
    [TestCase(1, "a0", Description = "1.4 × 3 × 3/11 is more than all")]
    [TestCase(0, "a0", "a1", "a2", "a3")]
    [TestCase(1, "a0", "a1", "b0", "b1", "c0", "c1", Description = "the others are no better off")]
    [TestCase(1, "b0", "b1", "b2", "b3", "c0", "c1", "c2", "c3", Description = "only we are left")]
    public void Pick_SomeAreOut_SpillsWhatTheRestCannotCarry(double expected, params string[] unhealthy)
    {
        Scheduler scheduler = Start(Specs(4, 4, 4));
        Take(scheduler, DestinationStatus.Unhealthy, unhealthy);
        Dictionary<string, int> counts = ByZone(scheduler);
        Assert.That(counts["a"], expected is 0 or 1 ? Is.EqualTo((int)(expected * Picks)) : Is.EqualTo(expected * Picks).Within(Error));
        if (expected < 1) Assert.That(counts["b"], Is.EqualTo(counts["c"]).Within(Error), "by the others' shares");
    }

    [TestCase(0.42, 1, 4, 5, Description = "1.4 × 3 × 1/10: one in ten cannot carry a third")]
    [TestCase(0.14, 1, 19, Description = "1.4 × 2 × 1/20")]
    [TestCase(1, 8, 1, 1)]
    public void Pick_ZonesOfDifferentSize_KeepsASmallOneFromDrowning(double expected, params int[] perZone) =>
        Assert.That(ByZone(Start(Specs(perZone)))["a"], Is.EqualTo(expected * Picks).Within(expected < 1 ? Error : 0));

    // The rule as it is meant: with as many requests in each zone, the own zone's never load a destination with more than 1.4 times its fair share.
    [Test]
    public void LocalPart_AnySizes_LoadsNobodyBeyondTheFactor()
    {
        var random = new Random(3);
        for (int i = 0; i < 1000; i++)
        {
            int zones = random.Next(1, 9);
            double local = random.Next(1, 100), weight = local + random.Next(0, 500);
            double part = ZoneSplit.LocalPart(local, weight, zones, 1.4), perWeight = part / zones / local;
            Assert.That(part, Is.InRange(0, 1));
            Assert.That(perWeight, Is.LessThanOrEqualTo(1.4 / weight * (1 + 1e-9)));
            Assert.That(part == 1 || perWeight > 1.39 / weight, "and no request leaves needlessly");
        }
    }

    [Test]
    public void Pick_Weights_CountAsWell()
    {
        DestinationSpec[] specs = [.. Specs(2, 2).Select(spec => spec with { Weight = spec.Zone == "a" ? 1 : 9 })];
        Assert.That(ByZone(Start(specs))["a"], Is.EqualTo(0.28 * Picks).Within(Error)); // 1.4 × 2 × 2/20
    }

    [Test]
    public void Pick_LocalAtItsLimits_SpillsTheRest()
    {
        Scheduler scheduler = Start([.. Specs(2, 2).Select(spec => spec with { OutstandingMax = 3 })]);
        string[] picked = [.. Enumerable.Range(0, 12).Select(_ => scheduler.Pick(default).Destination.Zone!)];
        Assert.That(picked, Is.EqualTo(Enumerable.Repeat("a", 6).Concat(Enumerable.Repeat("b", 6))));
        Assert.That(scheduler.Pick(default).IsActive, Is.False);
    }

    [Test]
    public void Pick_TheOnlyLocalOneHasFailed_TriesAnotherZone()
    {
        Scheduler scheduler = Start(Specs(1, 1));
        for (int i = 0; i < 100; i++) Assert.That(scheduler.PickAndComplete(new PickContext(i, 1, 0, scheduler.Destinations[0])), Is.EqualTo(1));
    }

    [Test]
    public void Update_MembersComeAndGo_FollowsThem()
    {
        Scheduler scheduler = Start(Specs(0, 2));
        Assert.That(ByZone(scheduler, 100)["b"], Is.EqualTo(100));
        scheduler.Update(Specs(2, 2), 0);
        Assert.That(ByZone(scheduler, 100)["a"], Is.EqualTo(100));
        PickLease lease = scheduler.Pick(default);
        scheduler.Update(Specs(0, 2), 0);
        lease.Complete(Make.Success);
        Assert.That(ByZone(scheduler, 100)["b"], Is.EqualTo(100));
        scheduler.Update([.. Specs(2, 2).Select(spec => spec with { Zone = spec.Zone == "a" ? "b" : "a" })], 0); // the same, elsewhere
        Assert.That(ByZone(scheduler, 100)["a"], Is.EqualTo(100));
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.All.Zero);
    }

    [Test]
    public void Pick_LocalDrains_CountsAsGone()
    {
        Scheduler scheduler = Start(Specs(2, 2));
        Take(scheduler, DestinationStatus.Draining, "a0", "a1");
        Assert.That(ByZone(scheduler, 100)["b"], Is.EqualTo(100));
    }

    [Test]
    public void Pick_NoZoneOfOurOwn_SpreadsWithoutTiers()
    {
        Scheduler scheduler = Start(Specs(4, 4, 4), Options with { Zone = null });
        Assert.That(ByZone(scheduler).Values, Is.All.EqualTo(Picks / 3).Within(Error));
        Assert.That(scheduler.Picker, Is.Not.InstanceOf<TieredPicker>());
    }

    [Test]
    public void Pick_OursIsUnknownToAll_SpreadsWithoutTiers()
    {
        Scheduler scheduler = Start(Specs(4, 4, 4), Options with { Zone = "z" });
        Assert.That(ByZone(scheduler).Values, Is.All.EqualTo(Picks / 3).Within(Error));
        Assert.That(scheduler.Picker, Is.Not.InstanceOf<TieredPicker>());
    }

    [Test]
    public void Pick_OthersWithoutZone_AreElsewhere() =>
        Assert.That(ByZone(Start([.. Specs(2, 2).Select(spec => spec.Zone == "a" ? spec : spec with { Zone = null })]), 100)["a"], Is.EqualTo(100));

    [Test]
    public void Pick_TiersAndZones_PrefersTheTierThenTheZone()
    {
        DestinationSpec[] specs = [Spec('a', 0), Spec('b', 0), Spec('a', 1) with { Priority = 1 }, Spec('b', 1) with { Priority = 1 }];
        Scheduler scheduler = Start([.. specs.Select(spec => spec with { OutstandingMax = 1 })]);
        string Next() => scheduler.Pick(default).Destination.Identity;
        Assert.That(new[] { Next(), Next(), Next(), Next() }, Is.EqualTo(["a0", "b0", "a1", "b1"]));
    }

    // What was drawn for the other zones comes back to ours before it goes to a backup.
    [Test]
    public void Pick_OtherZonesAtTheirLimits_ComesBackBeforeTheNextTier()
    {
        DestinationSpec[] specs = [Spec('a', 0), .. Enumerable.Range(0, 9).Select(i => Spec('b', i) with { OutstandingMax = 1 }), Spec('c', 0) with { Priority = 1 }];
        Scheduler scheduler = Start(specs);
        for (int i = 0; i < 200; i++) Assert.That(scheduler.Pick(default).Destination.Zone, Is.Not.EqualTo("c"));
    }

    [Test]
    public void Pick_HashKeyWhileSpilling_AlwaysLeadsToTheSame([Values("consistent-hash", "rendezvous")] string policy)
    {
        Scheduler scheduler = Start(Specs(4, 4, 4), policy: policy);
        Take(scheduler, DestinationStatus.Unhealthy, "a0", "a1");
        int Of(ulong key) => scheduler.PickAndComplete(new PickContext(0, HashKey: HashKeys.Mix(key)));
        int[] first = [.. Enumerable.Range(1, 3000).Select(key => Of((ulong)key))];
        Assert.That(first.Count(i => i < 4), Is.EqualTo(0.84 * first.Length).Within(150));
        Assert.That(first.Distinct().Count(), Is.EqualTo(10));
        for (int key = 1; key <= first.Length; key++) Assert.That(Of((ulong)key), Is.EqualTo(first[key - 1]));
    }

    [Test]
    public void PickAndComplete_WhileSpilling_AllocatesNothing()
    {
        Scheduler scheduler = Start(Specs(4, 4, 4));
        Take(scheduler, DestinationStatus.Unhealthy, "a0", "a1");
        scheduler.Count(500);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5000; i++) scheduler.PickAndComplete(new PickContext(i));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
