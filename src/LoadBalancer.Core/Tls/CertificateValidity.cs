using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>When a certificate's end is near enough to say so.</summary>
internal static class CertificateValidity
{
    /// <summary>At most this long before, or in the last third of its life: ninety days are usually renewed at thirty.</summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <summary>At most this long before, or in the last tenth of its life.</summary>
    internal static readonly TimeSpan VerySoon = TimeSpan.FromDays(3);

    internal static CertificateState StateAt(DateTimeOffset now, DateTimeOffset notBefore, DateTimeOffset expiresAt)
    {
        TimeSpan life = expiresAt - notBefore, left = expiresAt - now;
        return left <= TimeSpan.Zero ? CertificateState.Expired
            : now < notBefore ? CertificateState.NotYetValid
            : left < Least(VerySoon, life / 10) ? CertificateState.ExpiresVerySoon
            : left < Least(Soon, life / 3) ? CertificateState.ExpiresSoon
            : CertificateState.Valid;
    }

    /// <summary>As a person says it: whole days, or hours where there are less than two days.</summary>
    internal static string Describe(TimeSpan left) => left.TotalDays >= 2 ? $"{(int)left.TotalDays} days" : left.TotalHours is var hours and >= 2 ? $"{(int)hours} hours" : $"{(int)left.TotalMinutes} minutes";

    /// <summary>The times of a certificate are given in the zone of the machine.</summary>
    internal static DateTimeOffset Utc(DateTime local) => new(local.ToUniversalTime());

    /// <summary>SHA-256 in lower case.</summary>
    internal static string Fingerprint(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
