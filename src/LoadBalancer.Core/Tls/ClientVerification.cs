using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>Which clients a listener lets in by certificate. Immutable.</summary>
internal sealed class ClientVerification
{
    internal ClientVerification(ClientCertificateConfig config, X509Certificate2Collection authorities)
    {
        Authorities = authorities;
        IsRequired = config.Mode == ClientCertificateMode.Required;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([(byte)config.Mode]);
        foreach (X509Certificate2 authority in authorities) hash.AppendData(authority.RawDataMemory.Span);
        Id = hash.GetHashAndReset();
    }

    internal X509Certificate2Collection Authorities { get; }

    internal bool IsRequired { get; }

    /// <summary>Differs where anything else does: 32 bytes.</summary>
    internal byte[] Id { get; }

    /// <summary>For the portable path: how a chain is built and judged.</summary>
    internal X509ChainPolicy ChainPolicy() => ChainTrust.Policy(Authorities, ChainTrust.ClientAuthentication);

    /// <summary>For the portable path: the verdict.</summary>
    internal bool Accepts(X509Certificate? certificate, SslPolicyErrors errors) => certificate is null ? !IsRequired : errors == SslPolicyErrors.None;
}
