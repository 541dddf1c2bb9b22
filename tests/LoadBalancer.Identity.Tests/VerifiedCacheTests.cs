using System.Text;
using LoadBalancer.Identity.Tests.Tokens;
using LoadBalancer.Identity.Tokens;
using static LoadBalancer.Identity.Tests.TestKeys;

namespace LoadBalancer.Identity.Tests;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class VerifiedCacheTests
{
    private static readonly Principal Alice = new PrincipalBuilder("basic", "alice").Build();

    [Test]
    public void TryGet_UntilItsEnd_IsFound()
    {
        var cache = new VerifiedCache(16);
        cache.Add("abc"u8, Alice, 100, cache.Generation);
        Assert.Multiple(() =>
        {
            Assert.That(cache.TryGet("abc"u8, 99, out Principal? found), Is.True);
            Assert.That(found, Is.SameAs(Alice));
            Assert.That(cache.TryGet("abc"u8, 100, out _), Is.False);
            Assert.That(cache.TryGet("abd"u8, 99, out _), Is.False);
            Assert.That(cache.TryGet("abc\0"u8, 99, out _), Is.False);
            Assert.That(cache.TryGet("ab"u8, 99, out _), Is.False);
            Assert.That(cache.TryGet(""u8, 99, out _), Is.False);
        });
    }

    [Test]
    public void Add_VerifiedBeforeClear_IsNotFound()
    {
        var cache = new VerifiedCache(16);
        int generation = cache.Generation;
        cache.Clear();
        cache.Add("abc"u8, Alice, 100, generation);
        Assert.That(cache.TryGet("abc"u8, 0, out _), Is.False);
        cache.Add("abc"u8, Alice, 100, cache.Generation);
        Assert.That(cache.TryGet("abc"u8, 0, out _), Is.True);
        cache.Clear();
        Assert.That(cache.TryGet("abc"u8, 0, out _), Is.False);
    }

    [Test]
    public void Add_ManyMoreThanItHolds_KeepsToItsSize()
    {
        var cache = new VerifiedCache(1024);
        for (int i = 0; i < 100_000; i++) cache.Add(BitConverter.GetBytes(i), Alice, 1000 + i, cache.Generation);
        int found = Enumerable.Range(0, 100_000).Count(i => cache.TryGet(BitConverter.GetBytes(i), 0, out _));
        Assert.That(found, Is.InRange(900, 1024));
        // What lasts longest has stayed.
        Assert.That(Enumerable.Range(99_500, 500).Count(i => cache.TryGet(BitConverter.GetBytes(i), 0, out _)), Is.GreaterThan(400));
    }

    [Test]
    public void TryGet_AfterAdd_AllocatesNothing()
    {
        using var verifier = new TokenVerifier([TokenFixture.Options(Jwk("k", Rsa))], new VerifiedCache(16), null, TimeProvider.System);
        byte[] token = Encoding.ASCII.GetBytes(Token("RS256", TokenFixture.Good.Replace("1800000600", "4800000600").Replace("1800000000", "1600000000")));
        for (int i = 0; i < 100; i++) Assert.That(verifier.Verify(token).IsVerified, Is.True);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) _ = verifier.Verify(token);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
