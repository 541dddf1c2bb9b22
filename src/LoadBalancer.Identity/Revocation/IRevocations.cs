namespace LoadBalancer.Identity.Revocation;

/// <summary>What is revoked now.</summary>
public interface IRevocations
{
    /// <summary>Raised when the list is another; on any thread.</summary>
    event Action? Changed;

    /// <summary>The list; null when it is not known what is revoked, and so nobody is let in.</summary>
    RevocationList? Current { get; }
}
