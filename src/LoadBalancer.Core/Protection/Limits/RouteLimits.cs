using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>
/// The limits of a route. A request is let through when all of them let it; only then something is taken from the rates, so that what one refuses costs nothing with
/// the others (nginx). With several limits requests of one key on two loops may fall between asking and taking: then those before have lost their cost once.
/// </summary>
internal sealed class RouteLimits
{
    private const int NumberLengthMax = 20;

    private readonly (Limiter Limiter, int Cost)[] _limits;
    private readonly byte[] _policyLine;
    private readonly int _fieldsLengthMax;
    private readonly double _ticksPerSecond;

    private RouteLimits((Limiter Limiter, int Cost)[] limits, TimeProvider time)
    {
        _limits = limits;
        Limiter[] told = [.. _limits.Select(limit => limit.Limiter).Where(limiter => limiter.IsTold)];
        _policyLine = told.Length == 0 ? [] : Encoding.ASCII.GetBytes($"RateLimit-Policy: {string.Join(", ", told.Select(limiter => limiter.Policy))}\r\nRateLimit: ");
        _fieldsLengthMax = _policyLine.Length + told.Sum(limiter => limiter.RemainingLabel.Length + 2 * NumberLengthMax + 8);
        _ticksPerSecond = time.TimestampFrequency;
    }

    /// <summary>The limits of a route that count by what policies verify, or those that do not; null for none.</summary>
    internal static RouteLimits? Of(RouteConfig route, IReadOnlyDictionary<string, Limiter> limiters, TimeProvider time, bool needsIdentity)
    {
        (Limiter, int)[] limits = [.. route.Limits.Select(limit => (Limiter: limiters[limit.Key], Cost: limit.Value)).Where(limit => limit.Limiter.NeedsIdentity == needsIdentity)];
        return limits.Length == 0 ? null : new(limits, time);
    }

    /// <summary>Asks the limits. False when one refuses; then the answer is under way.</summary>
    // Hot path: per request of a route with limits. 0 allocations. AllocationTests.KeepAliveRequest_OfARouteWithLimits_AllocatesNothing
    internal bool TryEnter(Exchange exchange, out ValueTask answer)
    {
        long now = exchange.Record.StartTimestamp;
        if (exchange.Record.Limit == LimitOutcome.None) exchange.Record.Limit = LimitOutcome.Allowed;
        int loop = exchange.Context.Loop.Index;
        LimitHolds holds = exchange.Limits ??= new();
        Span<ulong> keys = stackalloc ulong[LimitHolds.LimitsMax];
        bool asksFirst = _limits.Length > 1;
        for (int i = 0; i < _limits.Length; i++)
        {
            (Limiter limiter, int cost) = _limits[i];
            if ((keys[i] = limiter.KeyOf(exchange)) == 0) continue;
            if (limiter.Concurrency is { } concurrency)
            {
                int ticket = concurrency.TryEnter(keys[i]);
                if (ticket != KeyedConcurrency.Refused) holds.Hold(limiter, ticket);
                else if (!IsRefused(exchange, limiter, EndReason.ConcurrencyLimited)) keys[i] = 0;
                else return Refuse(exchange, limiter, EndReason.ConcurrencyLimited, 0, out answer);
            }
            else if (asksFirst && limiter.Rate!.Peek(keys[i], cost, now) is { IsAllowed: false } decision)
            {
                if (IsRefused(exchange, limiter, EndReason.RateLimited)) return RefuseRate(exchange, limiter, decision, out answer);
                keys[i] = 0; // it has been told of
            }
        }

        var fields = new HeadBuffer(_policyLine.Length > 0 ? holds.FieldsBuffer(_fieldsLengthMax) : default);
        bool isTold = false;
        for (int i = 0; i < _limits.Length; i++)
        {
            (Limiter limiter, int cost) = _limits[i];
            if (keys[i] == 0) continue;
            if (limiter.Rate is not { } rate)
            {
                limiter.CountAllowed(loop);
                continue;
            }
            RateDecision decision = rate.TryTake(keys[i], cost, now);
            if (!decision.IsAllowed)
            {
                if (IsRefused(exchange, limiter, EndReason.RateLimited)) return RefuseRate(exchange, limiter, decision, out answer);
                continue;
            }
            limiter.CountAllowed(loop);
            if (!limiter.IsTold) continue;
            fields.Append(isTold ? ", "u8 : _policyLine);
            isTold = true;
            AppendRemaining(ref fields, limiter, decision);
        }
        if (isTold) fields.Append("\r\n"u8);
        holds.AddFields(fields.Length);
        answer = default;
        return true;
    }

    // Whether a refusal holds: not that of a limit that only says so.
    private static bool IsRefused(Exchange exchange, Limiter limiter, EndReason reason)
    {
        limiter.CountRefused(exchange.Context.Loop.Index);
        exchange.Context.Server.Refusals.Note(exchange.Record, reason, limiter.Name, limiter.Config.DryRun);
        exchange.Record.Limit = limiter.Config.DryRun ? LimitOutcome.DryRun : LimitOutcome.Refused;
        return !limiter.Config.DryRun;
    }

    private bool RefuseRate(Exchange exchange, Limiter limiter, in RateDecision decision, out ValueTask answer)
    {
        if (limiter.IsTold)
        {
            // Of the others nothing was taken: the client is told of the one that keeps it.
            var fields = new HeadBuffer(exchange.Limits!.FieldsBuffer(_fieldsLengthMax));
            fields.Append(_policyLine);
            AppendRemaining(ref fields, limiter, decision with { ResetAfter = Math.Max(decision.ResetAfter, decision.RetryAfter) });
            fields.Append("\r\n"u8);
            exchange.Limits.AddFields(fields.Length);
        }
        return Refuse(exchange, limiter, EndReason.RateLimited, decision.RetryAfter, out answer);
    }

    private bool Refuse(Exchange exchange, Limiter limiter, EndReason reason, long retryAfterTicks, out ValueTask answer)
    {
        exchange.Limits!.Leave();
        // Nobody knows when a place becomes free: a second is the least that can be said.
        answer = Responses.ErrorAsync(exchange, limiter.Config.Status, reason, (int)Math.Clamp(SecondsOf(retryAfterTicks), 1, int.MaxValue));
        return false;
    }

    private void AppendRemaining(ref HeadBuffer fields, Limiter limiter, in RateDecision decision)
    {
        fields.Append(limiter.RemainingLabel);
        fields.AppendNumber(decision.Remaining);
        fields.Append(";t="u8);
        fields.AppendNumber(SecondsOf(decision.ResetAfter));
    }

    // Rounded up: who comes then is let in.
    private long SecondsOf(long ticks) => (long)Math.Ceiling(ticks / _ticksPerSecond);
}
