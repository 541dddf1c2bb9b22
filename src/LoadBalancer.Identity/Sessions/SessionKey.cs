using System.Text;

namespace LoadBalancer.Identity.Sessions;

/// <summary>A secret that signs sessions.</summary>
/// <param name="Id">Its name, 1 to 64 of letters, digits, "-" and "_": sessions carry it.</param>
/// <param name="Secret">At least 32 bytes.</param>
public sealed record SessionKey(string Id, ReadOnlyMemory<byte> Secret)
{
    /// <summary>Least length of a secret, in bytes: that of the hash (RFC 2104 §3).</summary>
    public const int SecretBytesMin = 32;

    internal byte[] IdBytes { get; } = Encoding.ASCII.GetBytes(Id);

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public string? Problem =>
        Id.Length is 0 or > 64 || !Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? "its id is not 1 to 64 of letters, digits, \"-\" and \"_\""
        : Secret.Length < SecretBytesMin ? $"its secret has {Secret.Length} bytes: at least {SecretBytesMin} are needed"
        : null;

    /// <summary>For the log, without the secret.</summary>
    public override string ToString() => Id;
}
