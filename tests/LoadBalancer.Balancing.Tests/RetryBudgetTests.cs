namespace LoadBalancer.Balancing.Tests;

/// <summary>The retry budget in virtual time: timestamps count milliseconds.</summary>
public class RetryBudgetTests
{
    private const int Frequency = 1000;

    private static int Take(RetryBudget budget, long now, int wanted = 100_000)
    {
        int taken = 0;
        while (taken < wanted && budget.TryTake(now)) taken++;
        return taken;
    }

    private static void Requests(RetryBudget budget, int count)
    {
        for (int i = 0; i < count; i++) budget.CountRequest(i % 2);
    }

    [Test]
    public void TryTake_AtTheStart_GrantsTenSecondsOfTheMinimum()
    {
        var budget = new RetryBudget(0.2, 3, 2, Frequency, now: 0);
        Assert.That(Take(budget, 0), Is.EqualTo(30));
        Assert.That(budget.TryTake(0), Is.False);
    }

    [Test]
    public void TryTake_Spent_GrantsAFifthOfTheRequestsThatFollow()
    {
        var budget = new RetryBudget(0.2, 0, 2, Frequency, now: 0);
        Requests(budget, 1000);
        Assert.That(Take(budget, 0), Is.EqualTo(200));
        Requests(budget, 9);
        Assert.That(Take(budget, 0), Is.EqualTo(1));
    }

    [Test]
    public void TryTake_NoRequests_GrantsTheMinimumEachSecond()
    {
        var budget = new RetryBudget(0.2, 3, 2, Frequency, now: 0);
        Take(budget, 0);
        for (int second = 1; second < 20; second++) Assert.That(Take(budget, second * Frequency), Is.EqualTo(3));
    }

    [Test]
    public void TryTake_AfterALongQuietTime_GrantsNoMoreThanTheMemory()
    {
        var budget = new RetryBudget(0.2, 3, 2, Frequency, now: 0);
        Requests(budget, 100_000);
        // 1000 s at 100 requests a second, of which ten seconds count.
        Assert.That(Take(budget, 1_000 * Frequency), Is.EqualTo(230));
    }

    [Test]
    public void TryTake_WhatIsNotUsed_Fades()
    {
        var budget = new RetryBudget(1, 0, 2, Frequency, now: 0);
        Requests(budget, 101);
        Assert.That(budget.TryTake(0), Is.True);
        Assert.That(Take(budget, 5 * Frequency), Is.EqualTo(50), "half of the memory has passed over 100");
    }

    [Test]
    public void TryTake_LongRun_StaysWithinTheShare()
    {
        var budget = new RetryBudget(0.2, 3, 2, Frequency, now: 0);
        int taken = 0;
        for (int tick = 0; tick < 100 * Frequency; tick++)
        {
            Requests(budget, 1);
            if (budget.TryTake(tick)) taken++;
        }
        Assert.That(taken, Is.EqualTo(100_000 * 0.2 + 3 * 100).Within(50));
    }

    [Test]
    public void TryTake_NothingGranted_IsAlwaysDenied() => Assert.That(new RetryBudget(0, 0, 1, Frequency, 0).TryTake(1_000_000), Is.False);

    [Test]
    public void TryTake_AnEarlierTimeThanTheLast_CountsAsNow()
    {
        var budget = new RetryBudget(0, 1, 1, Frequency, now: 0);
        Take(budget, 100 * Frequency);
        Assert.That(budget.TryTake(50 * Frequency), Is.False);
    }

    [Test]
    public void TryTake_ManyThreads_GrantsNoMoreThanThereIs()
    {
        var budget = new RetryBudget(1, 0, 1, Frequency, now: 0);
        for (int i = 0; i < 1000; i++) budget.CountRequest(0);
        int taken = 0;
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 500; i++)
                if (budget.TryTake(0)) Interlocked.Increment(ref taken);
        });
        Assert.That(taken, Is.EqualTo(1000));
    }
}
