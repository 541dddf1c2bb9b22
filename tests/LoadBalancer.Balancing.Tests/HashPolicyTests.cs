namespace LoadBalancer.Balancing.Tests;

public class HashPolicyTests
{
    private const int Keys = 20_000;
    private static readonly IBalancingPolicy[] Policies =
        [new ConsistentHashPolicy(HashTableKind.Maglev, slack: null), new ConsistentHashPolicy(HashTableKind.Ketama, slack: null), new RendezvousPolicy(slack: null)];

    private static int[] Owners(Scheduler scheduler) =>
        [.. Enumerable.Range(0, Keys).Select(key => scheduler.PickAndComplete(new PickContext(0, HashKey: HashKeys.Of($"key {key}"))))];

    [TestCaseSource(nameof(Policies))]
    public void Pick_SameKey_ReturnsTheSame(IBalancingPolicy policy)
    {
        Scheduler scheduler = Make.Scheduler(policy, Make.Ones(20));
        Assert.That(Owners(scheduler), Is.EqualTo(Owners(scheduler)));
    }

    [TestCaseSource(nameof(Policies))]
    public void Pick_MembersInAnotherOrder_AgreesOnEveryKey(IBalancingPolicy policy)
    {
        var one = new Scheduler(policy);
        var other = new Scheduler(policy);
        DestinationSpec[] specs = Make.Specs(Make.Ones(20));
        one.Update(specs, 0);
        other.Update([.. specs.Reverse()], 0);
        Assert.That(Owners(one), Is.EqualTo(Owners(other)));
    }

    [TestCaseSource(nameof(Policies))]
    public void Pick_AfterOneLeft_MovesItsKeysAndFewOthers(IBalancingPolicy policy)
    {
        const int Count = 20;
        Scheduler scheduler = Make.Scheduler(policy, Make.Ones(Count));
        int[] before = Owners(scheduler);
        scheduler.Update([.. Make.Specs(Make.Ones(Count)).Where(spec => (int)spec.Tag! != 7)], 0);
        int[] after = Owners(scheduler);
        int own = before.Count(owner => owner == 7);
        int moved = before.Zip(after).Count(pair => pair.First != pair.Second);
        Assert.That(own, Is.EqualTo(Keys / Count).Within(Keys / Count / 3));
        Assert.That(after, Does.Not.Contain(7));
        // A ring and rendezvous move nothing else; Maglev about 1 to 2 % (section 5.3 of the paper).
        Assert.That(moved - own, policy == Policies[0] ? Is.LessThan(Keys * 3 / 100) : Is.Zero);
    }

    [TestCaseSource(nameof(Policies))]
    public void Pick_AfterOneCame_MovesAboutItsShare(IBalancingPolicy policy)
    {
        var scheduler = new Scheduler(policy, Make.Options() with { SlowStart = TimeSpan.Zero });
        scheduler.Update(Make.Specs(Make.Ones(19)), 0);
        int[] before = Owners(scheduler);
        scheduler.Update(Make.Specs(Make.Ones(20)), 0);
        int moved = before.Zip(Owners(scheduler)).Count(pair => pair.First != pair.Second);
        Assert.That(moved, Is.InRange(Keys / 20 * 6 / 10, Keys / 20 * 16 / 10));
    }

    [TestCaseSource(nameof(Policies))]
    public void Pick_Weights_GiveTheirShareOfTheKeys(IBalancingPolicy policy)
    {
        int[] weights = [1, 2, 4, 8, 5];
        int[] owners = Owners(Make.Scheduler(policy, weights));
        for (int i = 0; i < weights.Length; i++)
            Assert.That(owners.Count(owner => owner == i), Is.EqualTo(Keys * weights[i] / 20).Within(35).Percent);
    }

    [Test]
    public void Maglev_EqualWeights_OwnEqualParts()
    {
        Scheduler scheduler = Make.Scheduler(Policies[0], Make.Ones(100));
        int[] owned = new int[100];
        var set = new DestinationSet([.. scheduler.Destinations], Make.Ones(100), Make.Options(), new PickRandom(1));
        foreach (int owner in new MaglevTable(set).Owners) owned[owner]++;
        Assert.That(owned.Max() - owned.Min(), Is.LessThanOrEqualTo(1));
    }

    [TestCase(10)]
    [TestCase(1000)]
    [TestCase(3000)]
    [TestCase(10_000)]
    public void Maglev_AnySize_HasAPrimeLengthOfAHundredPositionsEach(int count)
    {
        Scheduler scheduler = Make.Scheduler(new FirstPolicy(), Make.Ones(count));
        var set = new DestinationSet([.. scheduler.Destinations], Make.Ones(count), Make.Options(), new PickRandom(1));
        int[] owners = new MaglevTable(set).Owners;
        Assert.That(owners, Has.Length.GreaterThanOrEqualTo(100 * count));
        Assert.That(Enumerable.Range(2, (int)Math.Sqrt(owners.Length)), Has.None.Matches<int>(divisor => owners.Length % divisor == 0));
    }

    [TestCase(HashTableKind.Maglev)]
    [TestCase(HashTableKind.Ketama)]
    public void Pick_OneHotKeyWithBoundedLoad_OverflowsToOthers(HashTableKind kind) => HotKey(new ConsistentHashPolicy(kind, 0.25));

    [Test]
    public void Rendezvous_OneHotKeyWithBoundedLoad_OverflowsToOthers() => HotKey(new RendezvousPolicy(0.25));

    private static void HotKey(IBalancingPolicy policy)
    {
        Scheduler scheduler = Make.Scheduler(policy, Make.Ones(10));
        for (int m = 1; m <= 1000; m++)
        {
            scheduler.Pick(new PickContext(0, HashKey: 42));
            Assert.That(scheduler.Destinations.Max(d => d.Outstanding), Is.LessThanOrEqualTo((int)Math.Ceiling(1.25 * m / 10)));
        }
    }

    [Test]
    public void Pick_NoKey_DrawsByWeight()
    {
        foreach (IBalancingPolicy policy in Policies)
            Assert.That(Make.Scheduler(policy, [1, 3]).Count(10_000)[1], Is.EqualTo(7500).Within(250));
    }

    [Test]
    public void Of_KnownInput_GivesTheSameKeyForever()
    {
        // Stored nowhere, but a fleet that is updated one by one must agree.
        Assert.That(HashKeys.Of("10.0.0.1"), Is.EqualTo(HashKeys.Of("10.0.0.1"u8)));
        Assert.That(HashKeys.Of(""), Is.EqualTo(GoldenEmpty));
        Assert.That(HashKeys.Of("a"), Is.EqualTo(GoldenA));
    }

    // From a second implementation, in Python.
    private const ulong GoldenEmpty = 17665956581633026203, GoldenA = 198367012849983736;
}
