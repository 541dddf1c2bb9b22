using System.Text;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Tests;

public sealed class ScenarioFileTests
{
    [Test]
    public void Parse_CommentsAndPartOfTheKeys_KeepsTheDefaultsOfTheRest()
    {
        Scenario? scenario = Parse("""
            {
              "requests": 5000, // few
              "arrivals": { "kind": "bursty", "load": 0.6 },
              "servers": [{ "count": 3, "discipline": "fcfs", "pauses": { "every": "2s" }, "joinAt": "40%" }, {}],
            }
            """, out string faults);
        Assert.That(faults, Is.Empty);
        Assert.That((scenario!.Requests, scenario.WarmUp, scenario.Arrivals.Kind, scenario.Arrivals.Burst.Factor), Is.EqualTo((5000, 0.1, ArrivalKind.Bursty, 5.0)));
        Assert.That(scenario.Service.Mean, Is.EqualTo(SimTime.Milliseconds(10)));
        Assert.That((scenario.Servers[0].Cores, scenario.Servers[0].Discipline, scenario.Servers[0].JoinAt), Is.EqualTo((4, Discipline.FirstComeFirstServed, (SimTime?)SimTime.Percent(40))));
        Assert.That(scenario.Servers[0].Pauses!.Length, Is.EqualTo(SimTime.Milliseconds(200)));
    }

    [TestCaseSource(nameof(Names))]
    public void Write_ReadyScenario_ReadsBackTheSame(string name)
    {
        string written = ScenarioFile.Write(ReadyScenarios.Find(name)!);
        Scenario? read = Parse(written, out string faults);
        Assert.That(faults, Is.Empty);
        Assert.That(ScenarioFile.Write(read!), Is.EqualTo(written));
    }

    [TestCase("""{ "request": 5 }""", "line 1: request: unknown key")]
    [TestCase("""{ "servers": [{ "cors": 5 }] }""", "line 1: servers[0].cors: unknown key")]
    [TestCase("""{ "service": { "mean": "10" } }""", "service.mean: \"10\" is no time; expected one such as \"10ms\", \"1.5s\" or \"40%\"")]
    [TestCase("""{ "service": { "kind": "gauss" } }""", "service.kind: the value is of a wrong kind, or no name that is known here")]
    [TestCase("""{ "requests": "many" }""", "requests: the value is of a wrong kind, or no name that is known here")]
    [TestCase("""{ "requests": 10 }""", "requests: 10 is out of range; expected 1000 to 100000000")]
    [TestCase("""{ "service": { "kind": "constant" } }""", "service.mean: expected a time above 0")]
    [TestCase("""{ "servers": [] }""", "servers: expected at least one")]
    [TestCase("""{ "servers": [{ "joinAt": "1s" }] }""", "servers: expected one that is there from the start, without \"joinAt\"")]
    [TestCase("""{ "retryBudget": 1.5 }""", "retryBudget: 1.5 is out of range; expected 0 to 1")]
    [TestCase("""{ "servers": [{ "tier": -1 }] }""", "servers[0].tier: -1 is out of range; expected 0 to 15")]
    [TestCase("""{ "servers": null }""", "servers")]
    [TestCase("""{ "servers": [null] }""", "servers")]
    [TestCase("""{ "classes": [null] }""", "classes")]
    [TestCase("""{ "classes": [{ "share": 0 }] }""", "classes[0].share: 0 is out of range; expected 1E-06 to 1000")]
    [TestCase("""{ "classes": [{ "service": { "kind": "constant" } }] }""", "classes[0].service.mean: expected a time above 0")]
    [TestCase("""{ "requests": 5000, "requests": 6000 }""", "requests")]
    [TestCase("null", "expected an object, not null")]
    [TestCase("{", "line 1")]
    public void Parse_Fault_IsNamedWithItsKey(string json, string expected)
    {
        Assert.That(Parse(json, out string faults), Is.Null);
        Assert.That(faults, Does.Contain(expected));
    }

    [TestCase("250us", 250e3, 0)]
    [TestCase("10ms", 10e6, 0)]
    [TestCase("1.5s", 1.5e9, 0)]
    [TestCase("2min", 120e9, 0)]
    [TestCase("40%", 0, 0.4)]
    public void TryParse_Time_IsUnderstood(string text, double nanoseconds, double share)
    {
        Assert.That(SimTime.TryParse(text, out SimTime time));
        Assert.That((time.Nanoseconds, time.Share), Is.EqualTo((nanoseconds, share)));
    }

    [TestCase("")]
    [TestCase("5")]
    [TestCase("ms")]
    [TestCase("-5ms")]
    [TestCase("1e9s")]
    [TestCase("140%")]
    public void TryParse_NoTime_IsRefused(string text) => Assert.That(SimTime.TryParse(text, out _), Is.False);

    private static IEnumerable<string> Names() => ReadyScenarios.All.Select(scenario => scenario.Name);

    private static Scenario? Parse(string json, out string faults)
    {
        Scenario? scenario = ScenarioFile.Parse(Encoding.UTF8.GetBytes(json), out IReadOnlyList<string> found);
        faults = string.Join("\n", found);
        return scenario;
    }
}
