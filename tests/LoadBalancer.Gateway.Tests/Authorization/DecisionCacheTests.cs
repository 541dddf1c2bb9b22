using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization.Lookups;

namespace LoadBalancer.Gateway.Tests.Authorization;

/// <summary>What is kept of decisions, and how much; and the keys they are found by.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class DecisionCacheTests
{
    private static readonly Decision Yes = new(), No = new() { Refusal = PolicyAnswer.Refuse(403, EndReason.Forbidden) };

    private static byte[] Key(int number) => BitConverter.GetBytes(number);

    [Test]
    public void ADecisionIsFoundUntilItEnds()
    {
        var cache = new DecisionCache(1 << 20);
        cache.Put(5, Key(1), Yes, now: 0, expiresAt: 10, staleUntil: 20);
        Assert.That((cache.Find(5, Key(1), 9), cache.Find(5, Key(1), 10), cache.Find(5, Key(1), 19, isStaleToo: true), cache.Find(5, Key(1), 20, isStaleToo: true)), Is.EqualTo((Yes, (Decision?)null, Yes, (Decision?)null)));
        cache.Remove(5, Key(1));
        Assert.That((cache.Find(5, Key(1), 0), cache.Bytes), Is.EqualTo(((Decision?)null, 0L)));
    }

    [Test]
    public void AnotherKeyOfTheSameHashIsAnother()
    {
        var cache = new DecisionCache(1 << 20);
        cache.Put(5, Key(1), Yes, 0, 10, 10);
        cache.Put(5, Key(2), No, 0, 10, 10);
        Assert.That((cache.Find(5, Key(1), 0), cache.Find(5, Key(2), 0), cache.Find(5, Key(3), 0)), Is.EqualTo((Yes, No, (Decision?)null)));
    }

    [Test]
    public void RefusalsGoFirst_ThenWhatEndsSoonest()
    {
        var cache = new DecisionCache(1 << 20);
        cache.Put(5, Key(1), Yes, 0, 50, 50);
        cache.Put(5, Key(2), No, 0, 90, 90);
        cache.Put(5, Key(3), Yes, 0, 40, 40);
        cache.Put(5, Key(4), Yes, 0, 60, 60);
        cache.Put(5, Key(5), Yes, 0, 70, 70);
        Assert.That(Enumerable.Range(1, 5).Where(key => cache.Find(5, Key(key), 0) is not null), Is.EqualTo(new[] { 1, 3, 4, 5 }));
        cache.Put(5, Key(6), Yes, 0, 80, 80);
        Assert.That(Enumerable.Range(1, 6).Where(key => cache.Find(5, Key(key), 0) is not null), Is.EqualTo(new[] { 1, 4, 5, 6 }));
    }

    [Test]
    public void ItsMemoryIsBounded()
    {
        var cache = new DecisionCache(64 * 1024);
        var random = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] key = new byte[random.Next(4, 3000)];
            random.NextBytes(key);
            cache.Put((ulong)random.NextInt64(), key, random.Next(2) == 0 ? Yes : No, 0, 10 + i, 10 + i);
            Assert.That(cache.Bytes, Is.InRange(1, 64 * 1024));
        }
        cache.Put(7, new byte[60 * 1024], Yes, 0, 99, 99);
        Assert.That(cache.Find(7, new byte[60 * 1024], 0), Is.Null, "one does not take the place of all");
    }

    [Test]
    public void DifferentPartsMakeDifferentKeys()
    {
        string[][] lists = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], [new string('x', 5000)], [new string('x', 2500), new string('x', 2500)]];
        var keys = lists.Select(list =>
        {
            var key = new DecisionKey();
            foreach (string part in list) key.Add(part);
            key.End(default);
            return Convert.ToHexString(key.Bytes);
        });
        Assert.That(keys, Is.Unique.And.All.Length.LessThan(9000));
    }

    [Test]
    public void AKnownDecisionAllocatesNothing()
    {
        var cache = new DecisionCache(1 << 20);
        var key = new DecisionKey();
        Fill(key);
        cache.Put(key.End(cache.Secret), key.Bytes.ToArray(), Yes, 0, 10, 10);
        Assert.That(Ask(cache, key), Is.SameAs(Yes));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Ask(cache, key);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        static void Fill(DecisionKey key)
        {
            key.Clear();
            key.Add("GET");
            key.AddLowerCase("Example.COM"u8);
            key.Add("Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"u8);
        }

        static Decision? Ask(DecisionCache cache, DecisionKey key)
        {
            Fill(key);
            return cache.Find(key.End(cache.Secret), key.Bytes, 1);
        }
    }

    [TestCase("perm:{claim:sub}:{method}:{path}", null)]
    [TestCase("{claim:sub}", null)]
    [TestCase("fixed", null)]
    [TestCase("a{route}|{host}|{ip}b", null)]
    [TestCase("", "is empty")]
    [TestCase("a\nb", "has a control character")]
    [TestCase("a:{sub}", "has \"{sub}\"; expected one of \"{claim:NAME}\", \"{method}\", \"{path}\", \"{host}\", \"{route}\", \"{ip}\"")]
    [TestCase("a:{claim:}", "has \"{claim:}\"; expected one of \"{claim:NAME}\", \"{method}\", \"{path}\", \"{host}\", \"{route}\", \"{ip}\"")]
    [TestCase("a:{path", "has \"{path\"; expected one of \"{claim:NAME}\", \"{method}\", \"{path}\", \"{host}\", \"{route}\", \"{ip}\"")]
    [TestCase("{claim:sub}{path}", "has nothing between {claim:sub} and {path} that they cannot have themselves; put \":\" there")]
    [TestCase("{claim:sub}/x/{path}", "has nothing between {claim:sub} and {path} that they cannot have themselves (\"/x/\" they can); put \":\" there")]
    public void TemplatesOfKeysCannotBeReadInTwoWays(string template, string? problem)
    {
        KeyTemplate? parsed = KeyTemplate.Parse(template, out string? said);
        Assert.That((parsed is null, said), Is.EqualTo((problem is not null, problem)));
    }
}
