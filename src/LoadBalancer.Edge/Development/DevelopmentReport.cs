using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Edge.Development;

/// <summary>What is printed about a <see cref="DevelopmentCertificate"/>, and how to make a client trust it.</summary>
internal static class DevelopmentReport
{
    internal static void Write(TextWriter writer, DevelopmentCertificate certificate, EndPoint endPoint)
    {
        string until = certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        writer.WriteLine($"  certificate  self-signed, for development only, until {until}: {certificate.PublicFile}");
        writer.WriteLine($"  SHA-256      {certificate.Fingerprint}");
        if (certificate.Note is { } note) writer.WriteLine($"  not kept     {note}; the next run makes another");
        writer.WriteLine($"  try          {Curl(certificate, endPoint)}");
    }

    /// <summary>A command that works as it stands, without switching verification off.</summary>
    internal static string Curl(DevelopmentCertificate certificate, EndPoint endPoint) => $"curl --cacert {Quote(certificate.PublicFile)} {Target(endPoint)}";

    // The certificate is for localhost and the loopback addresses: another address is led to under that name.
    private static string Target(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint { Address: var address, Port: var port } when address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            || address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.IPv6Loopback) => $"https://localhost:{port}/",
        IPEndPoint ip => $"--connect-to localhost:{ip.Port}:{ip} https://localhost:{ip.Port}/",
        UnixDomainSocketEndPoint unix => $"--unix-socket {Quote(unix.ToString())} https://localhost/",
        _ => $"https://{endPoint}/",
    };

    // As a POSIX shell needs it.
    private static string Quote(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '+' or ':' or '@') ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
