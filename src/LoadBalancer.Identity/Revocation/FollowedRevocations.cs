using LoadBalancer.Identity.Following;

namespace LoadBalancer.Identity.Revocation;

/// <summary>A list that is fetched: from a file, a URL, Redis, as the delegate says.</summary>
public sealed class FollowedRevocations(Followed<RevocationList> list) : IRevocations, IDisposable
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add => list.Changed += value;
        remove => list.Changed -= value;
    }

    /// <inheritdoc/>
    public RevocationList? Current => list.Current;

    /// <summary>Begins to fetch.</summary>
    public Task Start() => list.Start();

    /// <inheritdoc/>
    public void Dispose() => list.Dispose();
}
