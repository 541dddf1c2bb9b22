using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>A connection to a destination.</summary>
internal sealed unsafe class OpenSslClientConnection : OpenSslConnection
{
    private readonly DestinationTls _destination;
    private readonly bool _isNamed; // whether OpenSSL has taken the name that is to be verified; without one it would take any
    private readonly DateTime _resumable; // until when the session that was asked for may be
    private DateTime _believedUntil; // default: not known yet
    private bool _hasAnswer;

    internal OpenSslClientConnection(TransportConnection inner, DestinationTls destination, OpenSslClientContext context, SessionSlot session, bool isHttp) : base(inner, context)
    {
        _destination = destination;
        Session = session;
        IsHttp = isHttp;
        FailReason = EndReason.UpstreamTlsFailed;
        Problem = UpstreamProblem.Reset; // where nothing else is noted
        LibSsl.SetConnectState(Ssl);
        fixed (byte* name = destination.ServerNameText)
        {
            if (destination.IsAddress) _isNamed = LibSsl.SetAddress(LibSsl.GetVerifyParameters(Ssl), name) == 1;
            else
            {
                _ = LibSsl.Control(Ssl, LibSsl.ControlSetServerName, 0, name);
                _isNamed = LibSsl.SetHost(Ssl, name) == 1;
                // RFC 9525 §6.1, §6.3: the subject alternative names count, the common name does not; a wildcard stands for one whole label.
                LibSsl.SetHostFlags(Ssl, LibSsl.HostNoPartialWildcards | LibSsl.HostNeverSubject);
            }
        }
        if (!isHttp) _ = LibSsl.SetAlpnOffer(Ssl, null, 0); // in place of the context's
        // Made with the same destination, under the same name, by the same rules.
        if (session.Pointer == 0 || session.BelievedUntil <= Now || LibSsl.SetSession(Ssl, session.Pointer) != 1) return;
        _resumable = session.BelievedUntil;
    }

    /// <summary>Where sessions go that the destination offers.</summary>
    internal SessionSlot Session { get; }

    private DateTime Now => Loop.Time.GetUtcNow().UtcDateTime;

    /// <summary>Takes a session that the destination offers, with its count; false to leave it. It comes when the certificate was verified, or has been with a former session.</summary>
    internal bool Keep(nint session)
    {
        if (_believedUntil == default) _believedUntil = LibSsl.IsResumed(Ssl) != 0 ? _resumable : BelievedFromNow();
        return Session.Keep(session, _believedUntil);
    }

    // What a certificate proves is looked at again every day: it expires, and the authorities that are believed may change.
    private DateTime BelievedFromNow()
    {
        DateTime until = Now + TimeSpan.FromDays(1);
        if (!_destination.Shared.Config.Verify || LibSsl.PeerCertificate(Ssl) is not { } shown) return until;
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(shown);
        DateTime end = certificate.NotAfter.ToUniversalTime();
        return end < until ? end : until;
    }

    // RFC 8446 §6.1, RFC 9112 §9.8: whoever is between could have cut the answer.
    private protected override bool IsEndWithoutNoticeInOrder => false;

    private protected override bool TakesAnswer()
    {
        if (_hasAnswer || Inner.Input.IsEmpty) return true;
        _hasAnswer = true;
        if (UpstreamProblem.IsTls(Inner.Input.Bytes.Span[0])) return true;
        Problem = UpstreamProblem.NoTls;
        return false;
    }

    private protected override void NoteHandshakeFailed()
    {
        string reason = LibSsl.TakeReasonText();
        if (_destination.Shared.Config.Verify && LibSsl.VerifyProblem(Ssl) is { } problem)
        {
            FailReason = EndReason.UpstreamCertificateInvalid;
            Problem = UpstreamProblem.Certificate(problem, _destination.ServerName);
        }
        else Problem = reason.Length > 0 ? reason : UpstreamProblem.Closed;
    }

    private protected override void OnReadBroken(string problem)
    {
        if (NoteRefused(problem)) _destination.Tell(problem);
    }

    // RFC 7301 §3.2: none, or what was offered.
    private protected override bool AcceptsPeer()
    {
        if (!_isNamed && _destination.Shared.Config.Verify)
        {
            FailReason = EndReason.UpstreamCertificateInvalid;
            Problem = UpstreamProblem.Certificate("its names cannot be compared", _destination.ServerName);
            return false;
        }
        byte* protocol;
        uint length;
        LibSsl.GetAlpnSelected(Ssl, &protocol, &length);
        if (length == 0 || IsHttp && new ReadOnlySpan<byte>(protocol, (int)length).SequenceEqual("http/1.1"u8)) return true;
        Problem = UpstreamProblem.OtherProtocol;
        return false;
    }
}
