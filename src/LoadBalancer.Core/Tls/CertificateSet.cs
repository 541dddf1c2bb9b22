using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>The certificates of a listener by name, each with all a hand-shake needs. Immutable.</summary>
internal sealed class CertificateSet
{
    private readonly Dictionary<string, SslServerAuthenticationOptions> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, SslServerAuthenticationOptions> _wildcard = new(StringComparer.OrdinalIgnoreCase); // "*.a.b" under "a.b"
    private readonly SslServerAuthenticationOptions _default;

    internal CertificateSet(IReadOnlyList<ServerCertificate> certificates, TlsPolicy policy)
    {
        SslServerAuthenticationOptions[] options = [.. certificates.Select(certificate => Options(certificate, policy))];
        _default = options[0];
        for (int i = 0; i < options.Length; i++)
        {
            foreach (string name in certificates[i].Names)
            {
                if (name.StartsWith("*.", StringComparison.Ordinal)) _wildcard.TryAdd(name[2..], options[i]);
                else _exact.TryAdd(name, options[i]);
            }
        }
    }

    /// <summary>What a client gets that asks for a name; for no name or an unknown one the first.</summary>
    internal SslServerAuthenticationOptions Find(string? name)
    {
        if (string.IsNullOrEmpty(name)) return _default;
        if (_exact.TryGetValue(name, out SslServerAuthenticationOptions? options)) return options;
        // RFC 9525 §6.3: the wildcard stands for one whole label.
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _wildcard.TryGetValue(name[(dot + 1)..], out options) ? options : _default;
    }

    private static SslServerAuthenticationOptions Options(ServerCertificate certificate, TlsPolicy policy) => new()
    {
        ServerCertificateContext = certificate.Context,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        EnabledSslProtocols = policy == TlsPolicy.Modern ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
        CipherSuitesPolicy = OperatingSystem.IsLinux() ? new CipherSuitesPolicy(policy == TlsPolicy.Modern ? TlsCiphers.Modern : TlsCiphers.Intermediate) : null,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    };
}
