using LoadBalancer.Simulation.Theory;

namespace LoadBalancer.Simulation.Tests;

/// <summary>The simulator against closed formulas, with the production pickers in it. The same checks as <c>lb simulate --self-check</c>.</summary>
public sealed class TheoryTests
{
    [TestCaseSource(typeof(TheoryCheck), nameof(TheoryCheck.All))]
    public void Measure_KnownQuantity_IsWithinItsTolerance(TheoryCheck check)
    {
        double measured = check.Measure();
        TestContext.Out.WriteLine($"{check.Name}: {check.Expected:0.####} expected, {measured:0.####} measured, {measured / check.Expected - 1:+0.00%;-0.00%}");
        Assert.That(check.Accepts(measured), $"{check.Name}: {check.Expected} expected, {measured} measured");
    }

    [TestCase(1, 0.7, 3.3333)]
    [TestCase(4, 0.9, 2.9694)]
    [TestCase(16, 0.95, 1.97524)]
    [TestCase(100, 0.95, 1.10129)]
    public void CentralQueue_PublishedValue_IsReproduced(int servers, double rho, double expected) =>
        Assert.That(QueueingFormulas.CentralQueue(servers, rho), Is.EqualTo(expected).Within(1e-4));

    [TestCase(16, 0.9, 5.4796)]
    [TestCase(100, 0.5, 1.2619)]
    public void RoundRobin_PublishedValue_IsReproduced(int servers, double rho, double expected) =>
        Assert.That(QueueingFormulas.RoundRobin(servers, rho), Is.EqualTo(expected).Within(1e-4));

    [TestCase(2, 0.9, 2.6141)]
    [TestCase(3, 0.95, 2.5351)]
    public void Choices_PublishedValue_IsReproduced(int d, double rho, double expected) =>
        Assert.That(QueueingFormulas.Choices(d, rho), Is.EqualTo(expected).Within(1e-4));

    [TestCase(0.9, 4, 0.2059)]
    [TestCase(0.95, 5, 0.2039)]
    public void ChoicesTail_PublishedValue_IsReproduced(double rho, int length, double expected) =>
        Assert.That(QueueingFormulas.ChoicesTail(2, rho, length), Is.EqualTo(expected).Within(1e-4));

    [Test]
    public void Mean_ExponentialWork_FollowsTheKnownOrder()
    {
        double Mean(string algorithm, Scenarios.ServerSpec servers)
        {
            Scenarios.Scenario scenario = Make.Scenario(servers);
            (scenario.Requests, scenario.Arrivals.Load) = (200_000, 0.9);
            return Experiment.Run(scenario, algorithm, 1).Latency.Mean;
        }
        var single = new Scenarios.ServerSpec { Count = 32, Cores = 1, Discipline = Scenarios.Discipline.FirstComeFirstServed };
        double[] means =
        [
            Mean("round-robin", new Scenarios.ServerSpec { Cores = 32, Discipline = Scenarios.Discipline.FirstComeFirstServed }), // one queue for all
            Mean("least-outstanding", single), Mean("power-of-two", single), Mean("round-robin", single), Mean("random", single),
        ];
        Assert.That(means, Is.Ordered);
    }
}
