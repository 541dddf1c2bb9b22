using System.Net;
using System.Text.Json;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb limits</c>, as an operator runs it.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class LimitsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(60_000)]
    public async Task AClientIsBannedListedAndUnbanned(CancellationToken cancellationToken)
    {
        string socket = Path.Combine(_directory, "admin.sock");
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            { "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "r": { "respond": { "body": "ok" } } }, "admin": "unix:{{socket}}" }
            """, cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run");
        string line = await lb.LineAsync("listening", cancellationToken);
        var endPoint = IPEndPoint.Parse(System.Text.RegularExpressions.Regex.Match(line, @"127\.0\.0\.1:\d+").Value);
        await lb.LineAsync("Ready.", cancellationToken);

        Assert.That((await LimitsAsync("bans")).Output, Is.EqualTo("Nobody is banned.\n"));
        LbResult ban = await LimitsAsync("ban", "127.0.0.2", "--for", "10m", "--reason", "a test");
        Assert.That((ban.ExitCode, ban.Error), Is.EqualTo((0, "")));
        Assert.That((await LimitsAsync("ban", "2001:db8::/32", "--for", "0")).ExitCode, Is.Zero);
        await lb.ErrorLineAsync("127.0.0.2 was banned by user ", cancellationToken);
        LbResult list = await LimitsAsync("bans");
        Assert.That(list.Output, Does.Match("""
            ^ADDRESS +UNTIL +REASON
            127.0.0.2 +20..-..-.. ..:..:.. +a test *
            2001:db8::/32 +unbanned *
            $
            """));
        using (JsonDocument json = JsonDocument.Parse((await LimitsAsync("bans", "--json")).Output))
            Assert.That(json.RootElement.GetProperty("bans")[0].GetProperty("reason").GetString(), Is.EqualTo("a test"));
        Assert.That(await AnswerAsync("127.0.0.2"), Is.Empty);
        Assert.That(await AnswerAsync("127.0.0.1"), Does.StartWith("HTTP/1.1 200 "));

        LbResult wide = await LimitsAsync("ban", "0.0.0.0/0");
        Assert.That((wide.ExitCode, wide.Output), Is.EqualTo((1, "")));
        Assert.That(wide.Error, Does.StartWith("lb: \"0.0.0.0/0\" is wider than /8 of IPv4"));
        Assert.That((await LimitsAsync("unban", "127.0.0.2")).ExitCode, Is.Zero);
        Assert.That((await LimitsAsync("unban", "127.0.0.2")).Error, Is.EqualTo("lb: there is no ban of exactly 127.0.0.2\n"));
        Assert.That(await AnswerAsync("127.0.0.2"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That((await LimitsAsync("ban")).ExitCode, Is.EqualTo(2));
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);

        Task<LbResult> LimitsAsync(params string[] arguments) => LbProcess.RunAsync(_directory, cancellationToken, ["limits", .. arguments, "--admin", $"unix:{socket}"]);

        async Task<string> AnswerAsync(string from)
        {
            try
            {
                using RawClient client = await RawClient.ConnectAsync(endPoint, cancellationToken, from);
                await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", cancellationToken);
                return await client.ReadToEndAsync(cancellationToken);
            }
            catch (System.Net.Sockets.SocketException)
            {
                return "";
            }
        }
    }
}
