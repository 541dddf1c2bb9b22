using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Upstream;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>
/// Looks permissions up, and keeps what it hears. Of several requests that want to know the same at once, one asks and the others wait for it, on whatever loop they
/// are; how many ask and wait is bounded, and how long they do. Where there is no answer, what becomes of a request is chosen.
/// </summary>
internal sealed class DecisionLookup
{
    private const int AsksMax = 1024, WaitersMax = 4096;

    private readonly ILookup _lookup;
    private readonly DecisionCache? _cache;
    private readonly LookupFailure _onError;
    private readonly TimeSpan _timeout, _staleFor;
    private readonly TimeProvider _time;
    private readonly string _policy;
    private readonly ILogger _logger;
    private readonly byte[][] _owned;
    private readonly DecisionKey[] _keys; // by loop
    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], Ask> _asks = new(new KeyComparer());
    private int _alone;
    private volatile bool _isAway;

    /// <summary>A question that is asked now.</summary>
    private sealed class Ask
    {
        internal TaskCompletionSource<LookupOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal int Waiters { get; set; }
    }

    /// <param name="lookup">Who is asked.</param>
    /// <param name="cache">Null to keep nothing.</param>
    /// <param name="onError">Where there is no answer.</param>
    /// <param name="staleFor">How long a decision that has ended is used then.</param>
    /// <param name="timeout">How long a request waits for what another asks.</param>
    /// <param name="owned">Fields that only the look-up may give a request.</param>
    /// <param name="services">Clock, log, and number of loops.</param>
    internal DecisionLookup(ILookup lookup, DecisionCacheConfig? cache, LookupFailure onError, TimeSpan staleFor, TimeSpan timeout, IReadOnlyList<string> owned, PolicyServices services)
    {
        _owned = [.. owned.Select(System.Text.Encoding.ASCII.GetBytes)];
        (_lookup, _onError, _timeout, _time, _policy, _logger) = (lookup, onError, timeout, services.Time, services.Name, services.Logger);
        _cache = cache is null ? null : new DecisionCache(cache.BytesMax);
        _staleFor = onError == LookupFailure.Stale ? staleFor : TimeSpan.Zero;
        _keys = [.. Enumerable.Range(0, services.LoopCount).Select(_ => new DecisionKey())];
    }

    /// <summary>Requests that wait for another's answer.</summary>
    internal int Waiting
    {
        get
        {
            lock (_gate) return _asks.Values.Sum(ask => ask.Waiters);
        }
    }

    /// <summary>Null to let the request through, else what is answered.</summary>
    // Hot path: per request. 0 allocations where the decision is known. DecisionCacheTests.AKnownDecisionAllocatesNothing
    internal ValueTask<PolicyAnswer?> DecideAsync(RequestContext context)
    {
        DecisionKey key = _keys[context.LoopIndex];
        key.Clear();
        if (_lookup.WriteKey(key, context) is { } answer) return new(answer);
        if (_cache is null) return AskAloneAsync(context);
        ulong hash = key.End(_cache.Secret);
        return _cache.Find(hash, key.Bytes, _time.GetTimestamp()) is { } decision ? new(Apply(context, decision)) : LookUpAsync(context, hash, key.Bytes.ToArray());
    }

    private async ValueTask<PolicyAnswer?> AskAloneAsync(RequestContext context)
    {
        if (Interlocked.Increment(ref _alone) > AsksMax)
        {
            Interlocked.Decrement(ref _alone);
            return Failed(context, 0, null, "too many look-ups at once");
        }
        try
        {
            return Finish(context, 0, null, await _lookup.AskAsync(context).ConfigureAwait(false));
        }
        finally
        {
            Interlocked.Decrement(ref _alone);
        }
    }

    private async ValueTask<PolicyAnswer?> LookUpAsync(RequestContext context, ulong hash, byte[] key)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            Ask? ask;
            bool isFirst = false;
            lock (_gate)
            {
                // Another may have heard in the meantime.
                if (_cache!.Find(hash, key, _time.GetTimestamp()) is { } known) return Apply(context, known);
                if (!_asks.TryGetValue(key, out ask))
                {
                    if (_asks.Count < AsksMax) _asks.Add(key, ask = new Ask());
                    isFirst = true;
                }
                else if (ask.Waiters < WaitersMax) ask.Waiters++;
                else ask = null;
            }
            if (ask is null) return Failed(context, hash, key, "too many look-ups at once");
            if (isFirst) return Finish(context, hash, key, await AskForAllAsync(context, hash, key, ask).ConfigureAwait(false));
            TimeSpan left = _timeout - _time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return Failed(context, hash, key, "no answer in time");
            LookupOutcome outcome;
            try
            {
                outcome = await ask.Outcome.Task.WaitAsync(left, _time, context.Aborted).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return Failed(context, hash, key, "no answer in time");
            }
            catch (OperationCanceledException)
            {
                return Failed(context, hash, key, null);
            }
            finally
            {
                lock (_gate) ask.Waiters--;
            }
            if (outcome.IsGivenUp) continue;
            // What is for one request alone, such as a cookie that is set, is not given to another.
            if (outcome.Decision is { } decision && decision.Lifetime <= TimeSpan.Zero) return await AskAloneAsync(context).ConfigureAwait(false);
            return Finish(context, hash, key, outcome);
        }
    }

    private async ValueTask<LookupOutcome> AskForAllAsync(RequestContext context, ulong hash, byte[] key, Ask ask)
    {
        var outcome = new LookupOutcome(null, "internal error");
        try
        {
            outcome = await _lookup.AskAsync(context).ConfigureAwait(false);
            if (outcome.Decision is { } decision) Keep(hash, key, decision);
            return outcome;
        }
        finally
        {
            // In the cache before it is no ask any more: who comes in between finds one or the other.
            lock (_gate) _asks.Remove(key);
            ask.Outcome.TrySetResult(outcome);
        }
    }

    private void Keep(ulong hash, byte[] key, Decision decision)
    {
        // The decision before is none any more, also where this one is not kept.
        if (decision.Lifetime <= TimeSpan.Zero)
        {
            _cache!.Remove(hash, key);
            return;
        }
        long now = _time.GetTimestamp(), expiresAt = now + Ticks(decision.Lifetime);
        _cache!.Put(hash, key, decision, now, expiresAt, expiresAt + Ticks(_staleFor));
    }

    private PolicyAnswer? Finish(RequestContext context, ulong hash, byte[]? key, in LookupOutcome outcome)
    {
        if (outcome.Decision is not { } decision) return Failed(context, hash, key, outcome.IsGivenUp ? null : outcome.Problem);
        if (_isAway)
        {
            _isAway = false;
            AuthorizationLog.Available(_logger, _policy);
        }
        return Apply(context, decision);
    }

    /// <summary>Takes out what only the look-up may say of a request, also "X_User" for "X-User": to what is made like CGI (RFC 3875 §4.1.18) both are one.</summary>
    internal void Strip(RequestContext context)
    {
        if (_owned.Length == 0) return;
        HeaderFields fields = context.Fields;
        for (int i = fields.Count - 1; i >= 0; i--)
        {
            ReadOnlySpan<byte> sent = fields.NameAt(i);
            foreach (byte[] name in _owned)
            {
                if (!IsAlike(sent, name)) continue;
                fields.RemoveAt(i);
                break;
            }
        }
    }

    private static bool IsAlike(ReadOnlySpan<byte> sent, byte[] name)
    {
        if (sent.Length != name.Length) return false;
        for (int i = 0; i < name.Length; i++)
        {
            byte a = sent[i] == '_' ? (byte)'-' : sent[i], b = name[i] == '_' ? (byte)'-' : name[i];
            if (a != b && ((a | 0x20) != (b | 0x20) || !char.IsAsciiLetter((char)a))) return false;
        }
        return true;
    }

    private PolicyAnswer? Apply(RequestContext context, Decision decision)
    {
        if (decision.Refusal is not null) return decision.Refusal;
        Strip(context);
        foreach ((byte[] name, byte[] value) in decision.Fields)
        {
            context.Fields.Append(name, value);
            context.IsPersonal = true; // by a cookie, or whatever the service knows clients by
        }
        return null;
    }

    // A problem is told once, until there is an answer again; null is none of ours.
    private PolicyAnswer? Failed(RequestContext context, ulong hash, byte[]? key, string? problem)
    {
        if (problem is not null && !_isAway)
        {
            _isAway = true;
            AuthorizationLog.Unavailable(_logger, _policy, problem);
        }
        problem ??= "nobody waits for the answer";
        if (_onError == LookupFailure.Allow)
        {
            Strip(context);
            context.AddLogField("authorize", $"let through: {problem}");
            return null;
        }
        if (_onError == LookupFailure.Stale && key is not null && _cache!.Find(hash, key, _time.GetTimestamp(), isStaleToo: true) is { } last)
        {
            context.AddLogField("authorize", $"by the last decision: {problem}");
            return Apply(context, last);
        }
        return PolicyAnswer.Refuse(503, EndReason.PolicyUnavailable, $"no decision: {problem}");
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private sealed class KeyComparer : IEqualityComparer<byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        // Under chance of the process: keys are made by clients.
        public int GetHashCode(byte[] obj)
        {
            var hash = new HashCode();
            hash.AddBytes(obj);
            return hash.ToHashCode();
        }
    }
}
