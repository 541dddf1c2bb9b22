using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Acme.Protocol;

/// <summary>The answer to one challenge, there to be found until it is disposed of.</summary>
internal sealed class ChallengeAnswer : IDisposable
{
    internal const string Http01 = "http-01", TlsAlpn01 = "tls-alpn-01";

    private readonly Action _remove;

    private ChallengeAnswer(Action remove) => _remove = remove;

    /// <exception cref="AcmeException">The token is none, or too many challenges are pending.</exception>
    internal static ChallengeAnswer Publish(PendingChallenges pending, string name, Challenge challenge, AccountKey key)
    {
        string token = challenge.Token ?? "";
        bool isAdded;
        Action remove;
        try
        {
            if (challenge.Type == Http01)
            {
                isAdded = pending.TryAddHttp(token, Encoding.ASCII.GetBytes(key.Authorize(token)));
                remove = () => pending.RemoveHttp(token);
            }
            else
            {
                X509Certificate2 certificate = Certificate(name, key.Authorize(token));
                isAdded = pending.TryAddTls(name, certificate);
                remove = () => pending.RemoveTls(name); // a hand-shake may still use the certificate: it is left to its finalizer
            }
        }
        catch (ArgumentException e)
        {
            throw new AcmeException(AcmeFailure.BadAnswer, "the authority gave a challenge whose token is none", inner: e);
        }
        return isAdded ? new ChallengeAnswer(remove) : throw new AcmeException(AcmeFailure.InternalError, "too many challenges are pending");
    }

    /// <summary>What is shown for TLS-ALPN-01: self-signed, with the hash of the key authorization in a critical extension (RFC 8737 §3).</summary>
    internal static X509Certificate2 Certificate(string name, string keyAuthorization)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ACME challenge", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var hash = new AsnWriter(AsnEncodingRules.DER);
        hash.WriteOctetString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.1.31", hash.Encode(), critical: true));
        // Nobody looks at the times: wide, as a clock may be wrong.
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(80));
    }

    public void Dispose() => _remove();
}
