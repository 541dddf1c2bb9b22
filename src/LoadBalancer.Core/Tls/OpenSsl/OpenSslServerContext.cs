using System.Runtime.InteropServices;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>What clients' connections are made of: one certificate of a listener.</summary>
internal sealed unsafe class OpenSslServerContext : OpenSslContext
{
    /// <exception cref="System.Security.Cryptography.CryptographicException">OpenSSL does not take the certificate or its key.</exception>
    /// <param name="certificate">What is shown.</param>
    /// <param name="policy">Protocols and ciphers.</param>
    /// <param name="clients">Who is let in by certificate; null for everybody.</param>
    /// <param name="isHttp">Whether what is inside is HTTP, which is then agreed on by ALPN; else nothing is, whatever a client offers.</param>
    internal OpenSslServerContext(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients, bool isHttp) : base(LibSsl.ServerMethod(), policy)
    {
        SetCertificate(certificate);
        SetSessions(clients is null ? "lb"u8 : clients.Id);
        if (clients is not null)
        {
            LibSsl.ContextSetVerify(handle, LibSsl.VerifyPeer | (clients.IsRequired ? LibSsl.VerifyFailWithoutCertificate : 0), null);
            SetAuthorities(clients.Authorities, areNamed: true);
        }
        _ = LibSsl.ContextCallbackControl(handle, LibSsl.ControlServerNameCallback, (delegate* unmanaged<nint, int*, void*, int>)&OnServerName);
        if (isHttp) LibSsl.ContextSetAlpnSelect(handle, &OnAlpn, null);
        if (certificate.Ocsp is not null) _ = LibSsl.ContextCallbackControl(handle, LibSsl.ControlStatusCallback, (delegate* unmanaged<nint, void*, int>)&OnStatus);
    }

    // A session holds only where it was made: with the same authorities of clients.
    private void SetSessions(ReadOnlySpan<byte> idContext)
    {
        // Tickets only: what is kept here for a client costs memory that clients decide about.
        _ = LibSsl.ContextControl(handle, LibSsl.ControlSessionCacheMode, 0, null);
        _ = LibSsl.ContextSetTimeout(handle, new CLong((nint)TicketKeys.SealingTime.TotalSeconds));
        fixed (byte* id = idContext) Require(LibSsl.ContextSetSessionIdContext(handle, id, (uint)idContext.Length) == 1);
        Require(LibSsl.ContextSetTicketKeys(handle, &OnTicket) == 1);
    }

    private static OpenSslServerConnection Connection(nint ssl) => (OpenSslServerConnection)ConnectionBio.Connection(LibSsl.GetReadBio(ssl));

    // The name the client asks for (RFC 6066 §3) decides the certificate.
    [UnmanagedCallersOnly]
    private static int OnServerName(nint ssl, int* alert, void* argument)
    {
        try
        {
            byte* name = LibSsl.GetServerName(ssl, 0);
            if (name == null) return LibSsl.ExtensionNoAck;
            OpenSslServerConnection connection = Connection(ssl);
            // Null after the hand-shake; there is no second one.
            if (connection.Certificates is not { } certificates) return LibSsl.ExtensionAlertFatal;
            ServerIdentity identity = certificates.Find(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
            if (identity != certificates.Default) _ = LibSsl.SetContext(ssl, identity.OpenSsl!.Pointer);
            return LibSsl.ExtensionOk;
        }
        catch (Exception e)
        {
            Connection(ssl).NoteException(e);
            return LibSsl.ExtensionAlertFatal;
        }
    }

    // RFC 6066 §8: a client that asks for it gets the OCSP response of the certificate it is shown. One that has expired would make it refuse.
    [UnmanagedCallersOnly]
    private static int OnStatus(nint ssl, void* argument)
    {
        try
        {
            OpenSslServerConnection connection = Connection(ssl);
            if (connection.Certificates is not { } certificates) return LibSsl.ExtensionNoAck;
            byte* name = LibSsl.GetServerName(ssl, 0);
            ServerIdentity identity = name == null ? certificates.Default : certificates.Find(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
            if (identity.Certificate.Ocsp is not { } ocsp || !ocsp.IsUsable(connection.Loop.Time.GetUtcNow())) return LibSsl.ExtensionNoAck;
            void* copy = LibSsl.Allocate((nuint)ocsp.Bytes.Length, null, 0);
            if (copy == null) return LibSsl.ExtensionNoAck;
            ocsp.Bytes.CopyTo(new Span<byte>(copy, ocsp.Bytes.Length));
            _ = LibSsl.Control(ssl, LibSsl.ControlStatusResponse, ocsp.Bytes.Length, copy); // OpenSSL frees it with the connection
            return LibSsl.ExtensionOk;
        }
        catch (Exception e)
        {
            Connection(ssl).NoteException(e);
            return LibSsl.ExtensionNoAck;
        }
    }

    // RFC 7301 §3.2: no protocol in common ends the hand-shake.
    [UnmanagedCallersOnly]
    private static int OnAlpn(nint ssl, byte** chosen, byte* chosenLength, byte* offered, uint offeredLength, void* argument)
    {
        ReadOnlySpan<byte> ours = "http/1.1"u8;
        for (uint at = 0; at < offeredLength;)
        {
            byte length = offered[at++];
            if (length > offeredLength - at) break;
            if (new ReadOnlySpan<byte>(offered + at, length).SequenceEqual(ours))
            {
                *chosen = offered + at;
                *chosenLength = length;
                return LibSsl.ExtensionOk;
            }
            at += length;
        }
        return LibSsl.ExtensionAlertFatal;
    }

    [UnmanagedCallersOnly]
    private static int OnTicket(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int isSealing)
    {
        try
        {
            OpenSslServerConnection connection = Connection(ssl);
            DateTimeOffset now = connection.Loop.Time.GetUtcNow();
            if (isSealing == 0) return connection.Tickets.TryOpen(now, name, iv, cipher, mac);
            return connection.Tickets.TrySeal(now, name, iv, cipher, mac) ? 1 : -1;
        }
        catch (Exception e)
        {
            Connection(ssl).NoteException(e);
            return -1;
        }
    }
}
