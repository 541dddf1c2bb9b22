using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>An <c>SSL_CTX</c>: a certificate with key and chain, and the policy. What is made of it keeps it alive in OpenSSL's own count.</summary>
internal sealed unsafe class OpenSslContext : SafeHandle
{
    /// <exception cref="CryptographicException">OpenSSL does not take the certificate or its key.</exception>
    internal OpenSslContext(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients) : base(0, ownsHandle: true)
    {
        SetHandle(LibSsl.ContextNew(LibSsl.ServerMethod()));
        if (IsInvalid) throw new InsufficientMemoryException();
        SetPolicy(policy);
        SetCertificate(certificate);
        SetSessions(clients is null ? "lb"u8 : clients.Id);
        if (clients is not null) SetClients(clients);
        // An idle connection holds no buffers. What is sent as chain is what stands in the file.
        _ = LibSsl.ContextControl(handle, LibSsl.ControlMode, LibSsl.ModeReleaseBuffers | LibSsl.ModeNoAutoChain, null);
        _ = LibSsl.ContextCallbackControl(handle, LibSsl.ControlServerNameCallback, (delegate* unmanaged<nint, int*, void*, int>)&OnServerName);
        LibSsl.ContextSetAlpnSelect(handle, &OnAlpn, null);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        LibSsl.ContextFree(handle);
        return true;
    }

    private void SetPolicy(TlsPolicy policy)
    {
        _ = LibSsl.ContextSetOptions(handle, LibSsl.OptionNoCompression | LibSsl.OptionNoRenegotiation);
        _ = LibSsl.ContextControl(handle, LibSsl.ControlMinProtocol, policy == TlsPolicy.Modern ? LibSsl.Tls13 : LibSsl.Tls12, null);
        Require(LibSsl.ContextSetCipherSuites(handle, TlsCiphers.OpenSslTls13) == 1);
        Require(LibSsl.ContextSetCipherList(handle, TlsCiphers.OpenSslTls12) == 1);
        // The hybrid of RFC 9794 where the library has it (from 3.5).
        if (!SetGroups("X25519MLKEM768:X25519:P-256:P-384")) Require(SetGroups("X25519:P-256:P-384"));
        LibSsl.ClearErrors();
    }

    private bool SetGroups(string groups)
    {
        fixed (byte* text = System.Text.Encoding.ASCII.GetBytes(groups + "\0")) return LibSsl.ContextControl(handle, LibSsl.ControlGroupsList, 0, text) == 1;
    }

    private void SetCertificate(ServerCertificate certificate)
    {
        nint leaf = Decode(certificate.Leaf);
        bool isUsed = LibSsl.ContextUseCertificate(handle, leaf) == 1;
        LibSsl.CertificateFree(leaf);
        Require(isUsed);
        foreach (X509Certificate2 link in certificate.Context.IntermediateCertificates)
        {
            nint added = Decode(link);
            isUsed = LibSsl.ContextControl(handle, LibSsl.ControlChainCertificate, 1, (void*)added) == 1; // takes a count of its own
            LibSsl.CertificateFree(added);
            Require(isUsed);
        }
        byte[] secret = PrivateKey(certificate.Leaf);
        nint key = LibSsl.DecodePrivateKey(secret);
        CryptographicOperations.ZeroMemory(secret);
        Require(key != 0);
        isUsed = LibSsl.ContextUsePrivateKey(handle, key) == 1;
        LibSsl.PrivateKeyFree(key);
        Require(isUsed && LibSsl.ContextCheckPrivateKey(handle) == 1);
    }

    private static nint Decode(X509Certificate2 certificate)
    {
        nint decoded = LibSsl.DecodeCertificate(certificate.RawDataMemory.Span);
        Require(decoded != 0);
        return decoded;
    }

    private static byte[] PrivateKey(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey();
        return key?.ExportPkcs8PrivateKey() ?? throw new CryptographicException("the key is neither an elliptic curve's nor RSA");
    }

    private void SetClients(ClientVerification clients)
    {
        LibSsl.ContextSetVerify(handle, LibSsl.VerifyPeer | (clients.IsRequired ? LibSsl.VerifyFailWithoutCertificate : 0), null);
        nint store = LibSsl.StoreNew();
        foreach (X509Certificate2 authority in clients.Authorities)
        {
            nint decoded = Decode(authority);
            _ = LibSsl.StoreAdd(store, decoded);
            _ = LibSsl.ContextAddClientAuthority(handle, decoded);
            LibSsl.CertificateFree(decoded);
        }
        _ = LibSsl.ContextControl(handle, LibSsl.ControlVerifyStore, 1, (void*)store); // takes a count of its own
        LibSsl.StoreFree(store);
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

    private static void Require(bool holds)
    {
        if (!holds) throw new CryptographicException(LibSsl.TakeError());
    }

    private static OpenSslConnection Connection(nint ssl) => ConnectionBio.Connection(LibSsl.GetReadBio(ssl));

    // The name the client asks for (RFC 6066 §3) decides the certificate.
    [UnmanagedCallersOnly]
    private static int OnServerName(nint ssl, int* alert, void* argument)
    {
        try
        {
            byte* name = LibSsl.GetServerName(ssl, 0);
            if (name == null) return LibSsl.ExtensionNoAck;
            OpenSslConnection connection = Connection(ssl);
            ServerIdentity identity = connection.Certificates.Find(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
            if (identity != connection.Certificates.Default) _ = LibSsl.SetContext(ssl, identity.OpenSsl!.Pointer);
            return LibSsl.ExtensionOk;
        }
        catch (Exception e)
        {
            Connection(ssl).NoteException(e);
            return LibSsl.ExtensionAlertFatal;
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
            OpenSslConnection connection = Connection(ssl);
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
