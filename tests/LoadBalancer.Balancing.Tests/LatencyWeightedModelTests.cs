namespace LoadBalancer.Balancing.Tests;

/// <summary>The formulas, against the numbers they give by hand. Ticks are microseconds.</summary>
public class LatencyWeightedModelTests
{
    private static readonly LatencyWeightedModel Model = new(new(), Make.Second);

    private static PickOutcome Success(long microseconds) => new(PickOutcomeKind.Success, 0, microseconds, microseconds + 5000);

    private static float Cost(LatencyWeightedState state, float mean = 0, int outstanding = 0, long since = 0, long stall = 0) =>
        Model.Cost(state, hasLatency: true, mean, outstanding, since, stall, weighsFailure: true);

    [Test]
    public void Learn_FirstSample_IsTakenWhole()
    {
        int samples = 0;
        LatencyWeightedState state = Model.Learn(default, ref samples, 0, Success(20_000));
        Assert.That(state.LnLatency, Is.EqualTo(Math.Log(20)).Within(1e-5));
        Assert.That(samples, Is.EqualTo(1));
    }

    [Test]
    public void Learn_FirstEightSamples_AreTheirMean()
    {
        int samples = 0;
        LatencyWeightedState state = default;
        for (int i = 1; i <= 8; i++) state = Model.Learn(state, ref samples, 0, Success(1000 * i));
        Assert.That(state.LnLatency, Is.EqualTo(Enumerable.Range(1, 8).Average(i => Math.Log(i))).Within(1e-4));
    }

    [TestCase(Make.Millisecond, 0.00333, Description = "by time: 1 - e^-(1/300)")]
    [TestCase(10 * Make.Second, 0.0625, Description = "by sample: never more than a sixteenth")]
    public void Learn_LaterSample_MovesByTimeAndBySampleAtMost(long elapsed, double gain)
    {
        int samples = 100;
        LatencyWeightedState state = Model.Learn(new(0, 0), ref samples, elapsed, Success((long)(1000 * Math.E)));
        Assert.That(state.LnLatency, Is.EqualTo(gain).Within(1).Percent);
    }

    [Test]
    public void Learn_Connect_IsNoLatency()
    {
        int samples = 0;
        LatencyWeightedState state = Model.Learn(default, ref samples, 0, new(PickOutcomeKind.Success, 30_000, 50_000, 60_000));
        Assert.That(state.LnLatency, Is.EqualTo(Math.Log(20)).Within(1e-5));
    }

    [TestCase(PickOutcomeKind.ServerError)]
    [TestCase(PickOutcomeKind.ConnectFailure)]
    [TestCase(PickOutcomeKind.ProtocolFailure)]
    [TestCase(PickOutcomeKind.Timeout)]
    public void Learn_Failure_TakesAnEighthOfTheSuccessAtLeast(PickOutcomeKind kind)
    {
        int samples = 0;
        LatencyWeightedState state = Model.Learn(default, ref samples, 0, new(kind, 0, 100, 100));
        Assert.That(state.Failing, Is.EqualTo(1 / 8f).Within(1e-6));
        state = Model.Learn(state, ref samples, Make.Second, new(kind, 0, 100, 100));
        Assert.That(1 - state.Failing, Is.EqualTo(7 / 8.0 * 7 / 8 / Math.E).Within(1e-5));
        Assert.That(samples, Is.Zero, "a failure is no latency");
    }

    [Test]
    public void Learn_SuccessAfterFailure_RecoversWithTime()
    {
        int samples = 10;
        Assert.That(Model.Learn(new(0, 0.5f), ref samples, Make.Second, Success(1000)).Failing, Is.EqualTo(0.5 / Math.E).Within(1e-5));
    }

    [TestCase(PickOutcomeKind.Cancelled)]
    [TestCase(PickOutcomeKind.Timeout)]
    public void Learn_CensoredSample_CountsOnlyWhereItIsNews(PickOutcomeKind kind)
    {
        int samples = 20;
        var known = new LatencyWeightedState((float)Math.Log(20), 0);
        Assert.That(Model.Learn(known, ref samples, Make.Second, new(kind, 0, -1, 10_000)).LnLatency, Is.EqualTo(known.LnLatency), "10 ms: it may be 20 still");
        Assert.That(Model.Learn(known, ref samples, Make.Second, new(kind, 0, -1, 400_000)).LnLatency, Is.EqualTo(known.LnLatency + Math.Log(20) / 16).Within(1e-4), "400 ms: it is not");
    }

    [Test]
    public void Learn_Cancelled_IsNeitherSuccessNorFailure()
    {
        int samples = 20;
        Assert.That(Model.Learn(new(0, 0.4f), ref samples, Make.Second, new(PickOutcomeKind.Cancelled, 0, -1, 1)).Failing, Is.EqualTo(0.4f));
    }

    [TestCase(0)]
    [TestCase(0.14f)]
    [TestCase(-0.14f)]
    public void Cost_WithinTheDeadBand_IsThatOfTheMean(float difference) => Assert.That(Cost(new(2 + difference, 0), mean: 2), Is.Zero);

    [Test]
    public void Cost_BeyondTheDeadBand_IsTheRest()
    {
        Assert.That(Cost(new(3, 0), mean: 2), Is.EqualTo(0.85).Within(1e-5));
        Assert.That(Cost(new(1, 0), mean: 2), Is.EqualTo(-0.85).Within(1e-5));
    }

    [Test]
    public void Cost_Outstanding_AddsTheLogarithm() => Assert.That(Cost(default, outstanding: 4), Is.EqualTo(Math.Log(5)).Within(1e-5));

    [Test]
    public void Cost_Idle_ReturnsToTheMean()
    {
        Assert.That(Cost(new(2, 0), since: 5 * Make.Second), Is.EqualTo(2 / Math.E - 0.15).Within(1e-4));
        Assert.That(Cost(new(2, 0), outstanding: 1, since: 5 * Make.Second), Is.EqualTo(2 - 0.15 + Math.Log(2)).Within(1e-4), "not while busy");
    }

    [Test]
    public void Cost_Stall_AddsWhatItExceedsTheLatencyBy()
    {
        Assert.That(Cost(default, outstanding: 1, stall: 900), Is.EqualTo(Math.Log(2)).Within(1e-5), "0.9 of the usual 1 ms");
        Assert.That(Cost(default, outstanding: 1, stall: 20_000), Is.EqualTo(Math.Log(2) + Math.Log(20)).Within(1e-4));
    }

    [Test]
    public void Cost_Failing_IsTheSquareOfTheSuccess()
    {
        Assert.That(Cost(new(0, 0.5f)), Is.EqualTo(2 * Math.Log(2)).Within(1e-4));
        Assert.That(Cost(new(0, 1)), Is.EqualTo(Math.Log(2500)).Within(1e-3), "bounded");
        Assert.That(Cost(new(0, 1), since: 10 * Make.Second), Is.EqualTo(-2 * Math.Log(1 - 1 / Math.E)).Within(1e-4), "forgotten with time");
    }

    [Test]
    public void Cost_NothingKnown_IsTheCount()
    {
        Assert.That(Model.Cost(default, hasLatency: false, float.NaN, 3, 0, 50_000, weighsFailure: true), Is.EqualTo(Math.Log(4)).Within(1e-5));
    }
}
