namespace LoadBalancer.Core.Policies;

/// <summary>
/// A policy has failed and has told the operator so itself, as often as is good: the request ends as with any exception of a policy, but the balancer's log says nothing more.
/// </summary>
/// <param name="message">What the record says of it.</param>
public sealed class PolicyFailedException(string message) : Exception(message);
