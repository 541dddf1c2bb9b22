using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The receiving side: bytes go from the socket into one slab and are handed out in place. The slab is leased when the socket has
/// something to say and given back when everything was consumed. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed unsafe class EpollReader(EpollConnection connection, EpollLoop loop) : TransportReader(loop.Slabs)
{
    // A socket that never runs dry must not keep the loop from the others: this many receives, then the rest of the batch first.
    private const int ReceivesPerTurnMax = 16;

    private int _receives;

    // Hot path: per read. 0 allocations.
    private protected override bool TryReceiveOrWait()
    {
        if (connection.Fd < 0)
        {
            IsEnded = true;
            return true;
        }
        if (!connection.Readable) return false;
        if (++_receives <= ReceivesPerTurnMax) return Receive();
        loop.Defer(connection);
        return false;
    }

    private protected override bool TryReceive() => connection.Readable && connection.Fd >= 0 && Receive();

    private protected override void Defer() => loop.Defer(connection);

    /// <summary>One receive. True when there is news for the reader: bytes, or an end.</summary>
    private bool Receive()
    {
        Slab slab = Buffer.Prepare(out int offset);
        int room = slab.Length - offset;
        nint received;
        int error = 0;
        do received = Libc.Receive(connection.Fd, slab.Pointer + offset, (nuint)room, 0);
        while (received < 0 && (error = Libc.LastError) == Libc.EINTR);

        if (received > 0)
        {
            Buffer.Received((int)received);
            // Short: drained; the next byte makes a new edge. But an end of stream seen with the edge still waits behind the bytes.
            if (received < room && !connection.PeerEnded) connection.Readable = false;
            return true;
        }
        if (received == 0)
        {
            IsEnded = true;
            connection.PeerEnded = true;
        }
        else if (error == Libc.EAGAIN)
        {
            connection.Readable = false;
            Buffer.ReleaseIfEmpty();
            return false;
        }
        else
        {
            IsEnded = true;
            connection.SetReset();
        }
        connection.Readable = false;
        Buffer.ReleaseIfEmpty();
        return true;
    }

    /// <summary>An edge while a read is pending.</summary>
    internal void OnReadable()
    {
        _receives = 1;
        if (HasNews || Receive()) CompleteRead();
    }

    /// <summary>The loop's turn after a yield, cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (CompleteCancelled()) return;
        if (connection.Fd < 0)
        {
            IsEnded = true;
            CompleteRead();
        }
        else if (connection.Readable || HasNews) OnReadable();
    }
}
