using LoadBalancer.Simulation.Replay;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Tests;

public sealed class AccessLogTests
{
    [TestCase("""{"time":"2026-01-02T03:04:05.25Z","duration":0.012,"status":200}""", 12e6)]
    [TestCase("""{"duration":"12.5ms","time":1767323045.25}""", 12.5e6)]
    [TestCase("""192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 2326 0.012""", 12e6)]
    [TestCase("""192.0.2.1 - u [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 2326 "-" "curl (x 1)" 12000""", 12e6)]
    public void Read_Line_GivesItsDuration(string line, double nanoseconds)
    {
        Trace? trace = AccessLog.Read(Enumerable.Repeat(line, AccessLog.RequestsMin), out int skipped);
        Assert.That(skipped, Is.Zero);
        Assert.That(trace!.Durations, Is.All.EqualTo(nanoseconds).Within(1));
    }

    [TestCase("")]
    [TestCase("{\"time\":\"2026-01-02T03:04:05Z\"")]
    [TestCase("{\"time\":\"2026-01-02T03:04:05Z\"}")]
    [TestCase("{\"time\":\"yesterday\",\"duration\":1}")]
    [TestCase("""192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 2326""")]
    [TestCase("""192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 2326 "-" "curl/8.1" """)]
    [TestCase("""192.0.2.1 - - [today] "GET / HTTP/1.1" 200 2326 0.5""")]
    public void Read_LineWithoutTimeOrDuration_IsSkipped(string line)
    {
        Assert.That(AccessLog.Read([line], out int skipped), Is.Null);
        Assert.That(skipped, Is.EqualTo(1));
    }

    [Test]
    public void Read_TimesOfWholeSeconds_AreSpreadOverTheSecond()
    {
        IEnumerable<string> lines = Enumerable.Range(0, 20).Select(i => $$"""{"time":"2026-01-02T03:04:{{5 + i / 10:00}}Z","duration":0.01}""");
        Trace trace = AccessLog.Read(lines, out _)!;
        Assert.That(trace.Arrivals, Is.EqualTo(Enumerable.Range(0, 20).Select(i => i * 100_000_000L)));
    }

    [Test]
    public void Read_LinesInOrderOfTheirEnd_AreSortedByTime()
    {
        IEnumerable<string> lines = Enumerable.Range(0, 12).Select(i => $$"""{"time":{{1000.5 - i * 0.25}},"duration":{{i + 1}}}""");
        Trace trace = AccessLog.Read(lines, out _)!;
        Assert.That(trace.Arrivals, Is.Ordered);
        Assert.That(trace.Durations[0], Is.EqualTo(12e9));
    }

    [Test]
    public void Run_Trace_ReplaysArrivalsAndDemands()
    {
        // Two at a time on one core each of two servers, far apart: nobody waits, so latencies are the durations.
        IEnumerable<string> lines = Enumerable.Range(0, 2000).Select(i => $$"""{"time":{{1000 + i * 0.1}},"duration":0.05}""");
        var scenario = Make.Scenario(new Scenarios.ServerSpec { Count = 2, Cores = 1 });
        scenario.Trace = AccessLog.Read(lines, out _);
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(run.Requests, Is.EqualTo(2000));
        Assert.That(run.Latency.Mean, Is.EqualTo(50e6).Within(2));
        Assert.That(run.Length, Is.EqualTo(199_950_000_000).Within(2000));
    }
}
