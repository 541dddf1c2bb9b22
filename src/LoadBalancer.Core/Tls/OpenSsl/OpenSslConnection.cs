using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
internal abstract class OpenSslConnection : TlsConnection
{
    private readonly GCHandle _self;
    private readonly OpenSslReader _reader;
    private nint _ssl;
    private bool _isBroken;

    private protected OpenSslConnection(TransportConnection inner, OpenSslContext context) : base(inner)
    {
        _reader = new OpenSslReader(this, inner);
        _ssl = LibSsl.New(context.Pointer); // counted by OpenSSL from here on
        if (_ssl == 0) throw new InsufficientMemoryException();
        _self = GCHandle.Alloc(this);
        nint bio = ConnectionBio.Create(_self);
        LibSsl.SetBio(_ssl, bio, bio);
    }

    public override TransportReader Input => _reader;

    private protected override TlsReader Reader => _reader;

    private protected nint Ssl => _ssl;

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
            if (status == OpenSslStatus.Done) return AcceptsPeer();
            if (status != OpenSslStatus.WantsBytes) return false;
            await Inner.Input.FillAsync();
            if (Inner.Fault != TransportFault.None || !TakesAnswer()) return false;
        }
    }

    private OpenSslStatus StepHandshake()
    {
        LibSsl.ClearErrors();
        OpenSslStatus status = Status(LibSsl.DoHandshake(_ssl));
        if (status is not (OpenSslStatus.Done or OpenSslStatus.WantsBytes)) NoteHandshakeFailed();
        return status;
    }

    /// <summary>A look at what has come, before OpenSSL gets it; false ends the hand-shake.</summary>
    private protected virtual bool TakesAnswer() => true;

    /// <summary>Notes why, from OpenSSL's queue of errors.</summary>
    private protected abstract void NoteHandshakeFailed();

    /// <summary>The last word on a peer with whom the hand-shake is done.</summary>
    private protected abstract bool AcceptsPeer();

    /// <summary>Whether the end of the stream below without a close_notify is taken for an end in order.</summary>
    private protected abstract bool IsEndWithoutNoticeInOrder { get; }

    /// <summary>Decrypts what was received.</summary>
    // Hot path: per record. 0 allocations.
    internal OpenSslStatus Decrypt(Span<byte> room, out int count)
    {
        LibSsl.ClearErrors();
        int result = LibSsl.Read(_ssl, room);
        count = Math.Max(result, 0);
        OpenSslStatus status = Status(result);
        if (status == OpenSslStatus.Done) HasContent = true;
        else if (status == OpenSslStatus.Broken) OnReadBroken(LibSsl.TakeReasonText());
        return status;
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
            LibSsl.ErrorSyscall when IsEndWithoutNoticeInOrder && Inner.Input.IsEnded && Inner.Fault == TransportFault.None => OpenSslStatus.Ended,
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
