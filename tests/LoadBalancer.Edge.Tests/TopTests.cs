using System.Net.Sockets;
using LoadBalancer.Admin.Dashboard;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Edge.Top;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb top</c></summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class TopTests : IDisposable
{
    private static readonly double[] Bounds = [0.001, 0.01, 0.1];
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Lay_TwoAnswers_ShowsWhatHappenedBetween()
    {
        string[] lines = [.. Screen(width: 100).Lay(Sample(), [10, 20, 40], [new(1, DateTimeOffset.UnixEpoch, "destinationDraining", "app/web-2", "gets nothing new", "user root (uid 0, pid 7)")])];
        string text = string.Join('\n', lines);
        Assert.That(text, Does.Contain("Requests   100/s   Errors 5.00/s   Connections 7"));
        Assert.That(text, Does.Match(@"Latency    p50 (5\.9|6\.0) ms   p90 9\.9 ms   p99 90 ms")); // 200 of 220 took 1 to 10 ms, the others 10 to 100
        Assert.That(text, Does.Match(@"web-1 +75\.0 +75 % +5\.5 ms +3 +1\.00 +usable"));
        Assert.That(text, Does.Match(@"web-2 +25\.0 +25 % +– +0 +0 +draining"));
        Assert.That(text, Does.Contain("app  latency-weighted  1 of 2 usable"));
        Assert.That(text, Does.Match(@"200  RateLimited  50\.0/s"));
        Assert.That(text, Does.Match(@"200  per-client  RateLimited"));
        Assert.That(text, Does.Contain("destinationDraining app/web-2: gets nothing new, by user root (uid 0, pid 7)"));
        Assert.That(text, Does.Not.Contain('\e'));
    }

    [Test]
    public void Lay_AnyWidth_StaysWithinIt([Values(1, 40, 60, 80, 84, 120, 300)] int width)
    {
        foreach (string line in Screen(width).Lay(Sample(new string('n', 128)), [.. Enumerable.Range(0, 500).Select(i => (double)i)], [new(1, DateTimeOffset.UnixEpoch, "banned", new string('s', 500), new string('t', 500), null)]))
            Assert.That(line.Length, Is.AtMost(Math.Max(40, width)), line);
    }

    [Test]
    public void Lay_ControlCharacters_AreNotShown()
    {
        IReadOnlyList<string> lines = Screen(200).Lay(Sample("a\e[2Jb\n"), [], [new(1, DateTimeOffset.UnixEpoch, "banned", "x\e]0;t\a", "a\rb", null)]);
        Assert.That(string.Concat(lines).Any(char.IsControl), Is.False);
    }

    [Test]
    public void Lay_WithColors_MarksWhatIsBad() =>
        Assert.That(string.Join('\n', new TopScreen(100, hasColor: true).Lay(Sample(), [], [])), Does.Contain("\e[31m5.00/s\e[0m").And.Contain("\e[32m  usable\e[0m").And.Contain("\e[2m  draining\e[0m"));

    [Test, CancelAfter(120_000)]
    public async Task OnceShowsWhatARunningBalancerDoes(CancellationToken cancellationToken)
    {
        string socket = Path.Combine(_directory, "admin.sock");
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "listeners": { "web": { "address": "unix:{{_directory}}/web.sock" } }, "routes": { "all": { "cluster": "app" } },
              "clusters": { "app": { "destinations": { "only": "127.0.0.1:1" } } }, "admin": "unix:{{socket}}"
            }
            """, cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run");
        await lb.LineAsync("Ready.", cancellationToken);
        using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint($"{_directory}/web.sock"), cancellationToken);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", cancellationToken);
        Assert.That(await client.ReadResponseAsync(cancellationToken), Does.StartWith("HTTP/1.1 502 "));
        LbResult top = await LbProcess.RunAsync(_directory, cancellationToken, "top", "--once", "--interval", "100ms", "--admin", $"unix:{socket}");
        Assert.That((top.ExitCode, top.Error), Is.EqualTo((0, "")));
        Assert.That(top.Output, Does.StartWith("LoadBalancer ").And.Contain("  serving  up ").And.Contain("1 of 1 usable").And.Match(@"\n  only +0 +– +– ").And.Match("1  UpstreamConnectFailed").And.Contain("serverStarted"));
        Assert.That(top.Output, Does.Not.Contain('\e'));
        Assert.That(top.Output.Split('\n').Max(line => line.Length), Is.AtMost(80));

        LbResult nobody = await LbProcess.RunAsync(_directory, cancellationToken, "top", "--once", "--admin", $"unix:{_directory}/none.sock");
        Assert.That((nobody.ExitCode, nobody.Output, nobody.Error.TrimEnd()), Is.EqualTo((1, "", $"lb: no answer from the admin listener at unix:{_directory}/none.sock: nobody listens there")));
        LbResult wrong = await LbProcess.RunAsync(_directory, cancellationToken, "top", "--interval", "5");
        Assert.That((wrong.ExitCode, wrong.Error.Split('\n')[0]), Is.EqualTo((2, "lb: \"5\" is no interval; expected 100ms to 1m")));
    }

    private static TopScreen Screen(int width) => new(width, hasColor: false);

    // Two seconds apart: 200 requests, 10 of them errors.
    private static TopSample Sample(string name = "web-1") => new(Entry(name, 0), Entry(name, 1));

    private static DashboardEntry Entry(string name, int step) => new(1_000_000 + step * 2000, "serving", "0.1.0", 60 + step * 2,
        new([0, 0, 190 * step, 0, 0, 10 * step], [0, 200 * step, 20 * step, 0], Bounds, 0, 0, 0), new Dictionary<string, long> { ["Completed"] = 200 * step, ["RateLimited"] = 100 + 100 * step }, new(7, 9, 0),
        [new("app", "latency-weighted", 2, 1,
        [
            new(name, "10.0.0.1:80", true, [], null, 1, 3, 4, 150 * step, 2 * step, null, [0, 100 * step, 0, 0], null),
            new("web-2", "10.0.0.2:80", false, ["draining"], "gets nothing new", 1, 0, 0, 50 * step, 0, null, [0, 0, 0, 0], null),
        ])],
        [new("RateLimited", "per-client", false, 100 + 100 * step, true)], [], 1, []);
}
