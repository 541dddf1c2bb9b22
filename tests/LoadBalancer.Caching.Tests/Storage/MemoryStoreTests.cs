using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Memory;
using static LoadBalancer.Caching.Tests.Storage.StoreFixture;

namespace LoadBalancer.Caching.Tests.Storage;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MemoryStoreTests
{
    private readonly MemoryStore<TestHead> _store = new(new() { BytesMax = 1024 * 1024, VariantsMax = 4, TagsMax = 2, TagLengthMax = 8 }, poisons: true);

    [Test]
    public void WhatWasPutIsFoundByKeyAndVariant()
    {
        _store.Put("/a", variant: "gzip", version: 1);
        _store.Put("/a", variant: "br", version: 2);
        _store.Put("/b", version: 3);
        Assert.That((_store.Version("/a", "gzip"), _store.Version("/a", "br"), _store.Version("/b"), _store.Version("/a", "zstd"), _store.Version("/c")), Is.EqualTo((1, 2, 3, (int?)null, (int?)null)));
        StoreStatistics statistics = _store.GetStatistics();
        Assert.That((statistics.Objects, statistics.Hits, statistics.Misses, statistics.Insertions), Is.EqualTo((3, 3, 2, 3)));
    }

    [Test]
    public void KeysOfOneHashAreToldApart()
    {
        var one = new StoredObject<TestHead>(7, Key("/one"), new("", 1), 10, null);
        var two = new StoredObject<TestHead>(7, Key("/two"), new("", 2), 10, null);
        _store.Put(one);
        _store.Put(two);
        Assert.That(_store.TryFind(7, "/one"u8, default(NewestVariant<TestHead>), out StoreLease<TestHead> lease), Is.True);
        Assert.That(lease.Head.Version, Is.EqualTo(1));
        Assert.That(_store.Purge(7, "/one"u8), Is.EqualTo(1));
        Assert.That(_store.TryFind(7, "/two"u8, default(NewestVariant<TestHead>), out _), Is.True);
    }

    [Test]
    public void PutReplacesTheVariantOfThatName()
    {
        _store.Put("/a", version: 1);
        long bytes = _store.GetStatistics().Bytes;
        _store.Put("/a", version: 2);
        Assert.That(_store.Version("/a"), Is.EqualTo(2));
        StoreStatistics statistics = _store.GetStatistics();
        Assert.That((statistics.Objects, statistics.Replacements, statistics.Bytes), Is.EqualTo((1, 1, bytes)));
        Assert.That(_store.Memory.Blocks, Is.EqualTo(1));
    }

    [Test]
    public void OldestVariantMakesRoom()
    {
        for (int i = 0; i < 5; i++) _store.Put("/a", variant: $"{i}", version: i);
        Assert.That((_store.Version("/a", "0"), _store.Version("/a", "1"), _store.GetStatistics().Objects), Is.EqualTo(((int?)null, 1, 4)));
        Assert.That(_store.Peek(Hash("/a"), Key("/a")).ToArray().Select(entry => entry.Head.Variant), Is.EqualTo(new[] { "4", "3", "2", "1" }));
    }

    [Test]
    public void LeaseHoldsWhatWasEvicted()
    {
        _store.Put("/a", length: 5000);
        Assert.That(_store.TryFind(Hash("/a"), Key("/a"), new ByVariant(""), out StoreLease<TestHead> lease), Is.True);
        _store.PurgePrefix([]);
        Assert.That(IsWhole(lease.Body!, 2, 5000), Is.True);
        Assert.That(_store.Memory.Blocks, Is.EqualTo(1));
        lease.Release();
        lease.Release();
        Assert.That((_store.Memory.Blocks, lease.IsHeld), Is.EqualTo((0, false)));
        Assert.That(() => lease.Object, Throws.InvalidOperationException);
    }

    // Between the look at a variant and the reference to its body lies the selector's return: what happens then is put into it.
    private readonly struct Meanwhile(Action[] actions, int[] calls) : IVariantSelector<TestHead>
    {
        public int Select(ReadOnlySpan<StoredObject<TestHead>> variants)
        {
            if (calls[0] < actions.Length) actions[calls[0]++]();
            return 0;
        }
    }

    [Test]
    public void ObjectThatIsEvictedWhileItIsFoundIsAMiss()
    {
        _store.Put("/a", length: 1000);
        var selector = new Meanwhile([() => _store.Purge(Hash("/a"), Key("/a"))], [0]);
        Assert.That(_store.TryFind(Hash("/a"), Key("/a"), selector, out StoreLease<TestHead> lease), Is.False);
        Assert.That((lease.IsHeld, _store.Memory.Blocks), Is.EqualTo((false, 0)));
    }

    [Test]
    public void ObjectThatIsReplacedWhileItIsFoundGivesWayToTheNewOne()
    {
        _store.Put("/a", length: 1000, version: 1);
        var selector = new Meanwhile([() => _store.Put("/a", version: 2)], [0]);
        Assert.That(_store.TryFind(Hash("/a"), Key("/a"), selector, out StoreLease<TestHead> lease), Is.True);
        Assert.That(lease.Head.Version, Is.EqualTo(2));
        lease.Release();
    }

    [Test]
    public void ReplaceKeepsTheBody()
    {
        _store.Put("/a", length: 1000, version: 1, tags: ["t"]);
        _store.TryFind(Hash("/a"), Key("/a"), new ByVariant(""), out StoreLease<TestHead> lease);
        StoredObject<TestHead> old = lease.Object;
        var merged = new StoredObject<TestHead>(old.Hash, old.Key, new("", 2), 200, old.Body, ["u"]);
        Assert.That(_store.Replace(old, merged, 0, _store.PurgePosition), Is.EqualTo(PutResult.Stored));
        lease.Release();
        Assert.That((_store.Version("/a"), _store.Memory.Blocks, _store.GetStatistics().Objects), Is.EqualTo((2, 1, 1)));
        Assert.That((_store.PurgeTag("t"), _store.PurgeTag("u"), _store.Memory.Blocks), Is.EqualTo((0, 1, 0)));
    }

    [Test]
    public void Replace_OldOneIsGone_StoresNothing()
    {
        _store.Put("/a", version: 1);
        _store.TryFind(Hash("/a"), Key("/a"), new ByVariant(""), out StoreLease<TestHead> lease);
        _store.Put("/a", version: 2);
        StoredObject<TestHead> old = lease.Object;
        Assert.That(_store.Replace(old, new(old.Hash, old.Key, new("", 3), 200, old.Body), 0, _store.PurgePosition), Is.EqualTo(PutResult.Gone));
        lease.Release();
        Assert.That((_store.Version("/a"), _store.Memory.Blocks), Is.EqualTo((2, 1)));
    }

    [Test]
    public void PurgeByKeyPrefixAndTag()
    {
        _store.Put("/a/1", tags: ["x"]);
        _store.Put("/a/2", tags: ["x", "y"]);
        _store.Put("/a/2", variant: "gzip", tags: ["y"]);
        _store.Put("/b/1", tags: ["y"]);
        _store.Put("/c/1");
        Assert.That(_store.PurgeTag("x"), Is.EqualTo(2));
        Assert.That((_store.Version("/a/1"), _store.Version("/a/2"), _store.Version("/a/2", "gzip")), Is.EqualTo(((int?)null, (int?)null, 0)));
        Assert.That(_store.PurgePrefix("/a/"u8), Is.EqualTo(1));
        Assert.That(_store.Purge(Hash("/b/1"), Key("/b/1")), Is.EqualTo(1));
        Assert.That(_store.PurgeTag("y"), Is.Zero);
        Assert.That((_store.Version("/c/1"), _store.GetStatistics().Purges), Is.EqualTo((0, 4)));
        Assert.That(_store.PurgePrefix([]), Is.EqualTo(1));
        Assert.That((_store.GetStatistics().Objects, _store.GetStatistics().Bytes, _store.Memory.Bytes), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void SoftPurgeMarks()
    {
        _store.Put("/a", tags: ["x"]);
        Assert.That(_store.PurgeTag("x", soft: true), Is.EqualTo(1));
        Assert.That(_store.TryFind(Hash("/a"), Key("/a"), new ByVariant(""), out StoreLease<TestHead> lease), Is.True);
        Assert.That(lease.Object.IsMarkedStale, Is.True);
        lease.Release();
    }

    [Test]
    public void AnswerThatWasAskedForBeforeAPurgeIsNotStoredAfterIt()
    {
        long before = _store.PurgePosition;
        _store.Purge(Hash("/a"), Key("/a"));
        _store.PurgePrefix("/b/"u8);
        _store.PurgeTag("x");
        Assert.That(_store.Put(Object(_store, "/a"), purgePosition: before), Is.EqualTo(PutResult.Purged));
        Assert.That(_store.Put(Object(_store, "/b/1"), purgePosition: before), Is.EqualTo(PutResult.Purged));
        Assert.That(_store.Put(Object(_store, "/c", tags: ["x"]), purgePosition: before), Is.EqualTo(PutResult.Purged));
        Assert.That(_store.Put(Object(_store, "/d", tags: ["y"]), purgePosition: before), Is.EqualTo(PutResult.Stored));
        Assert.That(_store.Put(Object(_store, "/a")), Is.EqualTo(PutResult.Stored));
        Assert.That(_store.GetStatistics().Refusals, Is.EqualTo(3));
        for (int i = 0; i < PurgeLog.Length; i++) _store.PurgeTag("none");
        Assert.That(_store.Put(Object(_store, "/e"), purgePosition: before), Is.EqualTo(PutResult.Purged), "the log does not reach back so far");
        _store.PurgePrefix([]);
        Assert.That(_store.Memory.Blocks, Is.Zero);
    }

    [Test]
    public void TooLargeAndTooManyTagsAreRefused()
    {
        Assert.That(_store.ObjectBytesMax, Is.EqualTo(128 * 1024));
        Assert.That(_store.Put("/a", length: 128 * 1024), Is.EqualTo(PutResult.TooLarge));
        Assert.That(_store.Put("/a", length: 127 * 1024), Is.EqualTo(PutResult.Stored));
        Assert.That(_store.Put("/b", tags: ["1", "2", "3"]), Is.EqualTo(PutResult.TooManyTags));
        Assert.That(_store.Put("/b", tags: ["123456789"]), Is.EqualTo(PutResult.TooManyTags));
        Assert.That((_store.GetStatistics().Refusals, _store.GetStatistics().Objects), Is.EqualTo((3, 1)));
    }

    [Test]
    public void BytesStayWithinTheBound()
    {
        for (int i = 0; i < 3000; i++)
        {
            _store.Put($"/{i}", length: i * 7 % 4000);
            StoreStatistics statistics = _store.GetStatistics();
            Assert.That(statistics.Bytes, Is.LessThanOrEqualTo(1024 * 1024));
            Assert.That(_store.Memory.Bytes, Is.LessThan(statistics.Bytes));
        }
        Assert.That(_store.GetStatistics().Evictions, Is.GreaterThan(1000));
        Assert.That(_store.GetStatistics().Bytes, Is.GreaterThan(1000 * 1024), "it is used");
    }

    [Test]
    public void WhatIsOfNoUseGoesWhenItsTurnComesHoweverPopular()
    {
        for (int i = 0; i < 100; i++) _store.Put($"/old/{i}", length: 1000, keepUntil: 50);
        for (int i = 0; i < 100; i++) Assert.That(_store.Version($"/old/{i}"), Is.Zero);
        for (int i = 0; i < 2000; i++) _store.Put(Object(_store, $"/new/{i}", length: 1000), now: 50);
        Assert.That(_store.GetStatistics().Expirations, Is.EqualTo(100));
    }

    [Test]
    public void PopularObjectsOutliveAScan()
    {
        for (int i = 0; i < 100; i++) _store.Put($"/hot/{i}", length: 1000);
        for (int i = 0; i < 100; i++) _store.Version($"/hot/{i}");
        for (int i = 0; i < 20_000; i++) _store.Put($"/scan/{i}", length: 1000);
        Assert.That(Enumerable.Range(0, 100).Count(i => _store.Version($"/hot/{i}") is not null), Is.EqualTo(100));
    }

    [Test]
    public void StatisticsOfABodyThatIsStillReadAreItsMemorys()
    {
        StoredBody body = Body(_store.Memory, 1, 1000);
        Assert.That(body.TryAcquire(), Is.True);
        _store.Put(new StoredObject<TestHead>(1, Key("/a"), new(""), 10, body));
        _store.PurgePrefix([]);
        Assert.That((_store.GetStatistics().Bytes, _store.Memory.Blocks), Is.EqualTo((0, 1)));
        body.Release();
    }

    [Test]
    public void ObjectIsStoredOnceAndOnlyComplete()
    {
        StoredObject<TestHead> entry = Object(_store, "/a", length: 0);
        _store.Put(entry);
        Assert.That(() => _store.Put(entry), Throws.InvalidOperationException);
        StoredBody open = StoredBody.Create(_store.Memory, bytesMax: 100);
        Assert.That(() => new StoredObject<TestHead>(1, Key("/a"), new(""), 10, open), Throws.ArgumentException);
        open.Release();
    }

    [Test]
    public void TryFind_Hit_AllocatesNothing()
    {
        _store.Put("/a");
        byte[] key = Key("/a");
        UInt128 hash = Hash("/a");
        for (int i = 0; i < 1000; i++) Find();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Find();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Find()
        {
            _store.TryFind(hash, key, new ByVariant(""), out StoreLease<TestHead> lease);
            _ = lease.Body!.Slice(0).Span.Length;
            lease.Release();
        }
    }

    [TestCase(1024 * 1024 - 1, 0), TestCase(1024 * 1024, 3), TestCase(1024 * 1024, 512)]
    public void OptionsAreChecked(long bytesMax, int shards) =>
        Assert.That(() => new MemoryStore<TestHead>(new() { BytesMax = bytesMax, Shards = shards }), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void MarkersHoldUntilTheirTimeAndAreBounded()
    {
        var markers = new MissMarkers(capacity: 64);
        markers.Mark(Hash("/a"), until: 10);
        Assert.That((markers.IsMarked(Hash("/a"), 9), markers.IsMarked(Hash("/a"), 10), markers.IsMarked(Hash("/b"), 0)), Is.EqualTo((true, false, false)));
        markers.Mark(Hash("/a"), until: 20);
        Assert.That(markers.IsMarked(Hash("/a"), 15), Is.True);
        markers.Unmark(Hash("/a"));
        Assert.That(markers.IsMarked(Hash("/a"), 0), Is.False);
        for (int i = 0; i < 1000; i++) markers.Mark(Hash($"/{i}"), until: 100 + i);
        Assert.That(Enumerable.Range(0, 1000).Count(i => markers.IsMarked(Hash($"/{i}"), 0)), Is.EqualTo(64));
        Assert.That(markers.IsMarked(Hash("/999"), 0), Is.True);
    }

    [Test]
    public void HashDependsOnEveryByteTheLengthAndTheSecret()
    {
        byte[] key = [.. Enumerable.Range(0, 40).Select(i => (byte)i)];
        var seen = new HashSet<UInt128> { Hasher.Hash(key), KeyHasher.Random().Hash(key) };
        for (int i = 0; i < key.Length; i++)
        {
            seen.Add(Hasher.Hash(key.AsSpan(0, i)));
            key[i] ^= 1;
            seen.Add(Hasher.Hash(key));
            key[i] ^= 1;
        }
        Assert.That(seen, Has.Count.EqualTo(2 + 2 * key.Length));
    }

    // The vectors of the reference implementation (github.com/veorq/SipHash) are for SipHash-2-4; for 1-3 with 128 bits these come from OpenSSL 3:
    // openssl mac -macopt hexkey:000102..0f -macopt size:16 -macopt c-rounds:1 -macopt d-rounds:3 -in FILE SIPHASH
    [TestCase(0, "E77EBCB22788A5BEFD62DB6ADD303001"), TestCase(1, "FC6F370460D3EDA85E0573CC2B2FF063"), TestCase(63, "4C5800E34EFE426F079F6B0AA75260AD")]
    public void HashIsSipHash(int length, string expected)
    {
        byte[] secret = [.. Enumerable.Range(0, 16).Select(i => (byte)i)], input = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        UInt128 hash = new KeyHasher(secret).Hash(input);
        byte[] bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)hash);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), (ulong)(hash >> 64));
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(expected));
    }
}
