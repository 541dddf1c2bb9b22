using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Etcd;
using LoadBalancer.Discovery.Remote;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>What a real etcd does seldom, or never: answers as Debian's etcd 3.4.23 gave them, and broken ones.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class EtcdFaultTests
{
    private const string Header = """ "header":{"cluster_id":"324952591200643719","member_id":"3319814642761637952","revision":"5","raft_term":"2"} """;
    private const string Created = $$$"""{"result":{{{{Header}}},"created":true}}""";

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task ACompactionLeadsToReadingAgain()
    {
        int reads = 0;
        await using var etcd = new ApiOrigin(async call =>
        {
            if (call.Path == "/v3/kv/range") await call.AnswerAsync(Read(++reads == 1 ? "/s/a" : "/s/b"));
            else
            {
                Assert.That(call.Body, Does.Contain("\"start_revision\":\"6\""));
                await call.BeginAsync();
                // Both lines at once, the first time.
                await call.ChunkAsync(reads == 1 ? $$$"""{{{Created}}}{{{"\n"}}}{"result":{{{{Header}}},"canceled":true,"compact_revision":"9"}}{{{"\n"}}}""" : Created + "\n");
                await Task.Delay(Timeout.Infinite, call.Token);
            }
        });
        using EtcdRange range = Range(etcd.Address);
        await range.NextAsync(Token);
        Assert.That(range.Keys.Keys, Is.EqualTo(new[] { "/s/a" }));
        await range.NextAsync(Token);
        Assert.That((range.Keys.Keys, reads), Is.EqualTo((new[] { "/s/b" }, 2)));
    }

    [Test]
    public async Task ASilentWatchIsNotBelievedForEver()
    {
        int reads = 0;
        await using var etcd = new ApiOrigin(async call =>
        {
            if (call.Path == "/v3/kv/range") await call.AnswerAsync(Read($"/s/{Interlocked.Increment(ref reads)}"));
            else
            {
                await call.BeginAsync();
                await call.LineAsync(Created);
                await Task.Delay(Timeout.Infinite, call.Token);
            }
        });
        using EtcdRange range = Range(etcd.Address);
        await range.NextAsync(Token);
        Task next = range.NextAsync(Token); // its timer stands when this returns
        Assert.That(next.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(61));
        await next;
        Assert.That(range.Keys.Keys, Is.EqualTo(new[] { "/s/2" }));
    }

    [Test]
    public async Task TheNextServerIsAskedWhenOneFails()
    {
        await using var bad = new ApiOrigin(call => call.AnswerAsync("""{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}""", 503));
        int watches = 0;
        await using var good = new ApiOrigin(async call =>
        {
            if (call.Path == "/v3/kv/range")
            {
                await call.AnswerAsync(Read("/s/a"));
                return;
            }
            watches++;
            await call.BeginAsync();
            await call.LineAsync(Created);
            await call.LineAsync($$$"""{"result":{{{{Header}}},"events":[{"kv":{"key":"{{{EtcdServer.Base64("/s/b")}}}","value":"eA=="}},{"type":"DELETE","kv":{"key":"{{{EtcdServer.Base64("/s/a")}}}"}}]}}""");
            await call.EndAsync();
        });
        using EtcdRange range = Range(bad.Address, good.Address);
        await range.NextAsync(Token);
        Assert.That(range.Keys.Keys, Is.EqualTo(new[] { "/s/a" }));
        await range.NextAsync(Token);
        Assert.That(range.Keys.Keys, Is.EqualTo(new[] { "/s/b" }));
        Assert.That(async () => await range.NextAsync(Token), Throws.TypeOf<ApiException>().With.Message.EqualTo($"{good.Address}: the watch ended: the connection was closed"));
        Assert.That(range.Keys.Keys, Is.EqualTo(new[] { "/s/b" }), "the last good ones stay");
        await range.NextAsync(Token);
        Assert.That((range.Keys.Keys, watches), Is.EqualTo((new[] { "/s/a" }, 2)));
    }

    [TestCase("<html>", "answered with what is no JSON; is it something else that listens there?")]
    [TestCase("{}", "answered without a revision; is it etcd 3.4 or later?")]
    [TestCase("""{"header":{"revision":"5"},"kvs":[{}]}""", "answered with an entry without a key")]
    public async Task AnswersThatAreNoneAreProblems(string answer, string problem)
    {
        await using var etcd = new ApiOrigin(call => call.AnswerAsync(answer));
        using EtcdRange range = Range(etcd.Address);
        Assert.That(async () => await range.NextAsync(Token), Throws.TypeOf<ApiException>().With.Message.EqualTo($"{etcd.Address}: {problem}"));
    }

    [TestCase("""{"result":{"canceled":true,"created":true,"cancel_reason":"rpc error: permission denied"}}""", "rpc error: permission denied")]
    [TestCase("""{"error":{"grpc_code":16,"message":"etcdserver: invalid auth token"}}""", "etcdserver: invalid auth token")]
    [TestCase("""{"result":{}}""", "answered a watch with something else")]
    public async Task AWatchThatIsRefusedIsAProblem(string line, string problem)
    {
        await using var etcd = new ApiOrigin(async call =>
        {
            if (call.Path == "/v3/kv/range") await call.AnswerAsync(Read("/s/a"));
            else
            {
                await call.BeginAsync();
                await call.LineAsync(line);
            }
        });
        using EtcdRange range = Range(etcd.Address);
        Assert.That(async () => await range.NextAsync(Token), Throws.TypeOf<ApiException>().With.Message.EqualTo($"{etcd.Address}: {problem}"));
        Assert.That(range.Keys, Is.Empty);
    }

    [Test]
    public async Task WhatIsTooLargeIsNotRead()
    {
        string large = new('x', 70_000);
        bool isLarge = true;
        await using var etcd = new ApiOrigin(async call =>
        {
            if (call.Path == "/v3/kv/range") await call.AnswerAsync(isLarge ? large : Read("/s/a", "/s/b", "/s/c", "/s/d"));
            else
            {
                await call.BeginAsync();
                await call.LineAsync(Created);
                await call.ChunkAsync(large);
            }
        });
        using EtcdRange range = Range(etcd.Address);
        Assert.That(async () => await range.NextAsync(Token), Throws.TypeOf<ApiException>().With.Message.EqualTo($"{etcd.Address}: answered with more than 65536 bytes"));
        isLarge = false;
        await range.NextAsync(Token);
        Assert.That((range.Keys.Count, range.IsFull, range.Keys["/s/a"]), Is.EqualTo((3, true, (byte[]?)null)), "of four keys three, and no value of more than 10 bytes");
        Assert.That(async () => await range.NextAsync(Token), Throws.TypeOf<ApiException>().With.Message.EqualTo($"{etcd.Address}: the watch ended: sent a line of more than 65536 bytes"));
    }

    [TestCase("a", "10.0.0.1:80", "10.0.0.1:80 1 2 7", null)]
    [TestCase("a", " api.internal:80\n", "api.internal:80 1 2 7", null)]
    [TestCase("a", """{ "address": "https://api.internal", "weight": 5, "tier": 0, "zone": "eu-1a", "requestsMax": 3 }""", "https://api.internal 5 0 3 eu-1a", null)]
    [TestCase("a/b", "10.0.0.1:80", null, "the key is no name; expected up to 128 letters, digits and \"-._~:\" after the prefix")]
    [TestCase("", "10.0.0.1:80", null, "the key is no name; expected up to 128 letters, digits and \"-._~:\" after the prefix")]
    [TestCase("a", "", null, "address: \"\" ")]
    [TestCase("a", "10.0.0.1", null, "address: \"10.0.0.1\" has no port")]
    [TestCase("a", "${PATH}:80", null, "address: \"${PATH}:80\" ")]
    [TestCase("a", "@file:/etc/hostname", null, "address: \"@file:/etc/hostname\" ")]
    [TestCase("a", "unix:/run/lb/admin.sock", null, "the address is a socket of this machine, which etcd cannot know of")]
    [TestCase("a", """{ "address": "10.0.0.1:80", "weight": 5000 }""", null, "weight: 5000 is out of range")]
    [TestCase("a", """{ "address": "10.0.0.1:80", "lease": "30s" }""", null, "\"lease\" is unknown")]
    [TestCase("a", """{ "address": "10.0.0.1:80", "address": "10.0.0.2:80" }""", null, "the value is no valid JSON")]
    [TestCase("a", """{ "address": 1 }""", null, "\"address\" is unknown, or not of its kind")]
    [TestCase("a", """{ "address": "\ud800" }""", null, "the value is no valid JSON")]
    [TestCase("a", """{ "address" """, null, "the value is no valid JSON")]
    public void Parse_Value_IsADestinationOrAProblem(string name, string value, string? expected, string? problem)
    {
        DestinationConfig? found = EtcdValue.Parse(name, Encoding.UTF8.GetBytes(value), new DestinationConfig { Address = "", Tier = 2, RequestsMax = 7 }, out string? said);
        Assert.That(found is null ? null : $"{found.Address} {found.Weight} {found.Tier} {found.RequestsMax} {found.Zone}".Trim(), Is.EqualTo(expected));
        Assert.That(said, problem is null ? Is.Null : Does.StartWith(problem));
    }

    private EtcdRange Range(params string[] endpoints) =>
        new(EtcdAccess.Of(new EtcdConfig { Endpoints = endpoints, Prefix = "/s/" }), "/s/", isPrefix: true, new EtcdBounds(3, 10, 64 * 1024), TimeSpan.FromSeconds(60), _time);

    private static string Read(params string[] keys) =>
        $$"""{{{Header}},"kvs":[{{string.Join(',', keys.Select(key => $"{{\"key\":\"{EtcdServer.Base64(key)}\",\"create_revision\":\"2\",\"mod_revision\":\"2\",\"version\":\"1\",\"value\":\"{EtcdServer.Base64("127.0.0.1:80")}\"}}"))}}],"count":"{{keys.Length}}"}""";
}
