using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>Outcome of a step of OpenSSL.</summary>
internal enum OpenSslStatus : byte
{
    Done,
    /// <summary>More bytes of the peer are needed.</summary>
    WantsBytes,
    /// <summary>The peer ended its direction: close_notify, or the end of the stream below without one.</summary>
    Ended,
    /// <summary>The peer broke the protocol, or the connection below broke.</summary>
    Broken,
}

/// <summary>
/// A connection encrypted by OpenSSL, which works on the buffers of the connection below: no stream, no copies in between, nothing that waits. The
/// SSL object lives from the constructor to <see cref="TransportConnection.Close"/>.
/// </summary>
internal sealed class OpenSslConnection : TlsConnection
{
    private readonly GCHandle _self;
    private readonly OpenSslReader _reader;
    private nint _ssl;
    private readonly bool _verifiesClients;
    private bool _isBroken;

    internal OpenSslConnection(TransportConnection inner, CertificateSet certificates, TicketKeys tickets, bool verifiesClients) : base(inner)
    {
        _verifiesClients = verifiesClients;
        Certificates = certificates;
        Tickets = tickets;
        _reader = new OpenSslReader(this, inner);
        _ssl = LibSsl.New(certificates.Default.OpenSsl!.Pointer);
        if (_ssl == 0) throw new InsufficientMemoryException();
        _self = GCHandle.Alloc(this);
        nint bio = ConnectionBio.Create(_self);
        LibSsl.SetBio(_ssl, bio, bio);
        LibSsl.SetAcceptState(_ssl);
    }

    public override TransportReader Input => _reader;

    private protected override TlsReader Reader => _reader;

    internal CertificateSet Certificates { get; }

    internal TicketKeys Tickets { get; }

    /// <summary>Whether decrypted bytes wait inside OpenSSL.</summary>
    internal bool HasDecrypted => LibSsl.Pending(_ssl) > 0;

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private protected override async ValueTask<bool> HandshakeAsync()
    {
        while (true)
        {
            OpenSslStatus status = StepHandshake();
            // Also what tells the peer why it failed.
            if (Inner.Output.UnflushedBytes > 0)
            {
                var sent = await Inner.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                if (sent.IsCompleted || sent.IsCanceled) return false;
            }
            if (status == OpenSslStatus.Done) return AcceptsClient();
            if (status != OpenSslStatus.WantsBytes) return false;
            await Inner.Input.FillAsync();
            if (Inner.Fault != TransportFault.None) return false;
        }
    }

    private OpenSslStatus StepHandshake()
    {
        LibSsl.ClearErrors();
        OpenSslStatus status = Status(LibSsl.DoHandshake(_ssl));
        if (status == OpenSslStatus.Broken && LibSsl.TakeReason() is LibSsl.ReasonCertificateVerifyFailed or LibSsl.ReasonNoPeerCertificate)
            FailReason = EndReason.ClientCertificateRefused;
        return status;
    }

    // OpenSSL has verified it, now or when the session was made: it may have expired since.
    private bool AcceptsClient()
    {
        if (!_verifiesClients || LibSsl.PeerCertificate(_ssl) is not { } shown) return true;
        ClientCertificate = X509CertificateLoader.LoadCertificate(shown);
        if (ClientCertificate.NotAfter.ToUniversalTime() < Loop.Time.GetUtcNow().UtcDateTime)
        {
            FailReason = EndReason.ClientCertificateRefused;
            return false;
        }
        return true;
    }

    /// <summary>Decrypts what was received.</summary>
    // Hot path: per record. 0 allocations.
    internal OpenSslStatus Decrypt(Span<byte> room, out int count)
    {
        LibSsl.ClearErrors();
        int result = LibSsl.Read(_ssl, room);
        count = Math.Max(result, 0);
        return Status(result);
    }

    /// <summary>Sends what OpenSSL had to say while it read: an alert, the refusal of a renegotiation.</summary>
    internal void SendAnswers()
    {
        if (Inner.Output.UnflushedBytes > 0 && !Writer.IsSending) Writer.FlushRecords();
    }

    internal override bool Encrypt(ReadOnlyMemory<byte> plain)
    {
        if (plain.IsEmpty) return true;
        LibSsl.ClearErrors();
        if (LibSsl.Write(_ssl, plain.Span) == plain.Length && !_isBroken) return true;
        NoteFault(isBroken: true);
        return false;
    }

    internal override void EndRecords()
    {
        LibSsl.ClearErrors();
        _ = LibSsl.Shutdown(_ssl);
    }

    private OpenSslStatus Status(int result)
    {
        if (_isBroken) return OpenSslStatus.Broken;
        if (result > 0) return OpenSslStatus.Done;
        return LibSsl.GetError(_ssl, result) switch
        {
            LibSsl.ErrorWantRead => OpenSslStatus.WantsBytes,
            LibSsl.ErrorZeroReturn => OpenSslStatus.Ended,
            // Without a close_notify: many clients end so. What they sent says itself whether it is whole.
            LibSsl.ErrorSyscall when Inner.Input.IsEnded && Inner.Fault == TransportFault.None => OpenSslStatus.Ended,
            _ => OpenSslStatus.Broken,
        };
    }

    /// <summary>For OpenSSL: bytes that were received. -1 when there are none, 0 at the end.</summary>
    internal int TakeEncrypted(Span<byte> room)
    {
        ReadOnlySpan<byte> bytes = Inner.Input.Bytes.Span;
        int count = Math.Min(bytes.Length, room.Length);
        if (count == 0) return Inner.Input.IsEnded ? 0 : -1;
        bytes[..count].CopyTo(room);
        Inner.Input.Consume(count);
        return count;
    }

    /// <summary>For OpenSSL: bytes to send. False when they cannot be taken, which breaks the connection.</summary>
    internal bool PutEncrypted(ReadOnlySpan<byte> bytes)
    {
        // What OpenSSL answers to while it reads (an alert) finds the buffer in use. Without it the rest could not be decrypted.
        if (Writer.IsSending) _isBroken = true;
        if (_isBroken) return false;
        bytes.CopyTo(Inner.Output.GetSpan(bytes.Length));
        Inner.Output.Advance(bytes.Length);
        return true;
    }

    /// <summary>An exception in a call from OpenSSL. It is a bug; the connection ends.</summary>
    internal void NoteException(Exception exception)
    {
        _isBroken = true;
        Loop.UnhandledException?.Invoke(exception);
    }

    private protected override void Release()
    {
        if (_ssl == 0) return;
        LibSsl.Free(_ssl); // and the BIO
        _ssl = 0;
        _self.Free();
        ClientCertificate?.Dispose();
    }
}
