using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoadBalancer.Acme.Protocol;

// What is sent and received (RFC 8555 §7.1), as far as it is used.

/// <summary>RFC 8555 §7.1.1.</summary>
internal sealed record AcmeDirectory(string? NewNonce, string? NewAccount, string? NewOrder, DirectoryMeta? Meta);

/// <summary>RFC 8555 §7.1.1.</summary>
internal sealed record DirectoryMeta(string? TermsOfService, bool? ExternalAccountRequired);

/// <summary>RFC 8555 §7.3.</summary>
internal sealed record AccountRequest(bool TermsOfServiceAgreed, IReadOnlyList<string>? Contact, SignedMessage? ExternalAccountBinding);

/// <summary>RFC 8555 §7.1.2.</summary>
internal sealed record Account(string? Status);

/// <summary>RFC 8555 §7.4.</summary>
internal sealed record OrderRequest(IReadOnlyList<Identifier> Identifiers);

/// <summary>RFC 8555 §9.7.7.</summary>
internal sealed record Identifier(string? Type, string? Value);

/// <summary>RFC 8555 §7.1.3.</summary>
internal sealed record Order(string? Status, IReadOnlyList<string>? Authorizations, string? Finalize, string? Certificate, Problem? Error);

/// <summary>RFC 8555 §7.1.4.</summary>
internal sealed record Authorization(string? Status, Identifier? Identifier, IReadOnlyList<Challenge>? Challenges);

/// <summary>RFC 8555 §8.</summary>
internal sealed record Challenge(string? Type, string? Url, string? Token, string? Status, Problem? Error);

/// <summary>RFC 8555 §7.4.</summary>
internal sealed record FinalizeRequest(string Csr);

/// <summary>RFC 7807, RFC 8555 §6.7.</summary>
internal sealed record Problem(string? Type, string? Detail, int? Status, IReadOnlyList<Problem>? Subproblems);

/// <summary>Flattened JWS JSON serialization (RFC 7515 §7.2.2).</summary>
internal sealed record SignedMessage(string Protected, string Payload, string Signature);

/// <summary>RFC 7515 §4, RFC 8555 §6.2.</summary>
internal sealed record ProtectedHeader(string Alg, JsonElement? Jwk, string? Kid, string? Nonce, string Url);

/// <summary>What is kept of an account.</summary>
internal sealed record StoredAccount(string? Url, string? Key, IReadOnlyList<string>? Contact);

/// <summary>RFC 8555 §7.3.2.</summary>
internal sealed record AccountUpdate(IReadOnlyList<string> Contact);

/// <summary>An object without members: says that a challenge can be validated (RFC 8555 §7.5.1).</summary>
internal sealed record Empty;

/// <summary>How these are read and written, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 16)]
[JsonSerializable(typeof(AcmeDirectory))]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(AccountUpdate))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Authorization))]
[JsonSerializable(typeof(FinalizeRequest))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SignedMessage))]
[JsonSerializable(typeof(ProtectedHeader))]
[JsonSerializable(typeof(StoredAccount))]
[JsonSerializable(typeof(Empty))]
internal sealed partial class AcmeJson : JsonSerializerContext;
