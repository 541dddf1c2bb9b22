using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>A principal as routes, limits and the log see it, with the header fields that are made of it once. Immutable.</summary>
internal sealed class VerifiedIdentity(Principal principal, IReadOnlyList<(byte[] Name, byte[] Value)> headers, string? problem) : IClientIdentity
{
    internal Principal Principal { get; } = principal;

    /// <summary>Fields that tell the destination who it is.</summary>
    internal IReadOnlyList<(byte[] Name, byte[] Value)> Headers { get; } = headers;

    /// <summary>The field whose value cannot be sent; null when all can.</summary>
    internal string? Problem { get; } = problem;

    public string Scheme => Principal.Scheme;

    public string? Subject => Principal.Subject;

    public ReadOnlyMemory<byte> Json => Principal.Json;

    public string? GetClaim(string name)
    {
        if (!Principal.TryGet(name, out Claim? claim) || claim.Kind == ClaimKind.Null) return null;
        return claim.Kind != ClaimKind.List ? claim.Text : claim.Values.Count > 0 ? claim.Values[0] : null;
    }

    public IReadOnlyList<string> GetClaims(string name)
    {
        if (!Principal.TryGet(name, out Claim? claim)) return [];
        return claim.Kind == ClaimKind.Object ? [claim.Text] : claim.Values;
    }
}
