using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// One answer of a destination on its way into a store: what is kept of it, and the flight that others wait in. Owned by whoever fetches, a client's exchange or a
/// <see cref="CacheRefresh"/>, and used again. One thread.
/// </summary>
internal sealed class CacheFetch
{
    private byte[] _key = [];
    private int _keyLength;
    private StoredHead? _head;
    private long _requestTime, _headTime, _purgePosition, _diskPurgePosition;

    internal RouteCache Route = null!;

    internal UInt128 Hash;

    /// <summary>What is stored for the request: sent as it is, revalidated, or kept for when the destination fails.</summary>
    internal StoreLease<StoredHead> Stored;

    /// <summary>The same where it lies on disk.</summary>
    internal StoredObject<StoredHead>? OnDisk;

    /// <summary>Its body, opened before anything was decided, so that it is there whatever comes; null where it is not to be sent.</summary>
    internal DiskReader? Reader;

    /// <summary>What is stored, wherever it lies; null for nothing.</summary>
    internal StoredObject<StoredHead>? Found => Stored.IsHeld ? Stored.Object : OnDisk;

    /// <summary>Led by this fetch; null where it leads none.</summary>
    internal CacheFlight? Flight;

    /// <summary>Whether validators of <see cref="Stored"/> were sent.</summary>
    internal bool IsRevalidating;

    /// <summary>What is kept beside it; null where nothing is.</summary>
    internal StoredHead? Head => _head;

    /// <summary>The body as it arrives; null where it is not kept.</summary>
    internal BodyCapture? Body { get; private set; }

    /// <summary>Why the answer is not stored; <see cref="StoreVerdict.Storable"/> while it may be.</summary>
    internal StoreVerdict Verdict { get; private set; }

    internal ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    internal ResponseStore Store => Route.Store;

    /// <summary>Room for a key; <see cref="SetKey(int)"/> follows.</summary>
    internal Span<byte> KeyRoom(int length)
    {
        if (_key.Length < length) _key = new byte[Math.Max(length, 256)];
        return _key;
    }

    internal void SetKey(int length)
    {
        _keyLength = length;
        Hash = Store.Hasher.Hash(Key);
    }

    internal void SetKey(CacheFetch other)
    {
        other.Key.CopyTo(KeyRoom(other._keyLength));
        _keyLength = other._keyLength;
        Hash = other.Hash;
    }

    /// <summary>Looks for what is stored for a request with the key, and holds it.</summary>
    internal bool TryFind(RequestHead request, ReadOnlySpan<byte> requestBytes) => Store.Memory.TryFind(Hash, Key, new SelectedBy(request, requestBytes), out Stored);

    /// <summary>The same on disk.</summary>
    internal bool TryFindOnDisk(RequestHead request, ReadOnlySpan<byte> requestBytes) =>
        Store.Disk is { } disk && disk.TryFind(Hash, Key, new SelectedBy(request, requestBytes), out OnDisk);

    /// <summary>The request is about to be sent to a destination.</summary>
    internal void Begin(long now)
    {
        _requestTime = now;
        _purgePosition = Store.Memory.PurgePosition;
        _diskPurgePosition = Store.Disk?.PurgePosition ?? 0;
    }

    /// <summary>A final head is there: from here on <see cref="Body"/> is to be filled, where there is one.</summary>
    internal void OnHead(RequestHead request, ReadOnlySpan<byte> requestBytes, in RequestFacts requestFacts, ResponseHead response, ReadOnlySpan<byte> bytes, long now)
    {
        if (Route.RequestIds is { IsReturned: true } ids) ids.Mark(response, bytes); // whoever gets the answer gets its own
        ResponseFacts facts = ResponseFacts.Of(response, bytes, Route.Policy);
        Verdict = Storability.Decide(requestFacts, facts, Route.Policy);
        if (Verdict == StoreVerdict.Storable && response.Framing == MessageFraming.ContentLength && response.ContentLength > Store.BodyBytesMax) Verdict = StoreVerdict.BodyTooLarge;
        if (Verdict == StoreVerdict.Storable)
            Verdict = StoredHeadBuilder.Build(request, requestBytes, response, bytes, facts, Route.Policy, _requestTime, now, Route.OwnFields, out _head);
        if (Verdict != StoreVerdict.Storable)
        {
            GiveUp(Verdict, now);
            return;
        }
        long length = response.Framing == MessageFraming.None ? 0 : response.Framing == MessageFraming.ContentLength ? response.ContentLength : -1;
        _headTime = now;
        Body = new BodyCapture(this, Key.ToArray(), _head!, length);
    }

    /// <summary>A 304 to our validators: what is stored is good again. Its head is renewed, in the store too, and is what is sent.</summary>
    internal StoredHead Revalidated(RequestHead request, ReadOnlySpan<byte> requestBytes, in RequestFacts requestFacts, ResponseHead response, ReadOnlySpan<byte> bytes, long now)
    {
        StoredObject<StoredHead> old = Found!;
        StoredHead head = old.Head;
        if (Route.RequestIds is { IsReturned: true } ids) ids.Mark(response, bytes);
        // Of something else than was asked for: the origin contradicts itself, and the next request asks for the whole.
        if (Revalidation.IsAbout(head, response, bytes, wasAlone: true))
        {
            Verdict = Revalidation.Merge(head, request, requestBytes, requestFacts, response, bytes, Route.Policy, _requestTime, now, Route.OwnFields, out StoredHead? merged);
            head = _head = merged ?? head;
            if (Verdict != StoreVerdict.Storable)
            {
                if (!IsOfRequest(Verdict)) Store.Purge(Hash, Key);
            }
            else if (OnDisk is not null) Store.Disk!.Replace(old, head, KeepUntil(head), now, _diskPurgePosition);
            else Store.Memory.Replace(old, ObjectOf(head, Stored.Body, old.Key), now, _purgePosition);
        }
        else Store.Purge(Hash, Key);
        EndFlight();
        return head;
    }

    /// <summary>The answer has come whole, of which that is the rest (or all) that <see cref="Body"/> has not got: it is stored, and whoever waits for it goes on.</summary>
    internal void Complete(ReadOnlySpan<byte> rest, long now)
    {
        Body?.Append(rest);
        if (Body is { } body && _head is { } head)
        {
            if (body.TakeDisk() is { } writer) CompleteOnDisk(writer, head, now);
            else if (body.Memory is { } memory)
            {
                if (memory.TrySeal()) Put(memory, head, now);
                else GiveUp(StoreVerdict.BodyIncomplete, now);
            }
        }
        End();
    }

    private void Put(StoredBody body, StoredHead head, long now)
    {
        if (Store.Memory.Put(ObjectOf(head, body.Length > 0 ? body : null, Key.ToArray()), new SameSelection(head), now, _purgePosition) != PutResult.Stored)
        {
            GiveUp(StoreVerdict.NotAdmitted, now);
            return;
        }
        Store.Markers.Unmark(Hash);
        Store.Disk?.Remove(Hash, Key, new SameSelection(head));
    }

    // The disk takes its time: the flight ends when the file is there, on whatever thread that is.
    private void CompleteOnDisk(DiskWriter<StoredHead> writer, StoredHead head, long now)
    {
        CacheFlight? flight = Flight;
        Flight = null;
        _ = CompleteAsync(Store, writer, Hash, Key.ToArray(), head, now, _diskPurgePosition, flight); // catches everything itself

        static async Task CompleteAsync(ResponseStore store, DiskWriter<StoredHead> writer, UInt128 hash, byte[] key, StoredHead head, long now, long purgePosition, CacheFlight? flight)
        {
            try
            {
                if (await writer.CompleteAsync().ConfigureAwait(false) && store.Disk!.Publish(writer, new SameSelection(head), now, purgePosition) == PutResult.Stored)
                {
                    store.Markers.Unmark(hash);
                    store.Memory.Remove(hash, key, new SameSelection(head));
                }
            }
            catch (ObjectDisposedException)
            {
                // The server has stopped meanwhile.
            }
            finally
            {
                flight?.End();
            }
        }
    }

    /// <summary>The destination has failed: others who want the same do not wait for one who tries again.</summary>
    internal void Fail(long now)
    {
        if (Flight is not null) Store.Markers.Mark(Hash, now + RouteCache.FailureMarkMilliseconds);
        EndFlight();
        End();
    }

    /// <summary>It is not stored, nor is the next one likely to be: requests for it do not wait for each other for a while.</summary>
    private void GiveUp(StoreVerdict verdict, long now)
    {
        Verdict = verdict;
        if (!IsOfRequest(verdict))
        {
            Store.Verdicts.Note(Hash, verdict, now);
            Store.Markers.Mark(Hash, now + RouteCache.MissMarkMilliseconds);
        }
        EndFlight();
    }

    /// <summary>Whether it is the request that forbids storing: that says nothing of what others get.</summary>
    private static bool IsOfRequest(StoreVerdict verdict) =>
        verdict is StoreVerdict.Method or StoreVerdict.AmbiguousRequest or StoreVerdict.Precondition or StoreVerdict.RequestNoStore or StoreVerdict.Authorization or StoreVerdict.StatusOfRequest;

    /// <summary>The body cannot be kept: nobody waits for it any longer.</summary>
    internal void OnCaptureGivenUp(StoreVerdict verdict) => GiveUp(verdict, _headTime);

    /// <summary>It is over. What came so far is thrown away, unless <see cref="Complete"/> has taken it.</summary>
    internal void End()
    {
        Body?.End();
        Body = null;
        _head = null;
        EndFlight(isAbandoned: true); // where it is not over already
    }

    /// <summary>Lets go of what was found: it may be another when it is looked for again.</summary>
    internal void ReleaseStored()
    {
        Stored.Release();
        Reader?.Dispose();
        Reader = null;
        OnDisk = null;
    }

    /// <summary>Gives back all that is held.</summary>
    internal void Reset()
    {
        End();
        ReleaseStored();
        IsRevalidating = false;
        Verdict = StoreVerdict.Storable;
    }

    private void EndFlight(bool isAbandoned = false)
    {
        CacheFlight? flight = Flight;
        Flight = null;
        flight?.End(isAbandoned);
    }

    private StoredObject<StoredHead> ObjectOf(StoredHead head, StoredBody? body, byte[] key) =>
        new(Hash, key, head, head.SizeBytes, body, head.Tags, KeepUntil(head));

    /// <summary>From when on a response is of no use any more: what can be revalidated always is.</summary>
    internal static long KeepUntil(StoredHead head) => head.HasValidator ? long.MaxValue : head.Times.StaleUntil;

    // RFC 9111 §4.1. Newest first, as it asks for.
    private readonly ref struct SelectedBy(RequestHead request, ReadOnlySpan<byte> requestBytes) : IVariantSelector<StoredHead>
    {
        private readonly ReadOnlySpan<byte> _requestBytes = requestBytes;

        public int Select(ReadOnlySpan<StoredObject<StoredHead>> variants)
        {
            for (int i = 0; i < variants.Length; i++)
            {
                if (variants[i].Head.IsSelectedBy(request, _requestBytes)) return i;
            }
            return -1;
        }
    }

    // The variant that the new one takes the place of.
    private readonly struct SameSelection(StoredHead head) : IVariantSelector<StoredHead>
    {
        public int Select(ReadOnlySpan<StoredObject<StoredHead>> variants)
        {
            for (int i = 0; i < variants.Length; i++)
            {
                if (Selection.AreSame(variants[i].Head, head)) return i;
            }
            return -1;
        }
    }
}
