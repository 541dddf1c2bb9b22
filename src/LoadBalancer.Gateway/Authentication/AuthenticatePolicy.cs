using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Takes one of several ways to verify who a request is from. A credential that is bad is refused: the next way is for who has none of this one.</summary>
internal sealed class AuthenticatePolicy : IRequestPolicy, IDisposable
{
    private readonly AuthenticationPolicy[] _ways;
    private readonly bool _isOptional;
    private readonly PolicyAnswer _missing;

    // Each way is a policy of its own here, also where a route names it by itself: what it follows it follows twice then.
    internal AuthenticatePolicy(AuthenticateConfig config, PolicyServices services)
    {
        _isOptional = config.Optional;
        var ways = new List<AuthenticationPolicy>();
        try
        {
            foreach (string name in config.AnyOf)
                ways.Add(((AuthenticationConfig)services.Config.Policies[name]).CreateFor(new PolicyServices(name, services.Config, services.Time, services.Logger, services.LoopCount)));
        }
        catch
        {
            foreach (AuthenticationPolicy way in ways) way.Dispose();
            throw;
        }
        _ways = [.. ways];
        _missing = new AuthenticationAnswers(config.Kind, [.. _ways.SelectMany(way => way.Answers.Challenges)], hasBearer: false, 503).Of(FailureReason.NoCredential, null);
    }

    // Hot path: per request. 0 allocations for a credential that was verified before.
    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        foreach (AuthenticationPolicy way in _ways) way.Strip(context);
        for (int i = 0; i < _ways.Length; i++)
        {
            ValueTask<VerificationResult> verifying = _ways[i].VerifyAsync(context);
            if (!verifying.IsCompletedSuccessfully) return ConcludeAsync(context, i, verifying);
            VerificationResult result = verifying.Result;
            if (result.Reason != FailureReason.NoCredential) return new(_ways[i].Conclude(context, result));
        }
        return new(_isOptional ? null : _missing);
    }

    // What is waited for has a credential: no other way comes after it.
    private async ValueTask<PolicyAnswer?> ConcludeAsync(RequestContext context, int way, ValueTask<VerificationResult> verifying) =>
        _ways[way].Conclude(context, await verifying.ConfigureAwait(false));

    public void Dispose()
    {
        foreach (AuthenticationPolicy way in _ways) way.Dispose();
    }
}
