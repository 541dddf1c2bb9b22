using System.Net;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Discovery.Dns;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Our DNS client before a name server that does what it likes.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class ResolverTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task BothKindsOfAddressesAndTheLowestTtl()
    {
        NameAnswer answer = await AskAsync(q => [q.Type == 1
            ? q.Reply(DnsQuery.Record(1, 30, [10, 0, 0, 1]), DnsQuery.Record(1, 20, [10, 0, 0, 2]))
            : q.Reply(DnsQuery.Record(28, 25, IPAddress.Parse("fd00::1").GetAddressBytes()))]);
        Assert.That(answer.Addresses.Select(a => a.ToString()), Is.EqualTo(new[] { "10.0.0.1", "10.0.0.2", "fd00::1" }));
        Assert.That((answer.ValidFor.TotalSeconds, answer.Problem), Is.EqualTo((20.0, (string?)null)));
    }

    [TestCase(0u, 1)]
    [TestCase(1u, 1)]
    [TestCase(60u, 60)]
    [TestCase(61u, 60)]
    [TestCase(2147483647u, 60)]
    [TestCase(uint.MaxValue, 1, Description = "RFC 2181 §8: the top bit set is zero")]
    public async Task TheTtlIsHonouredWithinBounds(uint ttl, int seconds) =>
        Assert.That((await AskAsync(q => [q.Addresses(ttl, "10.0.0.1")])).ValidFor.TotalSeconds, Is.EqualTo(seconds));

    [Test]
    public async Task WhatAnswersSomethingElseIsPassedOver()
    {
        NameAnswer answer = await AskAsync(q =>
        {
            byte[] right = q.Addresses(5, "10.0.0.1"), otherId = q.Addresses(5, "10.0.0.66"), otherQuestion = q.Addresses(5, "10.0.0.66"), noAnswer = [.. q.Bytes];
            otherId[0] ^= 1;
            otherQuestion[13] ^= 1;
            return [otherId, otherQuestion, noAnswer, [], [1, 2, 3], right];
        });
        Assert.That(answer.Addresses, Is.EqualTo(new[] { IPAddress.Parse("10.0.0.1") }));
    }

    [Test]
    public async Task ATruncatedAnswerIsAskedForByTcp()
    {
        string[] many = [.. Enumerable.Range(1, 250).Select(i => $"10.0.1.{i}")];
        NameAnswer answer = await AskAsync(q => [q.IsTcp ? q.Addresses(5, many) : q.Truncated()]);
        Assert.That(answer.Addresses.Select(a => a.ToString()), Is.EqualTo(many));
    }

    [Test]
    public async Task AnAnswerTruncatedByTcpTooIsAFailure() =>
        Assert.That((await AskAsync(q => [q.Truncated()])).Problem, Does.Contain("cut even by TCP"));

    [Test]
    public async Task AliasesAreFollowedAndTheirTtlCounts()
    {
        NameAnswer answer = await AskAsync(q => [q.Type != 1 ? q.Reply() : q.Reply(
            DnsQuery.Record(1, 50, [10, 0, 0, 1], "c.internal"), DnsQuery.Record(5, 40, DnsQuery.NameBytes("C.internal"), "b.internal"),
            DnsQuery.Record(5, 9, DnsQuery.NameBytes("b.internal")), DnsQuery.Record(1, 1, [10, 0, 0, 66], "stranger.internal"))]);
        Assert.That(answer.Addresses, Is.EqualTo(new[] { IPAddress.Parse("10.0.0.1") }));
        Assert.That(answer.ValidFor.TotalSeconds, Is.EqualTo(9));
    }

    [Test]
    public async Task AnAliasOfItselfIsAFailure() =>
        Assert.That((await AskAsync(q => [q.Reply(DnsQuery.Record(5, 9, DnsQuery.NameBytes("api.internal")))])).Problem, Is.EqualTo("is an alias without end"));

    [TestCase(DnsQuery.NxDomain, "does not exist (NXDOMAIN)")]
    [TestCase(DnsQuery.ServFail, "is not answered: SERVFAIL")]
    [TestCase(DnsQuery.NoError, "has no address")]
    public async Task AnAnswerWithoutAddressesSaysWhy(byte code, string problem)
    {
        NameAnswer answer = await AskAsync(q => [q.Failed(code)]);
        Assert.That((answer.Addresses.Count, answer.Problem), Is.EqualTo((0, problem)));
    }

    [Test]
    public async Task WhatIsNoAddressOfAMachineIsLeftOut() =>
        Assert.That((await AskAsync(q => [q.Addresses(5, "0.0.0.0", "255.255.255.255", "224.0.0.1", "10.0.0.1")])).Addresses, Is.EqualTo(new[] { IPAddress.Parse("10.0.0.1") }));

    [Test]
    public async Task ASilentServerIsWaitedForTwice()
    {
        var time = new FakeTimeProvider();
        await using var origin = new DnsOrigin(_ => []);
        Task<NameAnswer> asking = new DnsResolver(origin.EndPoint, time).ResolveAsync("api.internal", Token);
        for (int round = 0; round < 2; round++)
        {
            // One for each kind, whose timers were set before they were sent.
            await origin.NextAsync(Token);
            await origin.NextAsync(Token);
            time.Advance(DnsClient.Patience);
        }
        Assert.That((await asking).Problem, Does.Contain("was silent for 2 s"));
    }

    [Test]
    public async Task NobodyThereIsAFailure()
    {
        var origin = new DnsOrigin(_ => []);
        IPEndPoint gone = origin.EndPoint;
        await origin.DisposeAsync();
        Assert.That((await new DnsResolver(gone).ResolveAsync("api.internal", Token)).Problem, Does.StartWith("is not answered: "));
    }

    private static async Task<NameAnswer> AskAsync(Func<DnsQuery, IEnumerable<byte[]>> answer)
    {
        await using var origin = new DnsOrigin(answer);
        return await new DnsResolver(origin.EndPoint, new FakeTimeProvider()).ResolveAsync("api.internal", Token);
    }
}
