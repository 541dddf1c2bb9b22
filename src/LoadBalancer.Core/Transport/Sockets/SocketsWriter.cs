using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// The sending side: heads are collected in one slab, bodies are sent from where they lie, by plain non-blocking calls. When the send
/// buffer is full, a small piece is copied and sent asynchronously, only to learn when there is room again; so no other thread ever
/// touches the caller's memory. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed class SocketsWriter : TransportWriter, IValueTaskSource<FlushResult>
{
    private const int CopyMax = 4096;  // up to here copying beats a second I/O vector
    private const int PieceMax = 4096; // the copy costs less than the system call it goes with

    private readonly SocketsConnection _connection;
    private readonly SocketsLoop _loop;
    private Slab? _slab, _pieceSlab;
    private int _collected, _sent; // in the slab
    private ReadOnlyMemory<byte> _body, _tail;
    private bool _pending, _cancelRequested, _completed, _released;
    private Piece? _piece; // made when a send first stalls: most connections never do
    private List<ArraySegment<byte>>? _segments;
    private LoopCompletion<FlushResult> _completion;

    internal SocketsWriter(SocketsConnection connection, SocketsLoop loop)
    {
        _connection = connection;
        _loop = loop;
    }

    internal bool IsPending => _pending;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _collected - _sent;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint).Array.AsMemory(_collected);

    public override Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint).Array.AsSpan(_collected);

    private Slab Room(int sizeHint)
    {
        Slab? slab = _slab;
        int sizeMin = _collected + Math.Max(sizeHint, 1);
        if (slab is not null && slab.Length >= sizeMin) return slab;
        if (sizeMin > SlabPool.LargeSize) throw new ArgumentOutOfRangeException(nameof(sizeHint), "more was collected than a slab holds; flush first");
        Slab larger = _loop.Slabs.Lease(sizeMin);
        if (slab is not null)
        {
            slab.Array.AsSpan(0, _collected).CopyTo(larger.Array);
            _loop.Slabs.Return(slab);
        }
        return _slab = larger;
    }

    public override void Advance(int bytes)
    {
        if (bytes == 0) return;
        if (_slab is null || (uint)bytes > (uint)(_slab.Length - _collected)) throw new ArgumentOutOfRangeException(nameof(bytes));
        _collected += bytes;
    }

    // Hot path: per flush. 0 allocations.
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => SendOrWait();

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        long length = (long)body.Length + tail.Length;
        if (length <= CopyMax && (_slab is null || _slab.Length - _collected >= length))
        {
            if (length > 0)
            {
                Span<byte> room = GetSpan((int)length);
                body.Span.CopyTo(room);
                tail.Span.CopyTo(room[body.Length..]);
                _collected += (int)length;
            }
        }
        else
        {
            _body = body;
            _tail = tail;
        }
        return SendOrWait();
    }

    private ValueTask<FlushResult> SendOrWait()
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            return new(new FlushResult(isCanceled: true, isCompleted: false));
        }
        if (!_connection.IsConnected || _connection.Fault != TransportFault.None || _completed)
        {
            Drop();
            return new(new FlushResult(isCanceled: false, isCompleted: true));
        }
        if (Send()) return new(Outcome());
        _pending = true;
        return new(this, _completion.Start());
    }

    private FlushResult Outcome() => new(isCanceled: false, isCompleted: _connection.Fault != TransportFault.None);

    /// <summary>Sends as much as the system takes. True when all is sent, or the connection is broken; false when a piece waits for room.</summary>
    private bool Send()
    {
        if (_piece is { InFlight: true }) return false;
        while (true)
        {
            int collected = _collected - _sent;
            if (collected == 0 && _body.IsEmpty && _tail.IsEmpty)
            {
                Drop();
                return true;
            }
            int sent = SendOnce(collected, out SocketError error);
            if (error == SocketError.Success) Consume(sent);
            else if (error != SocketError.WouldBlock || !SendPiece(out error))
            {
                if (error == SocketError.IOPending) return false;
                _connection.SetReset();
                Drop();
                return true;
            }
        }
    }

    private int SendOnce(int collected, out SocketError error)
    {
        Socket socket = _connection.Socket!;
        if (collected > 0 && _body.IsEmpty && _tail.IsEmpty) return socket.Send(_slab!.Array, _sent, collected, SocketFlags.None, out error);
        if (collected == 0 && _tail.IsEmpty) return socket.Send(_body.Span, SocketFlags.None, out error);
        if (collected == 0 && _body.IsEmpty) return socket.Send(_tail.Span, SocketFlags.None, out error);
        if (!MemoryMarshal.TryGetArray(_body, out ArraySegment<byte> body) || !MemoryMarshal.TryGetArray(_tail, out ArraySegment<byte> tail))
        {
            // Memory that is no array cannot be gathered: one after the other.
            return collected > 0 ? socket.Send(_slab!.Array, _sent, collected, SocketFlags.None, out error) : socket.Send(_body.Span, SocketFlags.None, out error);
        }
        List<ArraySegment<byte>> segments = _segments ??= new(3);
        if (collected > 0) segments.Add(new(_slab!.Array, _sent, collected));
        if (body.Count > 0) segments.Add(body);
        if (tail.Count > 0) segments.Add(tail);
        int sent = socket.Send(segments, SocketFlags.None, out error);
        segments.Clear();
        return sent;
    }

    private void Consume(int sent)
    {
        LastSentAt = _loop.NowMilliseconds;
        SentBytes += sent;
        int part = Math.Min(sent, _collected - _sent);
        _sent += part;
        sent -= part;
        part = Math.Min(sent, _body.Length);
        _body = _body[part..];
        sent -= part;
        _tail = _tail[sent..];
    }

    /// <summary>Copies the next bytes out and sends them when there is room. True when that was at once; else IOPending, or what broke.</summary>
    private bool SendPiece(out SocketError error)
    {
        _piece ??= new Piece(this);
        _pieceSlab ??= _loop.Slabs.Lease();
        ReadOnlySpan<byte> next = _collected > _sent ? _slab!.Array.AsSpan(_sent, _collected - _sent) : _body.IsEmpty ? _tail.Span : _body.Span;
        next = next[..Math.Min(next.Length, PieceMax)];
        next.CopyTo(_pieceSlab.Array);
        _piece.SetBuffer(_pieceSlab.Array, 0, next.Length);
        Consume(next.Length);
        if (_piece.Start())
        {
            error = SocketError.IOPending;
            return false;
        }
        error = _piece.SocketError;
        return error == SocketError.Success;
    }

    private void OnPieceSent()
    {
        if (_released)
        {
            ReturnPiece();
        }
        else if (_connection.IsConnected && _pending)
        {
            if (_piece!.SocketError != SocketError.Success)
            {
                _connection.SetReset();
                Drop();
                Complete(Outcome());
            }
            else if (Send()) Complete(Outcome());
        }
    }

    /// <summary>The loop's turn after a cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            Complete(new(isCanceled: true, isCompleted: false));
        }
        else if (!_connection.IsConnected)
        {
            Drop();
            Complete(new(isCanceled: false, isCompleted: true));
        }
    }

    private void Complete(FlushResult result)
    {
        _pending = false;
        _completion.SetResult(result);
    }

    public override void CancelPendingFlush()
    {
        _cancelRequested = true;
        if (_pending) _loop.Defer(_connection);
    }

    /// <summary>Ends our direction with a FIN. What was collected and not flushed is dropped.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed) return;
        _completed = true;
        _connection.EndSending();
        Drop();
    }

    private void Drop()
    {
        _body = _tail = default;
        _collected = _sent = 0;
        if (_slab is not null) _loop.Slabs.Return(_slab);
        _slab = null;
        if (_piece is not { InFlight: true }) ReturnPiece();
    }

    private void ReturnPiece()
    {
        if (_pieceSlab is not null) _loop.Slabs.Return(_pieceSlab);
        _pieceSlab = null;
    }

    internal void Release()
    {
        _completed = _released = true;
        Drop();
        _piece?.Dispose(); // the runtime puts it off while the piece is in flight
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);

    private sealed class Piece(SocketsWriter writer) : SocketOperation(writer._loop)
    {
        protected override bool Begin() => writer._connection.Socket!.SendAsync(this);

        protected override void OnFinished() => writer.OnPieceSent();
    }
}
