using System.Text.Json;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Tests.Authorization;

/// <summary>An identity with the claims of a JSON object.</summary>
internal sealed class TestIdentity(string json) : IClientIdentity
{
    private readonly Dictionary<string, string[]> _claims = JsonDocument.Parse(json).RootElement.EnumerateObject().ToDictionary(
        claim => claim.Name,
        claim => claim.Value.ValueKind == JsonValueKind.Array ? [.. claim.Value.EnumerateArray().Select(value => value.ToString())] : claim.Value.ValueKind == JsonValueKind.Object ? Array.Empty<string>() : [claim.Value.ToString()]);

    public string Scheme => "test";

    public string? Subject => GetClaim("sub");

    public ReadOnlyMemory<byte> Json { get; } = System.Text.Encoding.UTF8.GetBytes(json);

    public string? GetClaim(string name) => GetClaims(name) is [var first, ..] ? first : null;

    public IReadOnlyList<string> GetClaims(string name) => _claims.TryGetValue(name, out string[]? values) ? values : [];
}
