using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>One way to look a permission up.</summary>
internal interface ILookup
{
    /// <summary>Writes what the decision depends on. An answer where none need be looked up.</summary>
    PolicyAnswer? WriteKey(DecisionKey key, RequestContext context);

    /// <summary>Asks. Failures are no exceptions.</summary>
    ValueTask<LookupOutcome> AskAsync(RequestContext context);
}
