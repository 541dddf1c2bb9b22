using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// What the cache does with one request: answers it, has it wait for another that fetches the same, or lets it go to a destination and keeps what comes back. Belongs to one
/// exchange, which keeps it, and on its loop's thread.
/// </summary>
/// <remarks>
/// A request that goes to the destination leads a flight, unless another does so for the same key already; then it waits and looks again: once, or until somebody brings an
/// answer. Whatever ends the exchange ends the flight (<see cref="End"/>), so that nobody waits for one who has gone.
/// </remarks>
internal sealed class CacheExchange(Exchange exchange)
{
    /// <summary>Room that <see cref="WriteStatusLine"/> needs at most.</summary>
    internal const int StatusLineBytesMax = CacheStatus.BytesMax + 80;

    private const int KeyBytesMore = 1024; // with the name of the route
    private const int ReferenceBytesMax = 4096;

    private readonly CacheWait _wait = new(exchange.Context.Loop);
    private byte[]? _requestLines;
    private int _requestLinesLength;
    private RequestFacts _facts;
    private ReuseDecision _decision;
    private ForwardReason _reason; // why it was forwarded; None where it was not
    private bool _isKeyed, _isDiskGone;
    private long _waitUntil; // milliseconds of the loop's clock

    internal readonly CacheFetch Fetch = new();

    /// <summary>Lines that the request gets on its way to the destination, beside the client's: validators of what is stored.</summary>
    internal ReadOnlySpan<byte> RequestLines => _requestLines.AsSpan(0, _requestLinesLength);

    /// <summary>Whether the client's conditions are kept from the destination, whose answer is for the store.</summary>
    internal bool DropsConditions { get; private set; }

    /// <summary>The destination's, in whose place something stored is sent; 0 where it gave none.</summary>
    internal int ErrorStatus { get; set; }

    /// <summary>Whether lines of the response are marked that are for caches alone.</summary>
    internal bool DropsTags { get; private set; }

    internal RouteCache Route => Fetch.Route;

    internal ref readonly RequestFacts Facts => ref _facts;

    /// <summary>Whether it has waited for another's fetch.</summary>
    internal bool HasWaited { get; private set; }

    private long Now => exchange.Context.UnixMilliseconds;

    /// <summary>True when the request is answered without a destination, or waits for another's fetch: then the answer is under way. False: it is to be forwarded.</summary>
    // Hot path: per request of routes with a cache. 0 allocations for a hit. AllocationTests.CacheHit_SteadyState_AllocatesNothing
    internal bool TryAnswer(RouteCache route, ReadOnlySpan<byte> path, out ValueTask answer)
    {
        Fetch.Route = route;
        _facts = RequestFacts.Of(exchange.Request, exchange.Head.Span);
        answer = default;
        if (!_facts.MayBeAnswered)
            return Forward(CacheOutcome.Bypass, exchange.Request.Method is RequestMethod.Get or RequestMethod.Head ? ForwardReason.Bypass : ForwardReason.Method);
        if (HasUnkeyedClaims() || !BuildKey(path)) return Forward(CacheOutcome.Bypass, ForwardReason.Bypass);
        // Who is known by a certificate or to a policy is as one who has said who he is.
        if (exchange.Client.CertificateLines.Length > 0 || exchange.Request.HasKnown(KnownField.ClientCertificate) || exchange.Policies is { IsIdentified: true }) _facts.HasAuthorization = true;
        Step step = Look(out answer);
        if (step is Step.Wait or Step.Open) answer = GoOnAsync(step);
        return step != Step.Forward;
    }

    private enum Step : byte
    {
        Forward,
        Answered,
        Wait,
        /// <summary>It lies on disk, and its file is to be opened.</summary>
        Open,
    }

    private bool BuildKey(ReadOnlySpan<byte> path)
    {
        RequestHead request = exchange.Request;
        // Its parts, the lower-case host, and a value of each field and cookie, all of which are in the head, with an end for each.
        Span<byte> room = Fetch.KeyRoom(request.Length + path.Length + KeyBytesMore);
        if (!Route.Keys.TryWrite(room, IsHttps, request, exchange.Head.Span, path, out int length)) return false;
        Fetch.SetKey(length);
        return _isKeyed = true;
    }

    // What destinations make URLs of, and what is no part of the key: anybody's claims, and those of a proxy that is believed where they name another host.
    private bool HasUnkeyedClaims()
    {
        if (!exchange.Client.IsTrusted) return _facts.HasProxyClaims;
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        if (request.HasKnown(KnownField.XForwardedHost)
            && !Ascii.EqualsIgnoreCase(request.ValueOf(request.IndexOf(KnownField.XForwardedHost), bytes), bytes.Slice(request.AuthorityStart, request.AuthorityLength))) return true;
        return request.HasKnown(KnownField.Forwarded) && exchange.Client.Listener.Config.Forwarded.Forwarded;
    }

    // As the destination is told: a proxy that is believed may have ended the client's TLS.
    private bool IsHttps
    {
        get
        {
            RequestHead request = exchange.Request;
            if (exchange.Client.IsTrusted && request.HasKnown(KnownField.XForwardedProto))
            {
                ReadOnlySpan<byte> value = request.ValueOf(request.IndexOf(KnownField.XForwardedProto), exchange.Head.Span);
                int comma = value.IndexOf((byte)',');
                return Ascii.EqualsIgnoreCase((comma < 0 ? value : value[..comma]).Trim((byte)' '), "https"u8);
            }
            return exchange.Client.IsEncrypted || request.IsHttpsTarget;
        }
    }

    private Step Look(out ValueTask answer)
    {
        answer = default;
        // What was opened is what is answered with, whatever has come into memory meanwhile.
        if (Fetch.Reader is null && !Fetch.TryFind(exchange.Request, exchange.Head.Span))
        {
            if (_isDiskGone || !Fetch.TryFindOnDisk(exchange.Request, exchange.Head.Span)) return Miss(out answer);
            return Step.Open;
        }
        StoredObject<StoredHead> stored = Fetch.Found!;
        _decision = Reuse.Decide(stored.Head.Times, _facts.Control, Route.Policy, Now, stored.IsMarkedStale);
        if (_decision.Kind == ReuseKind.Fresh || _decision.Kind == ReuseKind.StaleAllowed)
        {
            exchange.Record.Cache = _decision.Kind == ReuseKind.Fresh ? CacheOutcome.Hit : CacheOutcome.Stale;
            answer = CacheHit.SendAsync(exchange, stored.Head);
            return Step.Answered;
        }
        if (_decision.Kind == ReuseKind.StaleWhileRevalidate)
        {
            exchange.Record.Cache = CacheOutcome.Stale;
            CacheRefresh.Start(exchange);
            answer = CacheHit.SendAsync(exchange, stored.Head);
            return Step.Answered;
        }
        if (_decision.Kind == ReuseKind.OnlyIfCachedMiss) return NotCached(out answer);
        // What is asked about each time is asked about side by side: nobody would be helped by the other's answer.
        bool isOfUse = _decision.Reason != ForwardReason.Request && stored.Head.Times.FreshUntil > stored.Head.Times.ResponseTime && (stored.Head.Times.Rules & ReuseRules.AlwaysValidate) == 0;
        if (isOfUse && TryWait(_decision.Reason)) return Step.Wait;
        Revalidate(stored.Head);
        return ForwardFor(CacheOutcome.Expired, _decision.Reason);
    }

    private Step Miss(out ValueTask answer)
    {
        if (Route.Policy.HonorsRequests && _facts.Control.OnlyIfCached) return NotCached(out answer);
        ForwardReason reason = ForwardReason.UriMiss;
        if (!Route.Store.Memory.Peek(Fetch.Hash, Fetch.Key).IsEmpty) reason = ForwardReason.VaryMiss;
        answer = default;
        // A part, or a head alone, is nothing to keep.
        if (_facts.Range == -1 && exchange.Request.Method == RequestMethod.Get && Storability.Decide(_facts, Route.Policy) == StoreVerdict.Storable)
        {
            if (TryWait(reason)) return Step.Wait;
            // What was not storable a moment ago is none of our business.
            if (!Route.Store.Markers.IsMarked(Fetch.Hash, Now)) DropConditions();
        }
        return ForwardFor(CacheOutcome.Miss, reason);
    }

    private Step NotCached(out ValueTask answer)
    {
        exchange.Record.Cache = CacheOutcome.Miss;
        answer = Responses.ErrorAsync(exchange, 504, EndReason.NotCached);
        return Step.Answered;
    }

    /// <summary>Whether another fetches the same, so that this one waits; else it leads from here on, unless it has waited long enough.</summary>
    private bool TryWait(ForwardReason reason)
    {
        ResponseStore store = Route.Store;
        if (Route.CollapseMilliseconds == 0 || exchange.Request.Method != RequestMethod.Get || store.Markers.IsMarked(Fetch.Hash, Now)) return false;
        if (store.Flights.TryLead(Fetch.Hash, out CacheFlight flight))
        {
            Fetch.Flight = flight;
            return false;
        }
        long now = exchange.Context.Loop.NowMilliseconds;
        if (!HasWaited) _waitUntil = now + Route.CollapseMilliseconds;
        if ((HasWaited && !_wait.IsAbandoned) || now >= _waitUntil || !flight.TryJoin(_wait, RouteCache.WaitingMax)) return false;
        HasWaited = true;
        _reason = reason;
        Fetch.ReleaseStored();
        return true;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask GoOnAsync(Step step)
    {
        while (true)
        {
            if (step == Step.Open) await OpenAsync().ConfigureAwait(false);
            else
            {
                exchange.Arm(ExchangePhase.CacheWait, _waitUntil - exchange.Context.Loop.NowMilliseconds);
                await _wait;
                exchange.Disarm();
            }
            if (exchange.FailReason != EndReason.None)
            {
                await Forwarder.FailAsync(exchange, exchange.FailReason).ConfigureAwait(false);
                return;
            }
            step = Look(out ValueTask answer);
            if (step is Step.Wait or Step.Open) continue; // who fetched has gone, and another was quicker to take it up
            if (step == Step.Answered) await answer.ConfigureAwait(false);
            else if (exchange.Cluster!.Shedding is { } shedding && !shedding.TryEnter(exchange, exchange.Route!.Config.Priority, out answer)) await answer.ConfigureAwait(false);
            else await Forwarder.ForwardAsync(exchange).ConfigureAwait(false);
            return;
        }
    }

    // Whatever is decided, the body is there then, also for when the destination fails.
    private async ValueTask OpenAsync()
    {
        Task<DiskReader?> opening = Route.Store.Disk!.OpenAsync(Fetch.OnDisk!);
        await new LoopWait(exchange.Context.Loop, opening);
        Fetch.Reader = opening.IsCompletedSuccessfully ? await opening.ConfigureAwait(false) : null;
        if (Fetch.Reader is not null) return;
        Fetch.OnDisk = null;
        _isDiskGone = true;
    }

    /// <summary>Waits no longer: time is up, or the exchange has failed.</summary>
    internal void StopWaiting() => _wait.Leave();

    private Step ForwardFor(CacheOutcome outcome, ForwardReason reason)
    {
        Forward(outcome, reason);
        return Step.Forward;
    }

    private bool Forward(CacheOutcome outcome, ForwardReason reason)
    {
        exchange.Record.Cache = outcome;
        _reason = reason;
        Fetch.Begin(Now);
        return false;
    }

    /// <summary>Has the destination asked whether what is stored is still good.</summary>
    internal void Revalidate(StoredHead stored)
    {
        if (exchange.Request.Method != RequestMethod.Get) return;
        DropConditions();
        if (!stored.HasValidator) return;
        _requestLines ??= new byte[ConditionWriter.BytesMax];
        var writer = new ConditionWriter(_requestLines);
        writer.Add(stored);
        _requestLinesLength = writer.Finish();
        Fetch.IsRevalidating = _requestLinesLength > 0;
    }

    // Of a part the whole is fetched: a client that asked for a part gets it from what is stored, or the whole.
    private void DropConditions()
    {
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        for (int i = 0; i < request.FieldCount; i++)
        {
            ref FieldLine line = ref request.Fields[i];
            if (line.Known != KnownField.Other || !IsCondition(bytes.Slice(line.NameStart, line.NameLength))) continue;
            line.IsHopByHop = true;
            DropsConditions = true;
        }
    }

    private static bool IsCondition(ReadOnlySpan<byte> name) => name.Length switch
    {
        5 => Ascii.EqualsIgnoreCase(name, "range"u8),
        8 => Ascii.EqualsIgnoreCase(name, "if-range"u8),
        13 => Ascii.EqualsIgnoreCase(name, "if-none-match"u8),
        17 => Ascii.EqualsIgnoreCase(name, "if-modified-since"u8),
        _ => false,
    };

    /// <summary>Whether what is stored may be sent as the destination has failed.</summary>
    internal bool MayServeOnError => Fetch.Found is { } found && Reuse.MayServeOnError(found.Head.Times, _facts.Control, Route.Policy, Now, found.IsMarkedStale);

    /// <summary>A final head of the destination is there, and is relayed.</summary>
    internal void OnHead(ReadOnlySpan<byte> bytes)
    {
        if (!_facts.MayBeAnswered) Invalidate(bytes);
        if (!_isKeyed) return;
        Fetch.OnHead(exchange.Request, exchange.Head.Span, _facts, exchange.Response, bytes, Now);
        DropTags(bytes);
        if (Fetch.Head is { } head && Conditional.IsNotModified(_facts, exchange.Request, exchange.Head.Span, head)) exchange.IsBodyUnsent = true;
    }

    // As what is stored is sent: without them.
    private void DropTags(ReadOnlySpan<byte> bytes)
    {
        ResponseHead response = exchange.Response;
        for (int i = 0; i < response.FieldCount; i++)
        {
            ref FieldLine line = ref response.Fields[i];
            ReadOnlySpan<byte> name = bytes.Slice(line.NameStart, line.NameLength);
            if (line.Known != KnownField.Other || !(name.Length == 13 && Ascii.EqualsIgnoreCase(name, "surrogate-key"u8)) && !(name.Length == 9 && Ascii.EqualsIgnoreCase(name, "cache-tag"u8))) continue;
            line.IsHopByHop = DropsTags = true;
        }
    }

    // RFC 9111 §4.4.
    private void Invalidate(ReadOnlySpan<byte> bytes)
    {
        ResponseHead response = exchange.Response;
        if (!Invalidation.Applies(exchange.Request.Method, response.Status)) return;
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> head = exchange.Head.Span, authority = head.Slice(request.AuthorityStart, request.AuthorityLength);
        ReadOnlySpan<byte> path = exchange.Path;
        PurgeResource(authority, path, head.Slice(request.QueryStart, request.QueryLength));
        Span<byte> target = stackalloc byte[ReferenceBytesMax];
        for (int i = 0; i < response.FieldCount; i++)
        {
            if (response.Fields[i].Known != KnownField.Other || !IsReference(response.NameOf(i, bytes))) continue;
            if (Invalidation.TryResolve(response.ValueOf(i, bytes), IsHttps, authority, path, target, out int pathLength, out int length))
                PurgeResource(authority, target[..pathLength], target[pathLength..length]);
        }
    }

    private static bool IsReference(ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(name, "location"u8) || Ascii.EqualsIgnoreCase(name, "content-location"u8);

    private void PurgeResource(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        Span<byte> room = Fetch.KeyRoom(authority.Length + path.Length + query.Length + KeyBytesMore);
        // What is read by one route may be changed by another.
        foreach (RouteCache route in Route.Store.Routes)
        {
            if (!route.Keys.TryWriteResource(room, IsHttps, authority, path, query, out int length)) continue;
            ReadOnlySpan<byte> key = room[..length];
            if (route.Keys.HasRequestParts) Route.Store.PurgePrefix(key);
            else Route.Store.Purge(Route.Store.Hasher.Hash(key), key);
        }
    }

    /// <summary>Writes the Cache-Status line (RFC 9211) of what is being sent; returns its length, 0 where it is not wanted.</summary>
    internal int WriteStatusLine(Span<byte> destination)
    {
        if (!Route.HasStatusField) return 0;
        return CacheStatus.Write(destination, Route.StatusName, exchange.Record.Cache switch
        {
            CacheOutcome.Hit or CacheOutcome.Stale => new CacheStatusEntry(HasWaited ? _reason : ForwardReason.None, _decision.Ttl, IsCollapsed: HasWaited),
            CacheOutcome.StaleIfError => new CacheStatusEntry(_reason, _decision.Ttl, ErrorStatus),
            CacheOutcome.Revalidated => new CacheStatusEntry(_reason, Fetch.Verdict == StoreVerdict.Storable ? Ttl(Fetch.Head) : null, 304, IsStored: Fetch.Verdict == StoreVerdict.Storable, Verdict: Fetch.Verdict),
            _ => new CacheStatusEntry(_reason, Fetch.Head is { } head ? Ttl(head) : null, exchange.IsBodyUnsent ? exchange.Response.Status : 0, IsStored: Fetch.Head is not null && Fetch.Verdict == StoreVerdict.Storable, Verdict: Fetch.Verdict),
        });
    }

    private int? Ttl(StoredHead? head) => head is null ? null : (int)Math.Clamp((head.Times.FreshUntil - Now) / 1000, int.MinValue, int.MaxValue);

    /// <summary>Begins with a request of a route that has a cache.</summary>
    internal void Begin()
    {
        _requestLinesLength = 0;
        ErrorStatus = 0;
        DropsTags = DropsConditions = _isKeyed = _isDiskGone = HasWaited = false;
        _decision = default;
        _reason = ForwardReason.None;
    }

    /// <summary>The request is over, in whatever way.</summary>
    internal void End() => Fetch.Reset();
}
