using LoadBalancer.Simulation.Reports;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Tests;

public sealed class TournamentTests
{
    private static IEnumerable<string> Families => RandomScenario.Families.Select(family => family.Name);

    [TestCaseSource(nameof(Families))]
    public void Draw_ManyNumbers_GivesScenariosThatCanBeRun_TheSameForTheSameNumber(string family)
    {
        var seen = new HashSet<string>();
        for (uint number = 1; number <= 300; number++)
        {
            Scenario scenario = RandomScenario.Draw(family, number);
            Assert.That(ScenarioValidator.Validate(scenario), Is.Empty, scenario.Name);
            Assert.That(scenario.OfferedLoad, Is.InRange(0.4, 0.851), scenario.Name);
            Assert.That(ScenarioFile.Write(RandomScenario.Find(scenario.Name)!), Is.EqualTo(ScenarioFile.Write(scenario)));
            Assert.That(seen.Add(ScenarioFile.Write(scenario)), scenario.Name);
        }
    }

    [Test]
    public void Draw_Family_HasWhatItsNameSays()
    {
        for (uint number = 1; number <= 100; number++)
        {
            Assert.That(RandomScenario.Draw("random-classes", number).Classes, Has.Count.AtLeast(2));
            Assert.That(RandomScenario.Draw("random-fcfs", number).Servers, Is.All.Matches<ServerSpec>(server => server.Discipline == Discipline.FirstComeFirstServed && server.QueueMax > 0));
        }
    }

    [TestCase("random")]
    [TestCase("random:")]
    [TestCase("random:-1")]
    [TestCase("other:1")]
    public void Find_OtherNames_FindsNothing(string name) => Assert.That(RandomScenario.Find(name), Is.Null);

    [Test]
    public void Play_AgainstItself_IsTheSame_AndAgainstAWorseOne_IsNot()
    {
        IReadOnlyList<TournamentRound> rounds = Tournament.Play("random", 3, ["latency-weighted", "latency-weighted", "random"], seeds: 3, requests: 10_000);
        Assert.That(rounds, Has.Count.EqualTo(3));
        Assert.That(rounds.Select(round => round.Scores[0].P99.Mean), Is.All.Zero);
        Assert.That(rounds.Select(round => round.Scores[1].Mean.Mean), Is.All.Positive);
        string report = TournamentReport.Write(rounds, "latency-weighted");
        Assert.That(report, Does.Contain("random:3").And.Match(@"latency-weighted +0\.0% +0\.0% +0\.0% +0, 3, 0"));
    }
}
