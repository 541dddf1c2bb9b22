using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Takes one of several ways to verify who a request is from: the first whose credential the request has.</summary>
public sealed record AuthenticateConfig : PolicyConfig
{
    /// <summary>Names of policies that verify who a request is from, in the order in which they are asked.</summary>
    public IReadOnlyList<string> AnyOf { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Whether a request without any credential goes on, from nobody known. Default false.</summary>
    public bool Optional { get; init; }

    /// <inheritdoc/>
    public override string Kind => "authenticate";

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        if (AnyOf.Count is 0 or > 16) problems.Add("anyOf", $"names {AnyOf.Count} policies; expected 1 to 16");
        for (int i = 0; i < AnyOf.Count; i++)
        {
            string path = ConfigPath.Item("anyOf", i);
            if (!problems.Config.Policies.TryGetValue(AnyOf[i], out PolicyConfig? policy)) problems.Add(path, $"there is no policy {CharacterText.Quote(AnyOf[i])}{Suggestion.Text(AnyOf[i], [.. problems.Config.Policies.Keys])}");
            else if (policy is not AuthenticationConfig) problems.Add(path, $"{CharacterText.Quote(AnyOf[i])} does not verify who a request is from; expected a policy of kind jwt, apiKey, basic, signature, session or clientCertificate");
            else if (AnyOf.Take(i).Contains(AnyOf[i])) problems.Add(path, $"{CharacterText.Quote(AnyOf[i])} is given twice");
        }
    }

    /// <inheritdoc/>
    protected internal override bool IsSameIn(ProxyConfig before, ProxyConfig after) =>
        AnyOf.All(name => before.Policies.TryGetValue(name, out PolicyConfig? was) && after.Policies.TryGetValue(name, out PolicyConfig? way) && was == way && way.IsSameIn(before, after));

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new AuthenticatePolicy(this, services);
}
