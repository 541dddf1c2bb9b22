using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>How the portable path builds and judges chains.</summary>
internal static class ChainTrust
{
    internal const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280 §4.2.1.12

    /// <summary>A policy of its own for each connection: a stream adds to it what the peer has sent.</summary>
    /// <param name="authorities">Null for the system's.</param>
    /// <param name="use">What the certificate must be for.</param>
    internal static X509ChainPolicy Policy(X509Certificate2Collection? authorities, string use)
    {
        // Nothing is fetched from anywhere: the peer would decide from where.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(use));
        if (authorities is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        foreach (X509Certificate2 authority in authorities) (TrustFile.IsRoot(authority) ? policy.CustomTrustStore : policy.ExtraStore).Add(authority);
        return policy;
    }
}
