using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>An <c>SSL_CTX</c>: a certificate with key and chain, and the policy. What is made of it keeps it alive in OpenSSL's own count.</summary>
internal abstract unsafe class OpenSslContext : SafeHandle
{
    private protected OpenSslContext(nint method, TlsPolicy policy) : base(0, ownsHandle: true)
    {
        SetHandle(LibSsl.ContextNew(method));
        if (IsInvalid) throw new InsufficientMemoryException();
        SetPolicy(policy);
        // An idle connection holds no buffers. What is sent as chain is what stands in the file.
        _ = LibSsl.ContextControl(handle, LibSsl.ControlMode, LibSsl.ModeReleaseBuffers | LibSsl.ModeNoAutoChain, null);
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
        // Our order, but for clients that put ChaCha20 first: they have no AES in hardware.
        _ = LibSsl.ContextSetOptions(handle,
            LibSsl.OptionNoCompression | LibSsl.OptionNoRenegotiation | LibSsl.OptionServerPreference | LibSsl.OptionPrioritizeChaCha);
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

    private protected void SetCertificate(ServerCertificate certificate)
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

    /// <summary>Whose certificates are believed.</summary>
    private protected void SetAuthorities(X509Certificate2Collection authorities, bool areNamed)
    {
        nint store = LibSsl.StoreNew();
        foreach (X509Certificate2 authority in authorities)
        {
            nint decoded = Decode(authority);
            _ = LibSsl.StoreAdd(store, decoded);
            if (areNamed) _ = LibSsl.ContextAddClientAuthority(handle, decoded);
            LibSsl.CertificateFree(decoded);
        }
        _ = LibSsl.ContextControl(handle, LibSsl.ControlVerifyStore, 1, (void*)store); // takes a count of its own
        LibSsl.StoreFree(store);
    }

    private protected static void Require(bool holds)
    {
        if (!holds) throw new CryptographicException(LibSsl.TakeError());
    }
}
