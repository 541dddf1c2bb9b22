namespace LoadBalancer.Core.Policies;

/// <summary>Who a request is from, as a policy has verified. Immutable.</summary>
public interface IClientIdentity
{
    /// <summary>How it was shown: "jwt", "api-key", "basic", ….</summary>
    string Scheme { get; }

    /// <summary>Who it is; null where only claims are known.</summary>
    string? Subject { get; }

    /// <summary>The value of a claim: of a list the first, of what is no string its JSON text. Null where there is no such claim. Allocates nothing when asked again.</summary>
    string? GetClaim(string name);

    /// <summary>All values of a claim; empty where there is no such claim.</summary>
    IReadOnlyList<string> GetClaims(string name);

    /// <summary>All claims as one JSON object, UTF-8.</summary>
    ReadOnlyMemory<byte> Json { get; }
}
