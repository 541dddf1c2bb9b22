using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>
/// What is used of OpenSSL 3, whose ABI is stable through all of 3.x; names and meaning as in its manual. Calls that may call back into managed code
/// keep the GC transition; the others return at once and suppress it. Errors are in a queue of the thread: whoever reads it clears it first.
/// </summary>
internal static unsafe partial class LibSsl
{
    private const string Ssl = "libssl.so.3", Crypto = "libcrypto.so.3";

    internal const int ErrorWantRead = 2, ErrorSyscall = 5, ErrorZeroReturn = 6;
    internal const int Tls12 = 0x0303, Tls13 = 0x0304;
    internal const int ControlMode = 33, ControlSessionCacheMode = 44, ControlServerNameCallback = 53, ControlMinProtocol = 123,
        ControlChainCertificate = 89, ControlGroupsList = 92, ControlVerifyStore = 106, ControlStatusCallback = 63, ControlStatusResponse = 71, ControlSetServerName = 55;
    internal const int SessionsOfClients = 1, SessionsNotInside = 0x300;
    internal const uint HostNoPartialWildcards = 4, HostNeverSubject = 0x20;
    internal const int ModeReleaseBuffers = 0x10, ModeNoAutoChain = 8;
    internal const int VerifyPeer = 1, VerifyFailWithoutCertificate = 2;
    internal const ulong OptionNoCompression = 1UL << 17, OptionNoRenegotiation = 1UL << 30, OptionServerPreference = 1UL << 22, OptionPrioritizeChaCha = 1UL << 21;
    internal const int ExtensionOk = 0, ExtensionAlertFatal = 2, ExtensionNoAck = 3;
    internal const int ReasonCertificateVerifyFailed = 134, ReasonNoPeerCertificate = 199;
    internal const int BioControlFlush = 11;
    internal const int BioFlagRead = 1, BioFlagWrite = 2, BioFlagSpecial = 4, BioFlagRetry = 8;

    /// <summary>Whether the library is there, in a version that has the calls below.</summary>
    internal static bool IsSupported { get; } = OperatingSystem.IsLinux() && NativeLibrary.TryLoad(Ssl, out _) && NativeLibrary.TryLoad(Crypto, out _);

    [LibraryImport(Ssl, EntryPoint = "TLS_server_method"), SuppressGCTransition]
    internal static partial nint ServerMethod();

    [LibraryImport(Ssl, EntryPoint = "TLS_client_method"), SuppressGCTransition]
    internal static partial nint ClientMethod();

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_default_verify_paths")]
    internal static partial int ContextSetDefaultVerifyPaths(nint context);

    /// <summary>0 when it is taken.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_alpn_protos")]
    internal static partial int ContextSetAlpnOffer(nint context, byte* protocols, uint length);

    /// <summary>0 when it is taken.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_set_alpn_protos")]
    internal static partial int SetAlpnOffer(nint ssl, byte* protocols, uint length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_sess_set_new_cb")]
    internal static partial void ContextSetNewSession(nint context, delegate* unmanaged<nint, nint, int> callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_connect_state")]
    internal static partial void SetConnectState(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_ctrl")]
    internal static partial nint Control(nint ssl, int command, nint number, void* pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_set1_host")]
    internal static partial int SetHost(nint ssl, byte* name);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_hostflags")]
    internal static partial void SetHostFlags(nint ssl, uint flags);

    [LibraryImport(Ssl, EntryPoint = "SSL_get0_param")]
    internal static partial nint GetVerifyParameters(nint ssl);

    [LibraryImport(Crypto, EntryPoint = "X509_VERIFY_PARAM_set1_ip_asc")]
    internal static partial int SetAddress(nint parameters, byte* address);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_verify_result")]
    internal static partial CLong GetVerifyResult(nint ssl);

    [LibraryImport(Crypto, EntryPoint = "X509_verify_cert_error_string")]
    private static partial nint DescribeVerifyResult(CLong result);

    [LibraryImport(Ssl, EntryPoint = "SSL_get0_alpn_selected")]
    internal static partial void GetAlpnSelected(nint ssl, byte** protocol, uint* length);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_session")]
    internal static partial int SetSession(nint ssl, nint session);

    [LibraryImport(Ssl, EntryPoint = "SSL_session_reused")]
    internal static partial int IsResumed(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_SESSION_free")]
    internal static partial void SessionFree(nint session);

    [LibraryImport(Crypto, EntryPoint = "ERR_reason_error_string")]
    private static partial nint DescribeReason(CULong code);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_new")]
    internal static partial nint ContextNew(nint method);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_free")]
    internal static partial void ContextFree(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_ctrl")]
    internal static partial nint ContextControl(nint context, int command, nint number, void* pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_callback_ctrl")]
    internal static partial nint ContextCallbackControl(nint context, int command, void* callback);

    [LibraryImport(Crypto, EntryPoint = "CRYPTO_malloc")]
    internal static partial void* Allocate(nuint length, byte* file, int line);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_options")]
    internal static partial ulong ContextSetOptions(nint context, ulong options);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_timeout")]
    internal static partial CLong ContextSetTimeout(nint context, CLong seconds);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetCipherList(nint context, string list);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_ciphersuites", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetCipherSuites(nint context, string list);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_session_id_context")]
    internal static partial int ContextSetSessionIdContext(nint context, byte* id, uint length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_alpn_select_cb")]
    internal static partial void ContextSetAlpnSelect(nint context, delegate* unmanaged<nint, byte**, byte*, byte*, uint, void*, int> callback, void* argument);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_tlsext_ticket_key_evp_cb")]
    internal static partial int ContextSetTicketKeys(nint context, delegate* unmanaged<nint, byte*, byte*, nint, nint, int, int> callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_certificate")]
    internal static partial int ContextUseCertificate(nint context, nint certificate);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_PrivateKey")]
    internal static partial int ContextUsePrivateKey(nint context, nint key);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_check_private_key")]
    internal static partial int ContextCheckPrivateKey(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_verify")]
    internal static partial void ContextSetVerify(nint context, int mode, void* callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_add_client_CA")]
    internal static partial int ContextAddClientAuthority(nint context, nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_new")]
    internal static partial nint StoreNew();

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_add_cert")]
    internal static partial int StoreAdd(nint store, nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_free")]
    internal static partial void StoreFree(nint store);

    [LibraryImport(Ssl, EntryPoint = "SSL_get1_peer_certificate")]
    private static partial nint GetPeerCertificate(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_new")]
    internal static partial nint New(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_free")]
    internal static partial void Free(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_accept_state")]
    internal static partial void SetAcceptState(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_bio")]
    internal static partial void SetBio(nint ssl, nint read, nint write);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_rbio"), SuppressGCTransition]
    internal static partial nint GetReadBio(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_SSL_CTX")]
    internal static partial nint SetContext(nint ssl, nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_servername"), SuppressGCTransition]
    internal static partial byte* GetServerName(nint ssl, int type);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_version"), SuppressGCTransition]
    internal static partial nint GetVersion(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_current_cipher"), SuppressGCTransition]
    internal static partial nint GetCipher(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_CIPHER_standard_name"), SuppressGCTransition]
    internal static partial nint GetCipherName(nint cipher);

    [LibraryImport(Ssl, EntryPoint = "SSL_do_handshake")]
    internal static partial int DoHandshake(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_read")]
    private static partial int Read(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_write")]
    private static partial int Write(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_shutdown")]
    internal static partial int Shutdown(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_pending"), SuppressGCTransition]
    internal static partial int Pending(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_error"), SuppressGCTransition]
    internal static partial int GetError(nint ssl, int result);

    [LibraryImport(Crypto, EntryPoint = "ERR_clear_error"), SuppressGCTransition]
    internal static partial void ClearErrors();

    [LibraryImport(Crypto, EntryPoint = "ERR_get_error")]
    private static partial CULong NextError();

    [LibraryImport(Crypto, EntryPoint = "ERR_error_string_n")]
    private static partial void DescribeError(CULong code, byte* buffer, nuint length);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_new_index")]
    internal static partial int BioNewIndex();

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_new")]
    internal static partial nint BioMethodNew(int type, byte* name);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_read")]
    internal static partial int BioMethodSetRead(nint method, delegate* unmanaged<nint, byte*, int, int> read);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_write")]
    internal static partial int BioMethodSetWrite(nint method, delegate* unmanaged<nint, byte*, int, int> write);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_ctrl")]
    internal static partial int BioMethodSetControl(nint method, delegate* unmanaged<nint, int, CLong, void*, CLong> control);

    [LibraryImport(Crypto, EntryPoint = "BIO_new")]
    internal static partial nint BioNew(nint method);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_data"), SuppressGCTransition]
    internal static partial void BioSetData(nint bio, nint data);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_data"), SuppressGCTransition]
    internal static partial nint BioGetData(nint bio);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_init"), SuppressGCTransition]
    internal static partial void BioSetInitialized(nint bio, int initialized);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_flags"), SuppressGCTransition]
    internal static partial void BioSetFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_clear_flags"), SuppressGCTransition]
    internal static partial void BioClearFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "d2i_X509")]
    private static partial nint DecodeCertificate(nint reuse, byte** der, CLong length);

    [LibraryImport(Crypto, EntryPoint = "i2d_X509")]
    private static partial int EncodeCertificate(nint certificate, byte** der);

    [LibraryImport(Crypto, EntryPoint = "X509_free")]
    internal static partial void CertificateFree(nint certificate);

    [LibraryImport(Crypto, EntryPoint = "d2i_AutoPrivateKey")]
    private static partial nint DecodePrivateKey(nint reuse, byte** der, CLong length);

    [LibraryImport(Crypto, EntryPoint = "EVP_PKEY_free")]
    internal static partial void PrivateKeyFree(nint key);

    [LibraryImport(Crypto, EntryPoint = "EVP_aes_256_cbc"), SuppressGCTransition]
    internal static partial nint Aes256Cbc();

    [LibraryImport(Crypto, EntryPoint = "EVP_EncryptInit_ex")]
    internal static partial int EncryptInit(nint context, nint cipher, nint engine, byte* key, byte* iv);

    [LibraryImport(Crypto, EntryPoint = "EVP_DecryptInit_ex")]
    internal static partial int DecryptInit(nint context, nint cipher, nint engine, byte* key, byte* iv);

    [LibraryImport(Crypto, EntryPoint = "EVP_MAC_CTX_set_params")]
    internal static partial int MacSetParameters(nint context, Parameter* parameters);

    /// <summary>OSSL_PARAM.</summary>
    internal struct Parameter
    {
        internal const uint Utf8 = 4, Octets = 5;

        internal byte* Key;
        internal uint Type;
        internal void* Data;
        internal nuint Size, ReturnSize;
    }

    internal static int Read(nint ssl, Span<byte> room)
    {
        fixed (byte* at = room) return Read(ssl, at, room.Length);
    }

    internal static int Write(nint ssl, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* at = bytes) return Write(ssl, at, bytes.Length);
    }

    internal static nint DecodeCertificate(ReadOnlySpan<byte> der)
    {
        fixed (byte* start = der)
        {
            byte* at = start;
            return DecodeCertificate(0, &at, new CLong(der.Length));
        }
    }

    /// <summary>The certificate that the peer has shown and proved to hold, in DER; null for none.</summary>
    internal static byte[]? PeerCertificate(nint ssl)
    {
        nint certificate = GetPeerCertificate(ssl);
        if (certificate == 0) return null;
        byte[] der = new byte[Math.Max(EncodeCertificate(certificate, null), 0)];
        fixed (byte* start = der)
        {
            byte* at = start;
            _ = EncodeCertificate(certificate, &at);
        }
        CertificateFree(certificate);
        return der;
    }

    internal static nint DecodePrivateKey(ReadOnlySpan<byte> der)
    {
        fixed (byte* start = der)
        {
            byte* at = start;
            return DecodePrivateKey(0, &at, new CLong(der.Length));
        }
    }

    /// <summary>The reason of the first error in the thread's queue (ERR_GET_REASON); the queue is empty then.</summary>
    internal static int TakeReason()
    {
        int reason = (int)NextError().Value & 0x7FFFFF;
        ClearErrors();
        return reason;
    }

    /// <summary>The reason of the first error in the thread's queue in OpenSSL's words, empty without an error; the queue is empty then.</summary>
    internal static string TakeReasonText()
    {
        CULong code = NextError();
        ClearErrors();
        return code.Value == 0 ? "" : Marshal.PtrToStringUTF8(DescribeReason(code)) ?? "";
    }

    /// <summary>What is wrong with the peer's certificate, in OpenSSL's words; null when nothing is.</summary>
    internal static string? VerifyProblem(nint ssl)
    {
        CLong result = GetVerifyResult(ssl);
        return result.Value == 0 ? null : Marshal.PtrToStringUTF8(DescribeVerifyResult(result)) ?? "it is not valid";
    }

    /// <summary>The first error of the thread's queue in OpenSSL's words; the queue is empty then.</summary>
    internal static string TakeError()
    {
        CULong code = NextError();
        byte* text = stackalloc byte[256];
        DescribeError(code, text, 256);
        ClearErrors();
        return Marshal.PtrToStringUTF8((nint)text) ?? "";
    }
}
