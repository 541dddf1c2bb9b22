using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>What connections to the destinations of a cluster are made of.</summary>
internal sealed unsafe class OpenSslClientContext : OpenSslContext
{
    /// <exception cref="System.Security.Cryptography.CryptographicException">OpenSSL does not take the certificate or its key.</exception>
    internal OpenSslClientContext(UpstreamTlsConfig config, X509Certificate2Collection? authorities, ServerCertificate? certificate) : base(LibSsl.ClientMethod(), config.Policy)
    {
        if (certificate is not null) SetCertificate(certificate);
        if (config.Verify)
        {
            LibSsl.ContextSetVerify(handle, LibSsl.VerifyPeer, null);
            if (authorities is not null) SetAuthorities(authorities, areNamed: false);
            else Require(LibSsl.ContextSetDefaultVerifyPaths(handle) == 1);
        }
        ReadOnlySpan<byte> offer = [8, .. "http/1.1"u8];
        fixed (byte* protocols = offer) Require(LibSsl.ContextSetAlpnOffer(handle, protocols, (uint)offer.Length) == 0);
        _ = LibSsl.ContextControl(handle, LibSsl.ControlSessionCacheMode, LibSsl.SessionsOfClients | LibSsl.SessionsNotInside, null);
        LibSsl.ContextSetNewSession(handle, &OnSession);
    }

    // With the hand-shake in TLS 1.2, with each ticket in 1.3. The count is ours when the answer is 1.
    [UnmanagedCallersOnly]
    private static int OnSession(nint ssl, nint session)
    {
        OpenSslConnection connection = ConnectionBio.Connection(LibSsl.GetReadBio(ssl));
        try
        {
            return ((OpenSslClientConnection)connection).Keep(session) ? 1 : 0;
        }
        catch (Exception e)
        {
            connection.NoteException(e);
            return 0;
        }
    }
}
