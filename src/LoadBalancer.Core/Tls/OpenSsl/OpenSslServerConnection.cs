using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>A client's connection.</summary>
internal sealed class OpenSslServerConnection : OpenSslConnection
{
    internal OpenSslServerConnection(TransportConnection inner, CertificateSet certificates, TicketKeys tickets) : base(inner, certificates.Default.OpenSsl!)
    {
        Certificates = certificates;
        Tickets = tickets;
        LibSsl.SetAcceptState(Ssl);
    }

    private bool _isResumed;

    /// <summary>What the hand-shake chooses from; null when it is over, so that a set that was replaced does not stay for connections that are kept.</summary>
    internal CertificateSet? Certificates { get; private set; }

    internal TicketKeys Tickets { get; }

    internal override bool IsResumed => _isResumed;

    // Many clients of HTTP end so, and what they sent says itself whether it is whole. Other bytes do not: RFC 8446 §6.1.
    private protected override bool IsEndWithoutNoticeInOrder => IsHttp;

    private protected override void NoteHandshakeFailed()
    {
        if (LibSsl.TakeReason() is LibSsl.ReasonCertificateVerifyFailed or LibSsl.ReasonNoPeerCertificate) FailReason = EndReason.ClientCertificateRefused;
    }

    private unsafe void NoteSummary()
    {
        _isResumed = LibSsl.IsResumed(Ssl) != 0;
        byte* name = LibSsl.GetServerName(Ssl, 0);
        nint cipher = LibSsl.GetCipher(Ssl);
        TlsSummary = new TlsSummary(TlsNames.Of(LibSsl.GetVersion(Ssl)), cipher == 0 ? "" : TlsNames.Of(LibSsl.GetCipherName(cipher)),
            name == null ? null : System.Text.Encoding.Latin1.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)));
    }

    // OpenSSL has verified it, now or when the session was made: it may have expired since.
    private protected override bool AcceptsPeer()
    {
        NoteSummary();
        bool verifiesClients = Certificates!.Clients is not null;
        Certificates = null;
        if (!verifiesClients || LibSsl.PeerCertificate(Ssl) is not { } shown) return true;
        ClientCertificate = X509CertificateLoader.LoadCertificate(shown);
        if (ClientCertificate.NotAfter.ToUniversalTime() < Loop.Time.GetUtcNow().UtcDateTime)
        {
            FailReason = EndReason.ClientCertificateRefused;
            return false;
        }
        return true;
    }
}
