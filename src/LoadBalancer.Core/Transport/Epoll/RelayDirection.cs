using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// One direction of an <see cref="EpollRelay"/>. Small messages are one receive and one send through the loop's scratch buffer. A direction that keeps moving
/// much goes over to <c>splice</c>, through a pipe and not through our memory, and back when there is little again. What a receiver does not take
/// stays in one slab or in the pipe, and nothing more is received until it is gone: that is the back-pressure, and the bound.
/// </summary>
internal sealed unsafe class RelayDirection(EpollRelay relay, EpollLoop loop, EpollConnection from, EpollConnection to)
{
    // A sender that never pauses must not keep the loop from the others: this many receives, then the rest of the batch first.
    private const int ReceivesPerTurnMax = 16;

    // Setting up a pipe is three system calls, and moving a page through it dearer than copying a few KiB.
    private const int LargeReceive = 16 * 1024, LargeReceivesMin = 8, SmallSplicesMax = 8;

    private readonly byte* _scratch = loop.Scratch.Pointer;
    private readonly int _scratchLength = loop.Scratch.Length;
    private Slab? _rest; // received and not taken yet
    private int _restStart, _restEnd;
    private SplicePipe? _pipe;
    private int _run; // large receives, or small splices, one after the other

    /// <summary>Bytes that the receiver's kernel has taken.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Whether the sender's end was passed on.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>Whether the receiver has to take something first.</summary>
    internal bool IsBlocked { get; private set; }

    /// <summary>Takes over what the connection's reader has received.</summary>
    internal void Begin()
    {
        ReadOnlySpan<byte> received = from.Input.Bytes.Span;
        if (!received.IsEmpty)
        {
            Keep(received);
            from.Input.Consume(received.Length);
        }
        if (from.Input.IsEnded) from.Readable = true; // the end is still to be seen here
    }

    /// <summary>Moves what there is. Nothing happens where there is nothing.</summary>
    internal void Move()
    {
        for (int receives = 0; !relay.IsOver; receives++)
        {
            if (IsBlocked && !SendRest()) return;
            if (!from.Readable || HasEnded) return;
            if (receives == ReceivesPerTurnMax)
            {
                loop.Defer(from);
                return;
            }
            if (_pipe is null) Copy();
            else Splice();
        }
    }

    // Hot path: per message.
    private void Copy()
    {
        nint received = Libc.Receive(from.Fd, _scratch, (nuint)_scratchLength, 0);
        if (received <= 0)
        {
            OnNothing((int)received);
            return;
        }
        relay.Touch(loop.NowMilliseconds);
        // Short: drained; the next byte makes a new edge. But an end of stream seen with the edge still waits behind the bytes.
        if (received < _scratchLength && !from.PeerEnded) from.Readable = false;
        nint sent = Libc.Send(to.Fd, _scratch, (nuint)received, Libc.MSG_NOSIGNAL);
        if (sent == received) Bytes += sent;
        else if (sent >= 0 || IsNoFault(Libc.LastError))
        {
            Bytes += Math.Max(0, sent);
            Keep(new ReadOnlySpan<byte>(_scratch, (int)received)[(int)Math.Max(0, sent)..]);
        }
        else
        {
            relay.Break(to);
            return;
        }
        if (received < LargeReceive) _run = 0;
        else if (++_run >= LargeReceivesMin) BeginSplicing();
    }

    private void Splice()
    {
        SplicePipe pipe = _pipe!; // empty: so EAGAIN says that the socket is
        nint received = Libc.Splice(from.Fd, null, pipe.WriteEnd, null, (nuint)pipe.Size, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        if (received <= 0)
        {
            OnNothing((int)received);
            return;
        }
        relay.Touch(loop.NowMilliseconds);
        pipe.Count = (int)received;
        IsBlocked = true;
        if (received >= LargeReceive) _run = 0;
        else _run++;
    }

    private void BeginSplicing()
    {
        _run = 0;
        _pipe = loop.Pipes.Rent();
    }

    private void EndSplicing()
    {
        _run = 0;
        loop.Pipes.Return(_pipe!);
        _pipe = null;
    }

    // The sender has nothing, has ended, or is gone.
    private void OnNothing(int received)
    {
        if (received < 0 && Libc.LastError is var error)
        {
            if (error == Libc.EINTR) return;
            if (error == Libc.EAGAIN) from.Readable = false;
            else relay.Break(from);
            return;
        }
        from.Readable = false;
        from.PeerEnded = true;
        HasEnded = true;
        relay.Touch(loop.NowMilliseconds);
        to.Output.Complete();
        relay.Half();
    }

    /// <summary>Sends what was kept. True when all is gone.</summary>
    private bool SendRest()
    {
        while (true)
        {
            nint sent = _rest is not null
                ? Libc.Send(to.Fd, _rest.Pointer + _restStart, (nuint)(_restEnd - _restStart), Libc.MSG_NOSIGNAL)
                : Libc.Splice(_pipe!.ReadEnd, null, to.Fd, null, (nuint)_pipe.Count, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (sent <= 0)
            {
                int error = sent < 0 ? Libc.LastError : Libc.EAGAIN;
                if (error == Libc.EINTR) continue;
                if (error != Libc.EAGAIN) relay.Break(to);
                return false;
            }
            relay.Touch(loop.NowMilliseconds);
            Bytes += sent;
            if (_rest is not null) _restStart += (int)sent;
            else _pipe!.Count -= (int)sent;
            if (_rest is not null ? _restStart == _restEnd : _pipe!.Count == 0) break;
        }
        IsBlocked = false;
        if (_rest is not null) ReleaseRest();
        else if (_run >= SmallSplicesMax) EndSplicing();
        return true;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _rest = loop.Slabs.Lease(bytes.Length);
        bytes.CopyTo(_rest.Array);
        _restStart = 0;
        _restEnd = bytes.Length;
        IsBlocked = true;
    }

    private static bool IsNoFault(int error) => error is Libc.EAGAIN or Libc.EINTR;

    private void ReleaseRest()
    {
        loop.Slabs.Return(_rest!);
        _rest = null;
    }

    /// <summary>Gives back what it holds.</summary>
    internal void Release()
    {
        if (_rest is not null) ReleaseRest();
        if (_pipe is not null) EndSplicing();
        IsBlocked = false;
    }
}
