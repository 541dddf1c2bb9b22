namespace LoadBalancer.Core.Policies;

/// <summary>What a route does with its requests or their answers, beside forwarding them: an <see cref="IRequestPolicy"/>, an <see cref="IResponsePolicy"/>, or both.</summary>
/// <remarks>
/// One object serves all loops at once, so it is thread-safe; what it keeps for one request is <see cref="RequestContext.State"/>. One that is <see cref="IDisposable"/>
/// is disposed of when the server stops, or when a reload has left it out and the last request is over that goes by it: it cannot be given again then.
/// </remarks>
#pragma warning disable CA1040 // it says which objects may be a policy
public interface IRoutePolicy;
#pragma warning restore CA1040

/// <summary>Sees requests before anything is done with them: before the cache and before a destination is picked.</summary>
public interface IRequestPolicy : IRoutePolicy
{
    /// <summary>
    /// Looks at a request, changes it, or answers it. Called on the loop's thread, in the order in which the route names its policies; what it throws ends the request
    /// with 500. What it can do without waiting it does so: the loop has other connections.
    /// </summary>
    /// <param name="context">The request. Used by one thread at a time, and not after the task has ended.</param>
    /// <returns>Null to go on; else the answer. Later policies do not see a request that is answered.</returns>
    ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context);
}

/// <summary>Sees the answers of destinations and of the cache before they are sent; not what the balancer itself or a policy answers.</summary>
public interface IResponsePolicy : IRoutePolicy
{
    /// <summary>
    /// Looks at a response or changes it. Called on the loop's thread, last policy of the route first. What it throws ends the request with 502. An answer from the cache
    /// is seen each time it is sent; what is stored is what the destination has said.
    /// </summary>
    /// <param name="context">The response. Used by one thread at a time, and not after the task has ended.</param>
    ValueTask OnResponseAsync(ResponseContext context);
}
