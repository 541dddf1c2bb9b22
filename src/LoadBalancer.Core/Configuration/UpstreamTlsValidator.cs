using System.Net;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="UpstreamTlsConfig"/>, its files included.</summary>
internal static class UpstreamTlsValidator
{
    internal static void Validate(string path, UpstreamTlsConfig tls, ProblemList problems)
    {
        if (!tls.Verify && tls.Ca is not null) problems.Add($"{path}.ca", "has no effect with \"verify\": false; leave one of them out");
        if (tls.ServerName is { } name && !IsName(name))
            problems.Add($"{path}.serverName", $"{CharacterText.Quote(name)} is neither a name nor an IP address; expected one such as \"api.internal\", without a port");
        if (tls.Ca is { } ca && !TrustFile.TryLoad(ca, out _, out string caError)) problems.Add($"{path}.ca", $"{CharacterText.Quote(ca)} {caError}");
        if (tls.Certificate is { File.Length: > 0 } certificate && !CertificateFile.TryLoad(certificate, out _, out string error))
            problems.Add($"{path}.certificate.file", $"{CharacterText.Quote(certificate.File)} {error}");
    }

    // A zone ("%eth0") is no part of what a certificate names.
    private static bool IsName(string name) =>
        HostName.IsValid(name) || !name.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(name, out IPAddress? address) && address.ToString().Equals(name, StringComparison.OrdinalIgnoreCase);
}
