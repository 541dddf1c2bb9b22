namespace LoadBalancer.Identity.Keys;

/// <summary>Keys that stand in the configuration.</summary>
public sealed class FixedKeys(KeySet keys) : IKeySource
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public KeySet Current => keys;

    /// <inheritdoc/>
    public Task? TryRefetch(string? keyId) => null;
}
