using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// An authority's word that a certificate is not revoked (OCSP, RFC 6960), which is sent with it ("stapled", RFC 6066 §8). What decides whether it can be sent is
/// read here; its signature is for clients to check. Immutable.
/// </summary>
internal sealed class OcspResponse
{
    private const int BytesMax = 64 * 1024; // a few certificates and a signature; clients take no more in a hand-shake either
    private const string BasicResponse = "1.3.6.1.5.5.7.48.1.1", MustStaple = "1.3.6.1.5.5.7.1.24";

    // Clocks differ: an authority's may be ahead of ours.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private OcspResponse(byte[] bytes, bool isRevoked, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate)
    {
        Bytes = bytes;
        IsRevoked = isRevoked;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
    }

    /// <summary>The response as it is sent.</summary>
    internal byte[] Bytes { get; }

    internal bool IsRevoked { get; }

    internal DateTimeOffset ThisUpdate { get; }

    /// <summary>When it is worth nothing any more; null for never.</summary>
    internal DateTimeOffset? NextUpdate { get; }

    /// <summary>Reads the response for a certificate; false with what is wrong, as an operator says it of the file.</summary>
    /// <param name="bytes">A response in DER.</param>
    /// <param name="leaf">The certificate that it has to be for.</param>
    /// <param name="chain">Further certificates: where the issuer is among them, its key has to be the one meant.</param>
    /// <param name="response">What was read.</param>
    /// <param name="error">The rest of a sentence.</param>
    internal static bool TryParse(byte[] bytes, X509Certificate2 leaf, X509Certificate2Collection chain, [NotNullWhen(true)] out OcspResponse? response, out string error)
    {
        response = null;
        if (bytes.Length > BytesMax)
        {
            error = $"has {bytes.Length} bytes; an OCSP response has at most {BytesMax}";
            return false;
        }
        try
        {
            response = Read(bytes, leaf, chain, out error);
            return response is not null;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            error = "is no OCSP response in DER";
            return false;
        }
    }

    /// <summary>Whether clients that get it now will believe it.</summary>
    internal bool IsUsable(DateTimeOffset now) => !IsRevoked && ThisUpdate <= now + Skew && (NextUpdate is not { } next || now < next);

    /// <summary>Why it is not <see cref="IsUsable"/>.</summary>
    internal string Fault(DateTimeOffset now) =>
        IsRevoked ? "says that the certificate is revoked"
        : NextUpdate is { } next && now >= next ? $"has expired at {next.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}"
        : $"holds from {ThisUpdate.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)} on";

    /// <summary>Whether a certificate tells clients to accept it with a response only (RFC 7633).</summary>
    internal static bool IsRequiredBy(X509Certificate2 certificate)
    {
        if (certificate.Extensions[MustStaple] is not { } extension) return false;
        try
        {
            AsnReader features = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (features.HasData)
                if (features.ReadInteger() == 5) return true; // status_request
        }
        catch (AsnContentException)
        {
            // Not ours to judge: clients do.
        }
        return false;
    }

    // RFC 6960 §4.2.1.
    private static OcspResponse? Read(byte[] bytes, X509Certificate2 leaf, X509Certificate2Collection chain, out string error)
    {
        var file = new AsnReader(bytes, AsnEncodingRules.DER);
        AsnReader outer = file.ReadSequence();
        file.ThrowIfNotEmpty();
        byte status = outer.ReadEnumeratedBytes().Span[^1];
        if (status != 0)
        {
            error = $"is no answer: the responder said {status switch { 1 => "\"malformed request\"", 2 => "\"internal error\"", 3 => "\"try later\"", 5 => "\"signature required\"", 6 => "\"unauthorized\"", _ => $"{status}" }}";
            return null;
        }
        AsnReader wrapped = outer.ReadSequence(Context(0)).ReadSequence();
        if (wrapped.ReadObjectIdentifier() != BasicResponse)
        {
            error = "is an OCSP response of an unknown type";
            return null;
        }
        AsnReader data = new AsnReader(wrapped.ReadOctetString(), AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (data.PeekTag().HasSameClassAndValue(Context(0))) data.ReadEncodedValue(); // version
        data.ReadEncodedValue(); // responderID
        data.ReadGeneralizedTime(); // producedAt
        AsnReader responses = data.ReadSequence();
        while (responses.HasData)
        {
            AsnReader single = responses.ReadSequence();
            if (!IsFor(single.ReadSequence(), leaf, chain)) continue;
            Asn1Tag certStatus = single.PeekTag();
            single.ReadEncodedValue();
            DateTimeOffset thisUpdate = single.ReadGeneralizedTime();
            DateTimeOffset? nextUpdate = single.HasData && single.PeekTag().HasSameClassAndValue(Context(0)) ? single.ReadSequence(Context(0)).ReadGeneralizedTime() : null;
            if (certStatus.TagValue is not (0 or 1))
            {
                error = "says nothing: the responder does not know the certificate";
                return null;
            }
            error = "";
            return new OcspResponse(bytes, certStatus.TagValue == 1, thisUpdate, nextUpdate);
        }
        error = "is for another certificate";
        return null;
    }

    // CertID, §4.1.1. Who holds the issuer's certificate can check its key too.
    private static bool IsFor(AsnReader id, X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        string algorithm = id.ReadSequence().ReadObjectIdentifier();
        byte[] issuerName = id.ReadOctetString(), issuerKey = id.ReadOctetString();
        ReadOnlySpan<byte> serial = id.ReadIntegerBytes().Span;
        if (!serial.TrimStart((byte)0).SequenceEqual(leaf.SerialNumberBytes.Span.TrimStart((byte)0)) || !Matches(algorithm, leaf.IssuerName.RawData, issuerName)) return false;
        foreach (X509Certificate2 link in chain)
            if (link.SubjectName.RawData.AsSpan().SequenceEqual(leaf.IssuerName.RawData)) return Matches(algorithm, link.PublicKey.EncodedKeyValue.RawData, issuerKey);
        return true;
    }

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "A name for an issuer, as responders give it; the signature decides.")]
    private static bool Matches(string algorithm, byte[] data, byte[] hash) => algorithm switch
    {
        "1.3.14.3.2.26" => SHA1.HashData(data).AsSpan().SequenceEqual(hash),
        "2.16.840.1.101.3.4.2.1" => SHA256.HashData(data).AsSpan().SequenceEqual(hash),
        "2.16.840.1.101.3.4.2.2" => SHA384.HashData(data).AsSpan().SequenceEqual(hash),
        "2.16.840.1.101.3.4.2.3" => SHA512.HashData(data).AsSpan().SequenceEqual(hash),
        _ => false,
    };

    private static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number);
}
