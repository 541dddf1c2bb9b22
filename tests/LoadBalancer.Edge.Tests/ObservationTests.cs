using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What an operator sees of single requests: the access log of a running balancer, <c>lb trace</c>, and spans that are sent away.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class ObservationTests : IDisposable
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    private string Admin => Path.Combine(_directory, "admin.sock");

    private string LogPath => Path.Combine(_directory, "access.log");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<LbProcess> StartAsync(string settings, string destination, CancellationToken token)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "listeners": { "web": { "address": "unix:{{_directory}}/web.sock" } },
              "routes": { "all": { "cluster": "app" } },
              "clusters": { "app": { "balance": "first", "destinations": { "dead": "127.0.0.1:1", "alive": "{{destination}}" } } },
              "admin": "unix:{{Admin}}", {{settings}}
            }
            """, token);
        LbProcess lb = LbProcess.Start(_directory, "run");
        await lb.LineAsync("Ready.", token);
        return lb;
    }

    private async Task<string> AskAsync(string target, CancellationToken token, string lines = "")
    {
        using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint($"{_directory}/web.sock"), token);
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}\r\n", token);
        return await client.ReadToEndAsync(token);
    }

    private static string IdIn(string answer) => Regex.Match(answer, "(?m)^X-Request-Id: ([^\r]*)\r$").Groups[1].Value;

    [Test, CancelAfter(60_000)]
    public async Task ARequestIsFoundByItsId(CancellationToken cancellationToken)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        using LbProcess lb = await StartAsync("\"requestId\": {}", origin.Address, cancellationToken);
        string answer = await AskAsync("/a?token=s3cret", cancellationToken, $"traceparent: 00-{TraceId}-00f067aa0ba902b7-01\r\n");
        await AskAsync("/b", cancellationToken);

        LbResult one = await TraceAsync(IdIn(answer));
        Assert.That((one.ExitCode, one.Error), Is.EqualTo((0, "")));
        Assert.That(one.Output, Does.Match("(?m)^target +/a\\?token=\\*\\*\\*$").And.Match("(?m)^cluster +app$").And.Match($"(?m)^traceId +{TraceId}$"));
        Assert.That(one.Output, Does.Match("(?m)^try 1 +destination dead, cause First, end UpstreamConnectFailed, .*\ntry 2 +destination alive, cause Retry, end Completed, status 200, .*$"));
        // The time is reckoned back from two clocks when it is asked: it may differ by microseconds.
        static string WithoutTime(string output) => output[output.IndexOf('\n', StringComparison.Ordinal)..];
        Assert.That(WithoutTime((await TraceAsync(TraceId)).Output), Is.EqualTo(WithoutTime(one.Output)));
        LbResult all = await TraceAsync("--cluster", "app", "--count", "1");
        Assert.That(all.Output, Does.Match("^TIME +ID +REQUEST +STATUS +END +DESTINATION +ATTEMPTS +MS\n[0-9:.]+ +[0-9a-f]{32} +GET /b +200 +Completed +alive +[12] +[0-9.]+\n$"));
        using JsonDocument json = JsonDocument.Parse((await TraceAsync("--json")).Output);
        Assert.That(json.RootElement.GetProperty("requests").GetArrayLength(), Is.EqualTo(2));
        Assert.That((await TraceAsync("nobody")).Error.TrimEnd(), Is.EqualTo("lb: no request \"nobody\" is among the last that have ended"));
        Assert.That((await TraceAsync("--cluster", "ap")).Error.TrimEnd(), Is.EqualTo("lb: there is no cluster \"ap\"; did you mean \"app\"?"));
        Assert.That((await TraceAsync("x", "--cluster", "app")).ExitCode, Is.EqualTo(2));
        Assert.That((await TraceAsync("--count", "0")).ExitCode, Is.EqualTo(2));
    }

    [Test, CancelAfter(60_000), Platform(Include = "Linux")]
    public async Task TheLogIsOpenedAnewBySignal(CancellationToken cancellationToken)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        using LbProcess lb = await StartAsync("\"requestId\": {}, \"accessLog\": \"access.log\"", origin.Address, cancellationToken);
        string first = IdIn(await AskAsync("/1", cancellationToken));
        await LineAsync(LogPath, first, cancellationToken);
        File.Move(LogPath, LogPath + ".old");
        await lb.SignalAsync("USR1", cancellationToken);
        // The signal and the request race: one of the requests comes after it.
        string id;
        do id = IdIn(await AskAsync("/2", cancellationToken)); while (!await IsThereAsync(id));
        Assert.That(await File.ReadAllTextAsync(LogPath, cancellationToken), Does.Not.Contain(first));
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);

        async Task<bool> IsThereAsync(string id)
        {
            while (true)
            {
                if (File.Exists(LogPath) && (await File.ReadAllTextAsync(LogPath, cancellationToken)).Contains(id, StringComparison.Ordinal)) return true;
                if ((await File.ReadAllTextAsync(LogPath + ".old", cancellationToken)).Contains(id, StringComparison.Ordinal)) return false;
                await Task.Yield();
            }
        }
    }

    private static async Task LineAsync(string path, string text, CancellationToken token)
    {
        while (!File.Exists(path) || !(await File.ReadAllTextAsync(path, token)).Contains(text, StringComparison.Ordinal))
        {
            token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [TestCase("nowhere/access.log", "accessLog.path: the directory")]
    [TestCase(".", "is a directory; expected a file")]
    [CancelAfter(60_000)]
    public async Task TheCheckLooksAtThePathOfTheLog(string path, string expected, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"),
            $$"""{ "listeners": { "web": { "address": ":0" } }, "routes": { "r": { "respond": { "body": "x" } } }, "accessLog": "{{path}}" }""", cancellationToken);
        LbResult result = await LbProcess.RunAsync(_directory, cancellationToken, "check");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(expected).And.EndWith("1 problem\n"));
    }

    [Test, CancelAfter(60_000)]
    public async Task SpansAreSentToTheCollector(CancellationToken cancellationToken)
    {
        var exports = Channel.CreateUnbounded<(string Head, string Body)>();
        await using var collector = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                string head = await c.ReadUntilAsync("\r\n\r\n", t);
                int length = int.Parse(Regex.Match(head, "(?mi)^content-length: ([0-9]+)\r$").Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
                exports.Writer.TryWrite((head, await c.ReadAsync(length, t)));
                await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n", t);
            }
        });
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        using LbProcess lb = await StartAsync(
            $$"""
            "tracing": { "endpoint": "http://{{collector.Address}}/custom/path", "serviceName": "edge-1", "sampleRatio": 0, "headers": { "X-Key": "a b=c" } }
            """, origin.Address, cancellationToken);
        // Of these two only the one that comes with a trace is sampled.
        string own = await AskAsync("/unsampled", cancellationToken);
        string answer = await AskAsync("/sampled", cancellationToken, $"traceparent: 00-{TraceId}-00f067aa0ba902b7-01\r\ntracestate: a=1\r\n");
        Assert.That(own, Does.Match("(?m)^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00\r$"));
        string parent = Regex.Match(answer, $"(?m)^traceparent: 00-{TraceId}-([0-9a-f]{{16}})-01\r$").Groups[1].Value;
        Assert.That(parent, Has.Length.EqualTo(16), answer);
        await lb.SignalAsync("TERM", cancellationToken); // sends what is left
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);

        (string head, string body) = await exports.Reader.ReadAsync(cancellationToken);
        Assert.That(head, Does.StartWith("POST /custom/path HTTP/1.1\r\n").And.Match("(?mi)^content-type: application/x-protobuf\r$").And.Match("(?m)^X-Key: a b=c\r$"));
        Assert.That(body, Does.Contain("edge-1").And.Contain("lb.attempt.cause").And.Contain("/sampled").And.Not.Contain("/unsampled"));
        Assert.That(body, Does.Contain(Encoding.Latin1.GetString(Convert.FromHexString(TraceId))).And.Contain(Encoding.Latin1.GetString(Convert.FromHexString(parent))));
    }

    private Task<LbResult> TraceAsync(params string[] arguments) =>
        LbProcess.RunAsync(_directory, TestContext.CurrentContext.CancellationToken, ["trace", .. arguments, "--admin", $"unix:{Admin}"]);
}
