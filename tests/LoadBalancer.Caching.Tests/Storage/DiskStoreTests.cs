using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;
using static LoadBalancer.Caching.Tests.Storage.DiskFixture;
using static LoadBalancer.Caching.Tests.Storage.StoreFixture;

namespace LoadBalancer.Caching.Tests.Storage;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DiskStoreTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-disk-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase(0), TestCase(1), TestCase(64 * 1024), TestCase(64 * 1024 + 1), TestCase(3_000_000)]
    public async Task WhatWasWrittenIsReadAlsoByTheNextProcess(int length)
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            Assert.That(await store.PutAsync("/a", length, version: 7, tags: ["x", "ü"]), Is.EqualTo(PutResult.Stored));
            Assert.That(await store.PutAsync("/b", length, version: 8, isLengthKnown: false), Is.EqualTo(PutResult.Stored));
            Assert.That((await store.ReadAsync("/a"), await store.ReadAsync("/b", blocks: 4), await store.ReadAsync("/c")), Is.EqualTo((7, 8, (int?)null)));
        }
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder));
        Assert.That((await next.ReadAsync("/a"), await next.ReadAsync("/b", blocks: 4)), Is.EqualTo((7, 8)));
        Assert.That(next.GetStatistics().Bytes, Is.EqualTo(Files(_folder).Sum(file => (new FileInfo(file).Length + 4095) / 4096 * 4096)));
        Assert.That((next.PurgeTag("ü"), next.Find("/a"), next.OpenReaders), Is.EqualTo((1, (StoredObject<TestHead>?)null, 0)));
    }

    [Test]
    public async Task RangesAreReadFromTheirBlocks()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        await store.PutAsync("/a", 300_000);
        using DiskReader reader = (await store.OpenAsync(store.Find("/a")!))!;
        byte[] buffer = new byte[2 * DiskReader.BlockBytes], content = Describe(IdOf("/a", 0), 300_000);
        foreach (int offset in new[] { 0, 1, 65_535, 65_536, 131_000, 299_999 })
        {
            ReadOnlyMemory<byte> piece = (await reader.ReadAsync(offset, buffer))!.Value;
            Assert.That(piece.Span.SequenceEqual(content.AsSpan(offset, piece.Length)), Is.True);
            Assert.That(piece.Length, Is.EqualTo(Math.Min(300_000, (offset / 65_536 + 2) * 65_536) - offset));
        }
        Assert.That((await reader.ReadAsync(300_000, buffer))!.Value.IsEmpty, Is.True);
    }

    [Test]
    public async Task NewestOfAVariantIsFoundAndTheOldFileGoes()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            for (int version = 1; version <= 3; version++) await store.PutAsync("/a", 1000, version);
            await store.PutAsync("/a", 1000, version: 9, variant: "gzip");
            await store.DeletedAsync();
            Assert.That(Files(_folder), Has.Length.EqualTo(2));
        }
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder));
        Assert.That((await next.ReadAsync("/a"), await next.ReadAsync("/a", "gzip")), Is.EqualTo((3, 9)));
    }

    [Test]
    public async Task OldFileThatWasLeftBesideItsSuccessorIsFoundAfterIt()
    {
        string kept = Path.Combine(_folder, "kept");
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            await store.PutAsync("/a", 1000, version: 1);
            string old = Files(_folder)[0];
            File.Copy(old, kept);
            await store.PutAsync("/a", 1000, version: 2);
            await store.DeletedAsync();
            File.Move(kept, old);
        }
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder));
        Assert.That((await next.ReadAsync("/a"), next.GetStatistics().Objects), Is.EqualTo((2, 2)));
    }

    // Each region of the file: header, key, head, body, table; cut short, or one bit turned.
    [Test]
    public async Task TornOrAlteredFileIsNeverServed()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder))) await store.PutAsync("/a", 200_000, version: 5, tags: ["x"]);
        string file = Files(_folder)[0];
        byte[] whole = await File.ReadAllBytesAsync(file);
        var random = new Random(1);
        int[] places = [.. Enumerable.Range(0, 90), whole.Length - 1, whole.Length - 16, .. Enumerable.Range(0, 40).Select(_ => random.Next(whole.Length))];
        foreach (int place in places)
        {
            foreach (bool isCut in new[] { false, true })
            {
                byte[] bad = [.. isCut ? whole.AsSpan(0, place) : whole];
                if (!isCut) bad[place] ^= (byte)(1 << random.Next(8));
                await File.WriteAllBytesAsync(file, bad);
                var faults = new List<string>();
                using DiskStore<TestHead> store = await OpenAsync(Options(_folder, onFault: faults.Add));
                Assert.That(await store.ReadAsync("/a"), Is.Null, $"at {place}, cut: {isCut}");
                Assert.That(store.GetStatistics().Objects, Is.Zero);
                await store.DeletedAsync();
                Assert.That(Files(_folder), Is.Empty, "it is removed");
            }
        }
        await File.WriteAllBytesAsync(file, whole);
        using DiskStore<TestHead> last = await OpenAsync(Options(_folder));
        Assert.That(await last.ReadAsync("/a"), Is.EqualTo(5));
    }

    [Test]
    public async Task FileThatChangesWhileItIsIndexedOrReadIsCutOffAtTheBlock()
    {
        var faults = new List<string>();
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder, onFault: faults.Add));
        await store.PutAsync("/a", 200_000);
        using DiskReader reader = (await store.OpenAsync(store.Find("/a")!))!;
        await using (var stream = new FileStream(Files(_folder)[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.Position = 150_000;
            stream.WriteByte(0xFF);
        }
        byte[] buffer = new byte[DiskReader.BlockBytes];
        Assert.That((await reader.ReadAsync(0, buffer))!.Value.Length, Is.EqualTo(65_536));
        Assert.That(await reader.ReadAsync(140_000, buffer), Is.Null);
        Assert.That((store.Find("/a"), faults.Count, store.Faults), Is.EqualTo(((StoredObject<TestHead>?)null, 1, 1)));
    }

    [Test]
    public async Task WhatIsReadStaysReadableAfterItsEviction()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        await store.PutAsync("/a", 200_000);
        StoredObject<TestHead> found = store.Find("/a")!;
        using DiskReader reader = (await store.OpenAsync(found))!;
        store.PurgePrefix([]);
        await store.DeletedAsync();
        Assert.That(Files(_folder), Is.Empty);
        byte[] buffer = new byte[256 * 1024];
        Assert.That((await reader.ReadAsync(0, buffer))!.Value.Length, Is.EqualTo(200_000));
        Assert.That(await store.OpenAsync(found), Is.Null, "not opened in time: a miss");
        Assert.That(store.Faults, Is.Zero);
    }

    [Test]
    public async Task BytesAndObjectsStayWithinTheirBounds()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder, bytesMax: 4 * 1024 * 1024, objectsMax: 50)))
        {
            for (int i = 0; i < 100; i++) await store.PutAsync($"/small/{i}", 10);
            Assert.That(store.GetStatistics().Objects, Is.EqualTo(50));
            for (int i = 0; i < 100; i++) await store.PutAsync($"/large/{i}", 400_000);
            Assert.That(store.GetStatistics().Bytes, Is.LessThanOrEqualTo(4 * 1024 * 1024));
            await store.DeletedAsync();
            Assert.That(Files(_folder), Has.Length.EqualTo(store.GetStatistics().Objects));
            Assert.That(await store.PutAsync("/a", 600_000), Is.EqualTo(PutResult.TooLarge));
            Assert.That(await store.PutAsync("/a", 600_000, isLengthKnown: false), Is.EqualTo(PutResult.Unavailable));
        }
        using DiskStore<TestHead> smaller = await OpenAsync(Options(_folder, bytesMax: 4 * 1024 * 1024, objectsMax: 3));
        await smaller.DeletedAsync();
        Assert.That((smaller.GetStatistics().Objects, Files(_folder).Length), Is.EqualTo((3, 3)));
    }

    [Test]
    public async Task PurgedIsGoneForTheNextProcessToo()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            foreach (string key in new[] { "/a/1", "/a/2", "/b", "/c" }) await store.PutAsync(key, 1000, tags: [key[1..2]]);
            Assert.That((store.Purge(Hash("/b"), Key("/b")), store.PurgePrefix("/a/"u8), store.PurgeTag("none")), Is.EqualTo((1, 2, 0)));
            await store.DeletedAsync();
        }
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder));
        Assert.That((await next.ReadAsync("/c"), next.GetStatistics().Objects), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task PurgeBeforeTheIndexIsReadCounts()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            await store.PutAsync("/a", 1000, tags: ["x"]);
            await store.PutAsync("/b", 1000);
        }
        using var next = new DiskStore<TestHead>(Options(_folder), new TestHeadFormat());
        Assert.That(await next.PutAsync("/a", 1000), Is.EqualTo(PutResult.Unavailable), "numbers that are in use are not known yet");
        Assert.That(next.PurgeTag("x"), Is.Zero);
        await next.LoadAsync(0);
        await next.DeletedAsync();
        Assert.That((await next.ReadAsync("/a"), await next.ReadAsync("/b"), Files(_folder).Length), Is.EqualTo(((int?)null, 0, 1)));
    }

    [Test]
    public async Task AnswerThatWasAskedForBeforeAPurgeLeavesNoFile()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        long position = store.PurgePosition;
        DiskWriter<TestHead> writer = store.TryBegin(Key("/a"), new(""), [], long.MaxValue, -1, out _)!;
        writer.TryAppend(new byte[1000]);
        store.Purge(Hash("/a"), Key("/a"));
        Assert.That(await writer.CompleteAsync(), Is.True);
        Assert.That(store.Publish(writer, new ByVariant(""), 0, position), Is.EqualTo(PutResult.Purged));
        Assert.That(() => store.Publish(writer, new ByVariant(""), 0, position), Throws.InvalidOperationException);
        await store.DeletedAsync();
        Assert.That(Files(_folder), Is.Empty);
    }

    [Test]
    public async Task WhatIsOfNoUseIsNotReadBack()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            await store.PutAsync("/a", 1000, keepUntil: 100);
            await store.PutAsync("/b", 1000, keepUntil: 101);
        }
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder), now: 100);
        Assert.That((await next.ReadAsync("/a"), await next.ReadAsync("/b")), Is.EqualTo(((int?)null, 0)));
    }

    [Test]
    public async Task ReplaceGivesAnotherHeadAndKeepsTheFile()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        await store.PutAsync("/a", 1000);
        StoredObject<TestHead> old = store.Find("/a")!;
        Assert.That(store.Replace(old, new("gzip"), long.MaxValue, 0, store.PurgePosition), Is.EqualTo(PutResult.Stored));
        Assert.That(store.Replace(old, new("br"), long.MaxValue, 0, store.PurgePosition), Is.EqualTo(PutResult.Gone));
        await store.DeletedAsync();
        Assert.That((await store.ReadAsync("/a", "gzip"), Files(_folder).Length), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task ShorterThanSaidOrGivenUpLeavesNothing()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        DiskWriter<TestHead> shorter = store.TryBegin(Key("/a"), new(""), [], 0, 200_000, out _)!, abandoned = store.TryBegin(Key("/b"), new(""), [], 0, -1, out _)!;
        Assert.That(shorter.TryAppend(new byte[199_999]) && abandoned.TryAppend(new byte[200_000]), Is.True);
        Assert.That(await shorter.CompleteAsync(), Is.False);
        abandoned.Abandon();
        Assert.That((abandoned.TryAppend(new byte[1]), await abandoned.CompleteAsync()), Is.EqualTo((false, false)));
        DiskWriter<TestHead> late = store.TryBegin(Key("/c"), new(""), [], 0, -1, out _)!;
        Assert.That(await late.CompleteAsync(), Is.True);
        late.Abandon();
        await store.DeletedAsync();
        Assert.That(Files(_folder).Concat(Unfinished(_folder)), Is.Empty);
    }

    [Test]
    public async Task WritersAndReadersAreBounded()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder));
        await store.PutAsync("/a", 1000);
        StoredObject<TestHead> found = store.Find("/a")!;
        var readers = new List<DiskReader?>();
        for (int i = 0; i < 5; i++) readers.Add(await store.OpenAsync(found));
        Assert.That((readers.Count(reader => reader is not null), readers[^1]), Is.EqualTo((4, (DiskReader?)null)));
        readers[0]!.Dispose();
        readers[0]!.Dispose();
        using DiskReader? again = await store.OpenAsync(found);
        Assert.That((again is null, store.OpenReaders), Is.EqualTo((false, 4)));
        foreach (DiskReader? reader in readers) reader?.Dispose();

        DiskWriter<TestHead>[] writers = [.. Enumerable.Range(0, 4).Select(i => store.TryBegin(Key($"/{i}"), new(""), [], 0, -1, out _)!)];
        Assert.That((store.TryBegin(Key("/5"), new(""), [], 0, -1, out PutResult refusal), refusal), Is.EqualTo(((DiskWriter<TestHead>?)null, PutResult.Unavailable)));
        foreach (DiskWriter<TestHead> writer in writers)
        {
            writer.Abandon();
            await writer.CompleteAsync();
        }
        Assert.That(await store.PutAsync("/6", 10), Is.EqualTo(PutResult.Stored));
    }

    [Test]
    public async Task DiskThatFailsRefusesAndSaysSoOnceUntilItWorksAgain()
    {
        var faults = new List<string>();
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder, onFault: faults.Add));
        Directory.Delete(Path.Combine(_folder, "tmp"));
        for (int i = 0; i < 3; i++) Assert.That(await store.PutAsync("/a", 100_000), Is.EqualTo(PutResult.Unavailable));
        Assert.That((faults.Count, store.Faults), Is.EqualTo((1, 3)));
        Directory.CreateDirectory(Path.Combine(_folder, "tmp"));
        Assert.That(await store.PutAsync("/a", 100_000), Is.EqualTo(PutResult.Stored));
        Directory.Delete(Path.Combine(_folder, "tmp"));
        await store.PutAsync("/b", 100_000);
        Assert.That(faults, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task NamesTellNothingAndOnlyTheOwnerMayLook()
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(Path.Combine(_folder, "made")));
        await store.PutAsync("/../../etc/passwd\0?x=/secret", 10);
        string file = Files(_folder).Single();
        Assert.That(Path.GetRelativePath(_folder, file), Does.Match("^made.[0-9a-f]{2}.[0-9a-f]{32}-[0-9a-f]{16}[.]object$"));
        if (OperatingSystem.IsWindows()) return;
        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(Path.GetDirectoryName(file)!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public async Task FolderIsForOneAndForeignFilesAreLeftAlone()
    {
        using (DiskStore<TestHead> store = await OpenAsync(Options(_folder)))
        {
            await store.PutAsync("/a", 10);
            Assert.That(() => new DiskStore<TestHead>(Options(_folder), new TestHeadFormat()), Throws.InstanceOf<IOException>().With.Message.Contains(_folder));
        }
        string foreign = Path.Combine(_folder, "00", "mine.object"), other = Path.Combine(_folder, "00", "notes.txt"), unfinished = Path.Combine(_folder, "tmp", "0000000000000001.tmp");
        foreach (string path in new[] { foreign, other, unfinished }) await File.WriteAllTextAsync(path, "x");
        using DiskStore<TestHead> next = await OpenAsync(Options(_folder));
        await next.DeletedAsync();
        Assert.That((File.Exists(foreign), File.Exists(other), File.Exists(unfinished), await next.ReadAsync("/a")), Is.EqualTo((true, true, false, 0)));
    }

    [Test, CancelAfter(120_000)]
    public async Task ManyAtOnceServeWholeBodiesAndLeaveNoFileBehind(CancellationToken cancellation)
    {
        using DiskStore<TestHead> store = await OpenAsync(Options(_folder, bytesMax: 8 * 1024 * 1024));
        int served = 0;
        await Parallel.ForAsync(0, 6, cancellation, async (seed, _) =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 400; i++)
            {
                string key = $"/{Math.Min(random.Next(40), random.Next(40))}";
                if (await store.ReadAsync(key, blocks: random.Next(1, 5)) is not null) Interlocked.Increment(ref served);
                if (random.Next(3) == 0) await store.PutAsync(key, random.Next(900_000), random.Next(1000), tags: [key], isLengthKnown: random.Next(2) == 0);
                if (random.Next(100) == 0) store.PurgeTag(key);
            }
        });
        await store.DeletedAsync();
        StoreStatistics statistics = store.GetStatistics();
        Assert.That(served, Is.GreaterThan(100));
        Assert.That(Math.Min(statistics.Evictions, statistics.Purges), Is.Positive);
        Assert.That((Files(_folder).Length, Unfinished(_folder).Length, store.OpenReaders, store.Faults), Is.EqualTo(((int)statistics.Objects, 0, 0, 0L)));
        store.PurgePrefix([]);
        await store.DeletedAsync();
        Assert.That((Files(_folder).Length, store.GetStatistics().Bytes), Is.EqualTo((0, 0L)));
    }

    [Test]
    public void ChecksumIsCrc32C() => // RFC 3720 appendix B.4, and "123456789"
        Assert.That((DiskHeader.Checksum(new byte[32]), DiskHeader.Checksum("123456789"u8)), Is.EqualTo((0x8A9136AAu, 0xE3069283u)));
}
