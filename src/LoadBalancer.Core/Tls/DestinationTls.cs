using System.Net;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Tls.OpenSsl;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>TLS to one destination: the name it must prove, and what was told of its failures. Thread-safe.</summary>
internal sealed class DestinationTls
{
    private static readonly TimeSpan SameAgainAfter = TimeSpan.FromMinutes(1), OtherAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _telling = new();
    private readonly string _destination;
    private string _told = "";
    private long _toldAt;

    internal DestinationTls(UpstreamTls shared, string destination, EndPoint endPoint)
    {
        Shared = shared;
        _destination = destination;
        ServerName = shared.Config.ServerName ?? endPoint switch
        {
            DnsEndPoint name => name.Host,
            IPEndPoint ip => new IPAddress(ip.Address.GetAddressBytes()).ToString(), // without a zone: RFC 6874 §1
            _ => "localhost", // a Unix socket's
        };
        IsAddress = ServerName.Contains(':', StringComparison.Ordinal) || IPAddress.TryParse(ServerName, out IPAddress? address) && address.ToString() == ServerName;
        ServerNameText = Encoding.ASCII.GetBytes(ServerName + '\0');
    }

    internal UpstreamTls Shared { get; }

    /// <summary>What the certificate must be for.</summary>
    internal string ServerName { get; }

    /// <summary>The same with a zero at its end.</summary>
    internal byte[] ServerNameText { get; }

    /// <summary>Whether that is an IP address, which is not asked for: RFC 6066 §3.</summary>
    internal bool IsAddress { get; }

    /// <summary>The encrypted connection on one that is to be connected first.</summary>
    internal TlsConnection CreateConnection(TransportConnection inner, SessionSlot session, bool isHttp) =>
        Shared.OpenSsl is { } context ? new OpenSslClientConnection(inner, this, context, session, isHttp) : new SslStreamClientConnection(inner, this) { IsHttp = isHttp };

    /// <summary>The hand-shake, on a connection whose carrier is connected.</summary>
    internal async ValueTask<ConnectResult> EstablishAsync(TlsConnection connection)
    {
        if (await connection.EstablishAsync().ConfigureAwait(false)) return ConnectResult.Connected;
        if (connection.Inner.Fault == TransportFault.Aborted) return ConnectResult.Aborted;
        Tell(connection.Problem);
        return connection.FailReason == EndReason.UpstreamCertificateInvalid ? ConnectResult.CertificateInvalid : ConnectResult.HandshakeFailed;
    }

    /// <summary>Logs a problem, unless it was just told: every request meets it again.</summary>
    internal void Tell(string problem)
    {
        lock (_telling)
        {
            long now = Shared.Time.GetTimestamp();
            if (_told.Length > 0 && Shared.Time.GetElapsedTime(_toldAt, now) < (problem == _told ? SameAgainAfter : OtherAfter)) return;
            _told = problem;
            _toldAt = now;
        }
        UpstreamTlsLog.Failed(Shared.Logger, Shared.Cluster, _destination, problem);
    }
}
