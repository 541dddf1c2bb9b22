using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;

namespace LoadBalancer.Core.Tls;

/// <summary>One configured certificate and its files.</summary>
internal sealed class CertificateSource(CertificateConfig config, bool useOpenSsl, TimeProvider time) : TlsFileSource(CertificateFile.Files(config), time)
{
    private volatile ServerCertificate? _current;

    /// <summary>The last that could be used; null before there was one.</summary>
    internal ServerCertificate? Current => _current;

    private string? _ocspProblem; // what is wrong with the OCSP response, as of the last reading
    private volatile string? _stapleMissing; // the same, as of when what is in use was read

    /// <summary>What an operator should hear about its stapling; null for nothing.</summary>
    internal string? StaplingFault(DateTimeOffset now) =>
        Current is not { } current ? null
        : current.StaplingFault(useOpenSsl, now) ?? (_stapleMissing is { } problem && current.Ocsp is null ? $"its OCSP response is not sent: {CharacterText.Quote(config.Ocsp!)} {problem}" : null);

    /// <summary>When it was last told what <see cref="StaplingFault"/> says, and what was told.</summary>
    internal (string? Fault, DateTimeOffset At) FaultTold { get; set; }

    /// <summary>The problem of a configuration in which it stands at a path; null where there is something to use.</summary>
    internal ConfigProblem? ProblemAt(string path) =>
        Current is not null ? null
        : _ocspProblem is { } problem ? new ConfigProblem($"{path}.ocsp", $"{CharacterText.Quote(config.Ocsp!)} {problem}")
        : new ConfigProblem($"{path}.file", $"{CharacterText.Quote(File)} {Problem}");

    // The OCSP response comes last; empty where it cannot be read, which must not keep a new certificate out.
    private protected override bool TryRead([NotNullWhen(true)] out byte[][]? contents, out string error)
    {
        if (!base.TryRead(out contents, out error) || config.Ocsp is not { } ocsp) return contents is not null;
        _ocspProblem = TlsFile.TryRead([ocsp], out byte[][]? read, out string problem) ? null : problem;
        contents = [.. contents, read is null ? [] : read[0]];
        return true;
    }

    private protected override bool TryTake(byte[][] contents, out string error)
    {
        byte[][] files = config.Ocsp is null ? contents : contents[..^1];
        if (!CertificateFile.TryParse(config, files, out ServerCertificate? certificate, out error))
        {
            _ocspProblem = null;
            return false;
        }
        if (config.Ocsp is { } file)
        {
            if (_ocspProblem is null)
            {
                if (OcspResponse.TryParse([.. contents[^1]], certificate.Leaf, certificate.Chain, out OcspResponse? ocsp, out string problem)) certificate.Ocsp = ocsp;
                else _ocspProblem = problem;
            }
            // A new certificate is worth more than its response, which will follow. One that stays keeps the response it has.
            if (_ocspProblem is not null && (Current is null || Current.Fingerprint == certificate.Fingerprint))
            {
                error = $"has no OCSP response to go with it: {CharacterText.Quote(file)} {_ocspProblem}";
                return false;
            }
        }
        try
        {
            // What OpenSSL takes depends on its own configuration too, such as the least length of a key: asked once here, so that it cannot fail later.
            if (useOpenSsl) new OpenSslServerContext(certificate, TlsPolicy.Intermediate, clients: null, isHttp: true).Dispose();
        }
        catch (CryptographicException e)
        {
            error = $"cannot be used: {TlsFile.Line(e)}";
            return false;
        }
        _stapleMissing = _ocspProblem;
        _current = certificate;
        return true;
    }

    internal override (DateTimeOffset NotBefore, DateTimeOffset ExpiresAt)? Validity => Current is { } certificate ? (certificate.NotBefore, certificate.ExpiresAt) : null;

    internal override CertificateView? View(DateTimeOffset now) => Current is { } certificate ? View(certificate, now, LoadedAt, Problem) : null;
}
