using System.Runtime.CompilerServices;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>What becomes of a destination's answer to a request of a route with a cache.</summary>
internal static class CacheAnswer
{
    /// <summary>
    /// Called when a whole final head stands at the front of the destination's bytes. True when something stored is sent in its place, which is then under way. False: it is
    /// relayed, and kept where it may be.
    /// </summary>
    internal static bool TryReplace(Exchange exchange, out ValueTask answer)
    {
        CacheExchange cache = exchange.Cache!;
        ResponseHead response = exchange.Response;
        answer = default;
        if (cache.Fetch.IsRevalidating && response.Status == 304)
        {
            exchange.Record.Cache = CacheOutcome.Revalidated;
            StoredHead head = cache.Fetch.Revalidated(exchange.Request, exchange.Head.Span, cache.Facts, response, exchange.Upstream!.Transport.Input.Bytes.Span, exchange.Context.UnixMilliseconds);
            answer = SendStoredAsync(exchange, head);
            return true;
        }
        if (Reuse.IsError(response.Status) && cache.MayServeOnError)
        {
            exchange.Record.Cache = CacheOutcome.StaleIfError;
            cache.ErrorStatus = response.Status;
            cache.Fetch.Fail(exchange.Context.UnixMilliseconds);
            answer = SendStoredAsync(exchange, cache.Fetch.Found!.Head);
            return true;
        }
        cache.OnHead(exchange.Upstream!.Transport.Input.Bytes.Span);
        return false;
    }

    /// <summary>The request has failed before a response began. True when something stored is sent instead, which is then under way.</summary>
    internal static bool TryReplace(Exchange exchange, EndReason reason, out ValueTask answer)
    {
        CacheExchange cache = exchange.Cache!;
        answer = default;
        bool isDestinations = Responses.StatusOf(reason) is 502 or 503 or 504 && reason != EndReason.PolicyTimeout;
        if (isDestinations) cache.Fetch.Fail(exchange.Context.UnixMilliseconds);
        if (!isDestinations || exchange.IsResponseStarted || !cache.MayServeOnError) return false;
        exchange.Record.Cache = CacheOutcome.StaleIfError;
        exchange.FailReason = EndReason.None;
        exchange.DeadlineAt = Timers.LoopTimer.None; // where it has passed: it was for the destination
        answer = CacheHit.SendAsync(exchange, cache.Fetch.Found!.Head);
        return true;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private static async ValueTask SendStoredAsync(Exchange exchange, StoredHead head)
    {
        await Forwarder.EndUnsentAsync(exchange).ConfigureAwait(false);
        await CacheHit.SendAsync(exchange, head).ConfigureAwait(false);
    }
}
