using System.Net;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>Commands that serve until they are told to stop.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class RunTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [TestCase("TERM")]
    [TestCase("INT")]
    [CancelAfter(60_000)]
    public async Task ASignalEndsTheProcessInOrder(string signal, CancellationToken cancellationToken)
    {
        using LbProcess lb = await StartAsync("""{ "path": "/ok", "respond": { "body": "fine" } }""", cancellationToken);
        Uri url = await UrlAsync(lb, cancellationToken);
        await lb.LineAsync("Ready.", cancellationToken);
        using var client = new HttpClient();
        Assert.That(await client.GetStringAsync(new Uri(url, "/ok"), cancellationToken), Is.EqualTo("fine"));
        await lb.SignalAsync(signal, cancellationToken);
        LbResult result = await lb.EndAsync(cancellationToken);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("[5003] Stopped"));
    }

    [Test, CancelAfter(60_000)]
    public async Task ASecondSignalCutsRequestsInFlight(CancellationToken cancellationToken)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using LbProcess lb = await StartAsync("""{ "cluster": "silent" }""", cancellationToken, $$"""{ "silent": { "destinations": { "s": "{{silent.LocalEndpoint}}" } } }""");
        Uri url = await UrlAsync(lb, cancellationToken);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, cancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), cancellationToken);
        using TcpClient upstream = await silent.AcceptTcpClientAsync(cancellationToken);
        Assert.That(await upstream.GetStream().ReadAsync(new byte[1], cancellationToken), Is.EqualTo(1), "the request is in flight");

        await lb.SignalAsync("TERM", cancellationToken);
        await lb.ErrorLineAsync("[5002]", cancellationToken); // two signals at once could be taken as one by the kernel
        await lb.SignalAsync("TERM", cancellationToken);
        LbResult result = await lb.EndAsync(cancellationToken);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Error, Does.Contain("[5101] Second signal"));
    }

    [Test, CancelAfter(60_000)]
    public async Task WithoutAFileAHangupIsAnsweredWithALogLine(CancellationToken cancellationToken)
    {
        using LbProcess lb = LbProcess.Start(_directory, "run", "--listen", "127.0.0.1:0", "--to", "localhost:1");
        await lb.LineAsync("Ready.", cancellationToken);
        await lb.SignalAsync("HUP", cancellationToken);
        await lb.ErrorLineAsync("SIGHUP: there is no configuration file to read again", cancellationToken);
        await lb.SignalAsync("TERM", cancellationToken);
        LbResult result = await lb.EndAsync(cancellationToken);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [Test, CancelAfter(60_000)]
    public async Task AnAddressInUseIsOneLine(CancellationToken cancellationToken)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        LbResult result = await LbProcess.RunAsync(_directory, cancellationToken, "run", "--listen", taken.LocalEndpoint.ToString()!, "--to", "localhost:1");
        Assert.That(result, Is.EqualTo(new LbResult(1, "", $"lb: listener 'web': cannot listen on {taken.LocalEndpoint}: the address is in use by another process\n")));
    }

    [Test, CancelAfter(60_000)]
    public async Task RunWithoutAFileSaysWhatItBoundAndTook(CancellationToken cancellationToken)
    {
        using LbProcess lb = LbProcess.Start(_directory, "run", "--listen", "127.0.0.1:0", "--to", "localhost:5000,localhost:5001");
        Assert.That(await lb.LineAsync("lb ", cancellationToken), Does.EndWith("command line: 1 listener, 1 route, 1 cluster, 2 destinations"));
        Assert.That(await lb.LineAsync("listening", cancellationToken), Does.Match(@"web: http://127\.0\.0\.1:[1-9][0-9]+$"));
        Assert.That(await lb.LineAsync("defaults", cancellationToken), Does.Contain("balance latency-weighted, connectTimeout 2s"));
    }

    [Test, CancelAfter(60_000)]
    public async Task DemoSpreadsItsBurstEvenly(CancellationToken cancellationToken)
    {
        using LbProcess lb = LbProcess.Start(_directory, "demo", "--port", "0", "--for", "1", "--balance", "round-robin");
        Assert.That(await lb.LineAsync("30 requests", cancellationToken), Does.Match(@"fast +33 % .* medium +33 % .* slow +33 % .* ms$"));
        LbResult result = await lb.EndAsync(cancellationToken);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Is.Empty);
    }

    [Test, CancelAfter(60_000)]
    public async Task DestinationsAreChangedFromTheCommandLine(CancellationToken cancellationToken)
    {
        string socket = Path.Combine(_directory, "admin.sock");
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            { "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "r": { "cluster": "app" } }, "admin": "unix:{{socket}}",
              "clusters": { "app": { "registration": true, "destinations": { "a": "localhost:5000" } } } }
            """, cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run");
        string web = await lb.LineAsync("listening", cancellationToken);
        Assert.That(await lb.LineAsync("admin", cancellationToken), Does.EndWith($"unix:{socket}"));
        await lb.LineAsync("Ready.", cancellationToken);
        string other = web[(web.LastIndexOf('/') + 1)..];
        LbResult stranger = await LbProcess.RunAsync(_directory, cancellationToken, "destinations", "list", "--admin", other);
        Assert.That(stranger, Is.EqualTo(new LbResult(1, "", $"lb: no answer from the admin listener at {other}: what answers is no admin listener\n")));
        Assert.That(await DestinationsAsync("add", "app", "b", "10.0.0.5:80", "--weight", "3", "--lease", "10m"), Is.EqualTo(new LbResult(0, "", "")));
        Assert.That(await DestinationsAsync("drain", "app", "a"), Is.EqualTo(new LbResult(0, "", "")));
        LbResult list = await DestinationsAsync("list", "app");
        Assert.That(list.Output, Does.Match("""
            ^NAME  ADDRESS         WEIGHT  TIER  REQUESTS  STATE     FROM
            a     localhost:5000  1       0     0         draining  configuration
            b     10.0.0.5:80     3       0     0         usable    registration, until ..:..:.. UTC
            $
            """));
        Assert.That((await DestinationsAsync("list")).Output, Does.Match("(?m)^app +2 +1 +0 +latency-weighted +yes$"));
        Assert.That((await DestinationsAsync("enable", "app", "a", "--json")).Output, Does.Contain("\"usable\": true"));
        Assert.That(await DestinationsAsync("remove", "app", "b"), Is.EqualTo(new LbResult(0, "", "")));
        Assert.That(await DestinationsAsync("remove", "app", "b"), Is.EqualTo(new LbResult(1, "", "lb: cluster \"app\" has no destination \"b\"\n")));
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);
        Assert.That(File.Exists(socket), Is.False);
        LbResult nobody = await DestinationsAsync("list");
        Assert.That((nobody.ExitCode, nobody.Output), Is.EqualTo((1, "")));
        Assert.That(nobody.Error, Is.EqualTo($"lb: no answer from the admin listener at unix:{socket}: nobody listens there\n"));

        Task<LbResult> DestinationsAsync(params string[] arguments) => LbProcess.RunAsync(_directory, cancellationToken, ["destinations", .. arguments, "--admin", $"unix:{socket}"]);
    }

    private async Task<LbProcess> StartAsync(string route, CancellationToken cancellationToken, string clusters = "{}")
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"),
            $$"""{ "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "r": {{route}} }, "clusters": {{clusters}} }""", cancellationToken);
        return LbProcess.Start(_directory, "run");
    }

    private static async Task<Uri> UrlAsync(LbProcess lb, CancellationToken cancellationToken)
    {
        string line = await lb.LineAsync("listening", cancellationToken);
        return new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..]);
    }
}
