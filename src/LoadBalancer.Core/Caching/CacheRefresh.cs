using LoadBalancer.Balancing;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// Asks the destination for what is stored and stale, while that is still given out (RFC 5861 §3). Made of the request that found it so; one at a time for each key, as it
/// leads the key's flight. Rare beside hits: not kept for reuse.
/// </summary>
internal sealed class CacheRefresh : DetachedRequest
{
    private readonly CacheFetch _fetch = new();
    private readonly RequestHead _request = new();
    private readonly RequestFacts _facts;
    private readonly byte[] _requestBytes;
    private readonly ProxySnapshot _configuration; // what it stores in stays while it is under way

    private CacheRefresh(Exchange exchange, CacheFlight flight) : base(exchange.Context)
    {
        // The client's head: its fields say which of several variants is fetched.
        _requestBytes = exchange.Head.Span[..exchange.Request.Length].ToArray();
        _request.Parse(_requestBytes, Policies.PolicyWire.Limits); // it was accepted before, or policies have made it
        _facts = exchange.Cache!.Facts;
        _configuration = exchange.Client.Listener.Configuration;
        CacheFetch fetch = exchange.Cache.Fetch;
        _fetch.Route = fetch.Route;
        _fetch.SetKey(fetch);
        _fetch.Flight = flight;
    }

    private protected override long BodyBytesMax => _fetch.Store.BodyBytesMax;

    /// <summary>Starts one, unless somebody fetches the same already, or no destination can be asked at once.</summary>
    internal static void Start(Exchange exchange)
    {
        LoopContext context = exchange.Context;
        ClusterSnapshot cluster = exchange.Cluster!;
        CacheFetch fetch = exchange.Cache!.Fetch;
        if (exchange.Request.Method != RequestMethod.Get || context.IsDraining || cluster.Queue is { IsUsed: true } || !fetch.Store.Flights.TryLead(fetch.Hash, out CacheFlight flight)) return;
        var refresh = new CacheRefresh(exchange, flight);
        if (!refresh.TryBegin(exchange, cluster)) refresh._fetch.Reset();
    }

    private bool TryBegin(Exchange exchange, ClusterSnapshot cluster)
    {
        // Its own hold: the exchange's ends before it.
        if (!_fetch.TryFind(exchange.Request, exchange.Head.Span) && !_fetch.TryFindOnDisk(exchange.Request, exchange.Head.Span)) return false;
        PickLease lease = cluster.Scheduler.Pick(new PickContext(Context.Loop.Time.GetTimestamp(), 0, cluster.HashSource?.KeyOf(exchange) ?? 0));
        if (!lease.IsActive) return false;
        exchange.Cache!.Revalidate(_fetch.Found!.Head);
        _fetch.IsRevalidating = exchange.Cache.Fetch.IsRevalidating;
        _fetch.Begin(Context.UnixMilliseconds);
        if (!TryFill(exchange, cluster, lease, exchange.Cache.RequestLines)) return false;
        Context.Detached.Add(this);
        _configuration.Hold(Context.Loop.Index);
        Run();
        return true;
    }

    private protected override bool OnHead()
    {
        ReadOnlySpan<byte> bytes = Upstream!.Transport.Input.Bytes.Span;
        if (_fetch.IsRevalidating && Response.Status == 304) _fetch.Revalidated(_request, _requestBytes, _facts, Response, bytes, Context.UnixMilliseconds);
        // What is stored outlives an error: it may be given out for longer, if its stale-if-error allows.
        else if (!Reuse.IsError(Response.Status)) _fetch.OnHead(_request, _requestBytes, _facts, Response, bytes, Context.UnixMilliseconds);
        return true;
    }

    private protected override BodyCapture? Capture => _fetch.Body;

    private protected override void OnEnded(bool isComplete)
    {
        if (isComplete) _fetch.Complete([], Context.UnixMilliseconds);
        _fetch.Reset();
        _configuration.LetGo(Context.Loop.Index);
    }
}
