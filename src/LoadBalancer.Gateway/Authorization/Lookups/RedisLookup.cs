using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>Asks an <see cref="IPermissionSource"/> by keys that are made of the request.</summary>
internal sealed class RedisLookup : ILookup
{
    private readonly RedisPermissionConfig _config;
    private readonly PolicyAnswer _unauthenticated;
    private readonly TimeProvider _time;
    private readonly KeyTemplate _key;
    private readonly KeyTemplate? _member;
    private readonly Decision _permitted, _refused;
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IPermissionSource? _source;

    internal RedisLookup(RedisPermissionConfig config, PolicyAnswer unauthenticated, TimeProvider time)
    {
        (_config, _unauthenticated, _time) = (config, unauthenticated, time);
        _key = Parse(config.Key);
        _member = config.Member is { } member ? Parse(member) : null;
        _permitted = new Decision { Lifetime = config.Cache?.For ?? TimeSpan.Zero };
        _refused = new Decision { Refusal = PolicyAnswer.Refuse(403, EndReason.Forbidden, "Redis has no such permission"), Lifetime = config.Cache?.DeniedFor ?? TimeSpan.Zero };
    }

    /// <summary>Who is asked; null while nobody can be. Comes a moment after the policy, where a reload has brought that: requests wait for it.</summary>
    internal IPermissionSource? Source
    {
        get => Volatile.Read(ref _source);
        set
        {
            Volatile.Write(ref _source, value);
            if (value is not null) _connected.TrySetResult();
        }
    }

    public PolicyAnswer? WriteKey(DecisionKey key, RequestContext context)
    {
        if (context.Identity is null && (_key.NeedsIdentity || _member?.NeedsIdentity == true)) return _unauthenticated;
        // What cannot be asked is no permission; it is not that there is no answer.
        return _key.TryWrite(context, key, out _, out string missing) && (_member is null || _member.TryWrite(context, key, out _, out missing))
            ? null
            : PolicyAnswer.Refuse(403, EndReason.Forbidden, $"the request has no {missing} for a key in Redis");
    }

    public async ValueTask<LookupOutcome> AskAsync(RequestContext context)
    {
        try
        {
            if (Source is null) await _connected.Task.WaitAsync(_config.Timeout, _time, context.Aborted).ConfigureAwait(false);
            if (Source is not { } source) return new(null, "there is no Redis");
            PermissionAnswer answer = await source.AskAsync(Question(context), context.Aborted).AsTask().WaitAsync(_config.Timeout, _time, context.Aborted).ConfigureAwait(false);
            return answer.Problem is { } problem ? new(null, problem) { IsGivenUp = context.Aborted.IsCancellationRequested } : new(answer.IsPermitted ? _permitted : _refused, null);
        }
        catch (TimeoutException)
        {
            return new(null, Source is null ? "there is no Redis" : "Redis does not answer in time");
        }
        catch (OperationCanceledException)
        {
            return new(null, null) { IsGivenUp = true };
        }
    }

    // Not the loop's own key: who waited for another's answer in vain asks from elsewhere.
    private PermissionQuestion Question(RequestContext context)
    {
        var text = new DecisionKey();
        _key.TryWrite(context, text, out ReadOnlySpan<byte> written, out _);
        string key = Encoding.UTF8.GetString(written), member = "";
        if (_member is not null && _member.TryWrite(context, text, out written, out _)) member = Encoding.UTF8.GetString(written);
        return new(key, _member is null ? null : member, _config.Value);
    }

    private static KeyTemplate Parse(string text) => KeyTemplate.Parse(text, out string? problem) ?? throw new ArgumentException($"\"{text}\" {problem}");
}
