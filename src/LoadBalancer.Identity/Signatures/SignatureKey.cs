namespace LoadBalancer.Identity.Signatures;

/// <summary>A secret that somebody signs requests with.</summary>
/// <param name="Id">"keyid".</param>
/// <param name="Secret">At least 32 bytes (RFC 2104 §3).</param>
/// <param name="Principal">Who it is that signs with it.</param>
public sealed record SignatureKey(string Id, ReadOnlyMemory<byte> Secret, Principal Principal)
{
    /// <summary>Least length of a secret, in bytes.</summary>
    public const int SecretBytesMin = 32;

    /// <summary>For the log, without the secret.</summary>
    public override string ToString() => Id;
}
