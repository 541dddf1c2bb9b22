using System.Runtime.CompilerServices;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Gateway.Authorization.Rules;

namespace LoadBalancer.Gateway.Authorization;

/// <summary>Decides who may do what, as <see cref="AuthorizeConfig"/> says. The reason goes to the log and never to the client.</summary>
internal sealed class AuthorizePolicy : IRequestPolicy, IDisposable
{
    private const int FactsMax = 256; // identities of which a loop knows what the rules want; a power of two

    private static readonly PolicyAnswer NoRule = PolicyAnswer.Refuse(403, EndReason.Forbidden, "no rule allows it");

    private readonly AuthorizeConfig _config;
    private readonly AccessRules _rules;
    private readonly RoleSource _roles;
    private readonly RedisLookup? _redis;
    private readonly DecisionLookup? _lookup;
    private readonly PolicyAnswer _unauthenticated;
    private readonly PerLoop[] _loops;

    /// <summary>What one loop keeps.</summary>
    private sealed class PerLoop
    {
        internal PathReadings Readings { get; } = new();

        internal IdentityFacts?[] Facts { get; } = new IdentityFacts?[FactsMax];
    }

    internal AuthorizePolicy(AuthorizeConfig config, PolicyServices services)
    {
        _config = config;
        _rules = new AccessRules(config.Rules, services.FindAddressList);
        _roles = new RoleSource(services.Name, config, services.Time, services.Logger);
        _unauthenticated = Unauthenticated(config.Unauthenticated);
        _loops = [.. Enumerable.Range(0, services.LoopCount).Select(_ => new PerLoop())];
        if (config.Service is { } service)
            _lookup = new DecisionLookup(new ServiceLookup(service), service.Cache, service.OnError, service.StaleFor, service.Timeout, service.ResponseHeaders, services);
        else if (config.Redis is { } redis)
        {
            _redis = new RedisLookup(redis, _unauthenticated, services.Time) { Source = config.Permissions };
            _lookup = new DecisionLookup(_redis, redis.Cache, redis.OnError, redis.StaleFor, redis.Timeout, [], services);
        }
    }

    /// <summary>Whether it asks the configuration's Redis, which <see cref="Connect"/> gives it.</summary>
    internal bool NeedsRedis => _redis is not null && _config.Permissions is null;

    /// <summary>Looks at the file of roles now.</summary>
    internal Core.Files.SourceChange LookAtRoles() => _roles.Look(settles: false);

    /// <summary>Requests that wait for what another asks.</summary>
    internal int Waiting => _lookup?.Waiting ?? 0;

    /// <summary>Gives it the Redis to ask.</summary>
    internal void Connect(IPermissionSource source) => _redis!.Source = source;

    // Hot path: per request. 0 allocations where rules or known decisions decide.
    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        PerLoop loop = _loops[context.LoopIndex];
        IdentityFacts? facts = context.Identity is { } identity ? FactsOf(identity, loop) : null;
        Verdict verdict = _rules.Decide(context.Method, context.Path, context.ClientAddress, facts, loop.Readings, out PolicyAnswer? refusal);
        switch (verdict)
        {
            case Verdict.Allowed:
                _lookup?.Strip(context);
                return default;
            case Verdict.Unreadable:
                refusal = PolicyAnswer.Refuse(403, EndReason.Forbidden, $"the path {loop.Readings.Problem}");
                break;
            case Verdict.None or Verdict.Anonymous when _lookup is not null:
                ValueTask<PolicyAnswer?> deciding = _lookup.DecideAsync(context);
                if (!_config.DryRun) return deciding;
                return deciding.IsCompletedSuccessfully ? new(Answer(context, deciding.Result)) : AnswerAsync(context, deciding);
            case Verdict.Anonymous:
                refusal = _unauthenticated;
                break;
            case Verdict.None:
                refusal = NoRule;
                break;
        }
        return new(Answer(context, refusal));
    }

    private async ValueTask<PolicyAnswer?> AnswerAsync(RequestContext context, ValueTask<PolicyAnswer?> deciding) => Answer(context, await deciding.ConfigureAwait(false));

    private PolicyAnswer? Answer(RequestContext context, PolicyAnswer? answer)
    {
        if (answer is null || !_config.DryRun) return answer;
        context.NoteDryRun(answer.IsRefusal ? answer.Reason : EndReason.Unauthenticated, answer.Detail);
        _lookup?.Strip(context);
        return null;
    }

    // An identity is one object for all requests with its token: found by it, and not by what it says.
    private IdentityFacts FactsOf(IClientIdentity identity, PerLoop loop)
    {
        ref IdentityFacts? known = ref loop.Facts[RuntimeHelpers.GetHashCode(identity) & (FactsMax - 1)];
        RoleTable table = _roles.Table;
        if (known is null || known.Identity != identity || known.Table != table) known = new IdentityFacts(identity, _rules, table, _config.RolesClaim, _config.PermissionsClaim);
        return known;
    }

    // RFC 9110 §15.5.2: 401 says how to show who one is.
    private static PolicyAnswer Unauthenticated(int status)
    {
        const string Detail = "nobody is known to be behind the request, and no rule allows it to nobody";
        if (status != 401) return PolicyAnswer.Refuse(status, EndReason.Unauthenticated, Detail);
        var fields = new HeaderFields();
        fields.Set("WWW-Authenticate", "Bearer");
        fields.Set("Content-Type", "text/plain; charset=utf-8");
        return new PolicyAnswer(401, EndReason.Unauthenticated) { Fields = fields, Body = "401 Unauthorized\n"u8.ToArray(), Detail = Detail };
    }

    public void Dispose() => _roles.Dispose();
}
