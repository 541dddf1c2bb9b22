using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LoadBalancer.Balancing;

namespace LoadBalancer.Core.Affinity;

/// <summary>Every value of the sticky cookie that is valid while the members stay the same. Immutable.</summary>
internal sealed class StickyTable
{
    /// <summary>Bytes of the HMAC that are used: half to find the entry, half, 96 bits, to prove that it was not guessed.</summary>
    internal const int TokenBytes = 24;

    /// <summary>The same in base64url.</summary>
    internal const int TokenLength = 32;
    private const int NameLength = 16;

    private readonly Dictionary<Destination, StickySession[]> _byDestination;
    private readonly Dictionary<UInt128, StickySession> _byName;

    /// <param name="members">Destinations to have sessions with.</param>
    /// <param name="previous">The table until now, whose sessions are kept; null for none.</param>
    /// <param name="make">Makes the sessions of a destination.</param>
    internal StickyTable(IReadOnlyList<Destination> members, StickyTable? previous, Func<Destination, StickySession[]> make)
    {
        Members = members;
        _byDestination = new(members.Count);
        _byName = new(members.Count);
        foreach (Destination member in members)
        {
            StickySession[] sessions = previous?._byDestination.GetValueOrDefault(member) ?? make(member);
            _byDestination.Add(member, sessions);
            foreach (StickySession session in sessions) _byName[NameOf(session.Token)] = session;
        }
    }

    internal IReadOnlyList<Destination> Members { get; }

    /// <summary>The session of a cookie's value of <see cref="TokenLength"/>; null when it is none of ours.</summary>
    internal StickySession? Find(ReadOnlySpan<byte> token) =>
        _byName.TryGetValue(NameOf(token), out StickySession? session) && CryptographicOperations.FixedTimeEquals(token[NameLength..], session.Token.AsSpan(NameLength))
            ? session : null;

    /// <summary>The header line that binds a client to a destination; empty when it is no member any more.</summary>
    internal byte[] SetCookieFor(Destination destination) => _byDestination.TryGetValue(destination, out StickySession[]? sessions) ? sessions[0].SetCookie! : [];

    private static UInt128 NameOf(ReadOnlySpan<byte> token) => MemoryMarshal.Read<UInt128>(token);
}

/// <summary>A value of the cookie and what it stands for.</summary>
/// <param name="Destination">Where it leads.</param>
/// <param name="Token">The value.</param>
/// <param name="SetCookie">The whole header line that sets it; null when it is signed by a key that is being rotated out.</param>
internal sealed record StickySession(Destination Destination, byte[] Token, byte[]? SetCookie)
{
    internal bool IsCurrent => SetCookie is not null;
}
