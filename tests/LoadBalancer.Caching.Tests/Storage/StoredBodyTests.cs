using LoadBalancer.Caching.Storage.Bodies;

namespace LoadBalancer.Caching.Tests.Storage;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class StoredBodyTests
{
    private readonly BodyMemory _memory = new(64 * 1024 * 1024, poisons: true);

    private static byte[] Content(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] ReadAll(StoredBody body, long offset = 0, long lengthMax = long.MaxValue)
    {
        var read = new List<byte>();
        long end = lengthMax > body.Length - offset ? body.Length : offset + lengthMax;
        for (long at = offset; at < end;)
        {
            ReadOnlyMemory<byte> piece = body.Slice(at, end - at);
            Assert.That(piece.Length, Is.Positive);
            read.AddRange(piece.Span);
            at += piece.Length;
        }
        return [.. read];
    }

    [TestCase(0, 1000), TestCase(1, 1), TestCase(100, 7), TestCase(16 * 1024, 16 * 1024), TestCase(100_000, 1460), TestCase(3_000_000, 65_536), TestCase(3_000_000, 3_000_000)]
    public void WhatWasAppendedIsRead(int length, int pieceLength)
    {
        foreach (bool isLengthKnown in new[] { false, true })
        {
            byte[] content = Content(length);
            StoredBody body = StoredBody.Create(_memory, bytesMax: 4_000_000, isLengthKnown ? length : -1);
            foreach (byte[] piece in content.Chunk(pieceLength)) Assert.That(body.TryAppend(piece), Is.True);
            Assert.That(body.TrySeal(), Is.True);
            Assert.That(ReadAll(body), Is.EqualTo(content));
            Assert.That(ReadAll(body, length / 2, 10_000), Is.EqualTo(content.Skip(length / 2).Take(10_000)));
            Assert.That(body.Slice(length).IsEmpty, Is.True);
            body.Release();
            Assert.That((_memory.Bytes, _memory.Blocks), Is.EqualTo((0, 0)));
        }
    }

    [Test]
    public void TrySeal_LengthUnknown_LeavesNothingUnused()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 4_000_000);
        foreach (byte[] piece in Content(100_001).Chunk(1000)) body.TryAppend(piece);
        Assert.That(_memory.Bytes, Is.GreaterThan(110_000));
        body.TrySeal();
        Assert.That(body.Slice(0).Length, Is.EqualTo(100_001), "one block, one write");
        Assert.That(_memory.Bytes, Is.InRange(100_001, 100_040));
        Assert.That(body.SizeBytes, Is.InRange(_memory.Bytes, _memory.Bytes + 300));
        body.Release();
    }

    [Test]
    public void TrySeal_LongBodyOfUnknownLength_CutsTheLastBlock()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 4_000_000);
        byte[] content = Content(1_200_007);
        foreach (byte[] piece in content.Chunk(10_000)) body.TryAppend(piece);
        body.TrySeal();
        Assert.That(_memory.Bytes, Is.InRange(content.Length, content.Length + 32 * _memory.Blocks));
        Assert.That(ReadAll(body), Is.EqualTo(content));
        body.Release();
    }

    [Test]
    public void TryAppend_BeyondItsBoundOrLength_AbandonsIt()
    {
        StoredBody bounded = StoredBody.Create(_memory, bytesMax: 100), longer = StoredBody.Create(_memory, bytesMax: 100, length: 50);
        Assert.That(bounded.TryAppend(new byte[100]) && longer.TryAppend(new byte[50]), Is.True);
        Assert.That(bounded.TryAppend(new byte[1]) || longer.TryAppend(new byte[1]), Is.False);
        Assert.That(bounded.IsAbandoned && longer.IsAbandoned, Is.True);
        Assert.That(bounded.TrySeal() || longer.TrySeal(), Is.False);
        bounded.Release();
        longer.Release();
    }

    [Test]
    public void TrySeal_ShorterThanSaid_AbandonsIt()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 100, length: 50);
        body.TryAppend(new byte[49]);
        Assert.That((body.TrySeal(), body.IsSealed, body.IsAbandoned), Is.EqualTo((false, false, true)));
        body.Release();
    }

    [Test]
    public void PromisedLengthTakesNoMemory()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: long.MaxValue, length: 1L << 40);
        Assert.That(_memory.Bytes, Is.Zero);
        body.TryAppend(new byte[1]);
        Assert.That(_memory.Bytes, Is.LessThan(StoredBody.SegmentBytesMax + 100));
        body.Release();
    }

    [Test]
    public void TryAppend_MemoryAtItsBound_IsRefused()
    {
        var memory = new BodyMemory(20_000);
        StoredBody first = StoredBody.Create(memory, bytesMax: 100_000, length: 12_000), second = StoredBody.Create(memory, bytesMax: 100_000, length: 12_000);
        Assert.That((first.TryAppend(new byte[12_000]), second.TryAppend(new byte[1])), Is.EqualTo((true, false)));
        first.Release();
        second.Release();
        Assert.That((memory.Bytes, memory.Blocks), Is.EqualTo((0, 0)));
    }

    [Test]
    public void MemoryStaysWhileSomebodyHoldsIt()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 100);
        body.TryAppend("hello"u8);
        body.TrySeal();
        Assert.That(body.TryAcquire(), Is.True);
        body.Release();
        Assert.That(body.Slice(0).Span.SequenceEqual("hello"u8), Is.True);
        body.Release();
        Assert.That(body.TryAcquire(), Is.False);
        Assert.That(() => body.Slice(0).Span.Length, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(body.Release, Throws.InvalidOperationException);
    }

    [Test]
    public void MemoryKeptBeyondTheReferenceThrowsAndPinningHoldsOne()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 100);
        body.TryAppend("hello"u8);
        body.TrySeal();
        ReadOnlyMemory<byte> kept = body.Slice(1, 3);
        using (kept.Pin())
        {
            body.Release();
            Assert.That(kept.Span.SequenceEqual("ell"u8), Is.True);
            Assert.That(_memory.Blocks, Is.EqualTo(1));
        }
        Assert.That(_memory.Blocks, Is.Zero);
        Assert.That(() => kept.Span.Length, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => kept.Pin(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void ForgottenBodyIsFreedAndCounted()
    {
        var memory = new BodyMemory(100_000);
        Forget(memory);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That((memory.Bytes, memory.Blocks, memory.LeakedBodies), Is.EqualTo((0, 0, 1)));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(BodyMemory memory) => StoredBody.Create(memory, bytesMax: 100).TryAppend("hello"u8);
    }

    [Test]
    public void FollowersReadAlongAndAreToldOnce()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 1_000_000);
        var watcher = new Watcher();
        body.TryAcquire();
        Assert.That(body.TryWatch(watcher, 0, out _), Is.True);
        body.TryAppend("one"u8);
        Assert.That(watcher.Notices, Is.EqualTo(1));
        Assert.That(body.Slice(0).Span.SequenceEqual("one"u8), Is.True);
        Assert.That(body.TryWatch(watcher, 0, out _), Is.False, "there is more already");
        Assert.That(body.TryWatch(watcher, 3, out _), Is.True);
        Assert.That(body.Unwatch(watcher), Is.True);
        body.TryAppend("two"u8);
        Assert.That(watcher.Notices, Is.EqualTo(1));
        body.TryWatch(watcher, 6, out _);
        body.TrySeal();
        Assert.That(watcher.Notices, Is.EqualTo(2));
        Assert.That(body.TryWatch(watcher, 6, out _), Is.False, "it has ended");
        Assert.That(ReadAll(body), Is.EqualTo("onetwo"u8.ToArray()));
        body.Release();
        body.Release();
    }

    [Test]
    public void AbandonTellsFollowers()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 1_000_000);
        var watcher = new Watcher();
        body.TryWatch(watcher, 0, out _);
        body.Abandon();
        Assert.That((watcher.Notices, body.IsAbandoned), Is.EqualTo((1, true)));
        body.Release();
    }

    [Test]
    public void OnlySoManyMayWait()
    {
        StoredBody body = StoredBody.Create(_memory, bytesMax: 1_000_000);
        for (int i = 0; i < StoredBody.WatchersMax; i++) Assert.That(body.TryWatch(new Watcher(), 0, out _), Is.True);
        Assert.That((body.TryWatch(new Watcher(), 0, out bool isFull), isFull), Is.EqualTo((false, true)));
        body.Release();
    }

    [Test, CancelAfter(60_000)]
    public async Task FollowersOnOtherThreadsSeeEveryByte(CancellationToken cancellation)
    {
        byte[] content = Content(2_000_000, seed: 5);
        for (int round = 0; round < 10; round++)
        {
            StoredBody body = StoredBody.Create(_memory, bytesMax: 4_000_000, round % 2 == 0 ? content.Length : -1);
            Task[] followers = [.. Enumerable.Range(0, 3).Select(_ =>
            {
                Assert.That(body.TryAcquire(), Is.True);
                return Task.Run(() => FollowAsync(body, content, cancellation), cancellation);
            })];
            var random = new Random(round);
            for (int at = 0; at < content.Length;)
            {
                int piece = Math.Min(random.Next(1, 20_000), content.Length - at);
                Assert.That(body.TryAppend(content.AsSpan(at, piece)), Is.True);
                at += piece;
            }
            Assert.That(body.TrySeal(), Is.True);
            body.Release();
            await Task.WhenAll(followers);
            Assert.That(_memory.Blocks, Is.Zero);
        }
    }

    private static async Task FollowAsync(StoredBody body, byte[] content, CancellationToken cancellation)
    {
        long at = 0;
        while (true)
        {
            bool isSealed = body.IsSealed; // before the look at what is there
            ReadOnlyMemory<byte> piece = body.Slice(at);
            if (!piece.IsEmpty)
            {
                if (!piece.Span.SequenceEqual(content.AsSpan((int)at, piece.Length))) throw new InvalidOperationException($"wrong bytes at {at}");
                at += piece.Length;
                continue;
            }
            if (isSealed) break;
            var watcher = new Watcher();
            if (body.TryWatch(watcher, at, out _)) await watcher.Noticed.Task.WaitAsync(cancellation);
        }
        body.Release();
        if (at != content.Length) throw new InvalidOperationException("ended early");
    }

    private sealed class Watcher : IBodyWatcher
    {
        internal int Notices;

        internal TaskCompletionSource Noticed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnBodyChanged(StoredBody body)
        {
            Interlocked.Increment(ref Notices);
            Noticed.TrySetResult();
        }
    }
}
