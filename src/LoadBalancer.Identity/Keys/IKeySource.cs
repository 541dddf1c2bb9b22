namespace LoadBalancer.Identity.Keys;

/// <summary>Where an issuer's keys come from. Thread-safe.</summary>
public interface IKeySource
{
    /// <summary>Raised when the keys are others; on any thread.</summary>
    event Action? Changed;

    /// <summary>The keys as they are now; null when there are none to be used. Never waits.</summary>
    KeySet? Current { get; }

    /// <summary>Asks for newer keys, as this name is not among those there are (null: there are none at all).</summary>
    /// <returns>Ends when it is worth to look again, and never fails; null when it is not.</returns>
    Task? TryRefetch(string? keyId);
}
