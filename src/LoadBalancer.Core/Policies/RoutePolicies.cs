namespace LoadBalancer.Core.Policies;

/// <summary>The policies of a route, in the order in which it names them. Immutable.</summary>
internal sealed class RoutePolicies
{
    internal RoutePolicies(IReadOnlyList<(string Name, IRoutePolicy Policy)> policies)
    {
        Names = [.. policies.Select(policy => policy.Name)];
        Requests = [.. policies.Select(policy => policy.Policy as IRequestPolicy)];
        Responses = [.. policies.Select(policy => policy.Policy as IResponsePolicy)];
        HasResponsePolicies = Array.Exists(Responses, policy => policy is not null);
    }

    internal string[] Names { get; }

    /// <summary>By index in <see cref="Names"/>; null where the policy does not look at requests.</summary>
    internal IRequestPolicy?[] Requests { get; }

    /// <summary>By index in <see cref="Names"/>; null where the policy does not look at responses.</summary>
    internal IResponsePolicy?[] Responses { get; }

    internal bool HasResponsePolicies { get; }
}
