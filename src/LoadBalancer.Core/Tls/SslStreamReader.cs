using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>Decrypts into one slab, which is leased only when the connection below has bytes. See <see cref="TransportConnection"/> for the contract.</summary>
internal sealed class SslStreamReader : TlsReader
{
    // A peer that never pauses must not keep the loop from the others: this many reads, then the rest of the turn first.
    private const int ReadsPerTurnMax = 16;

    private readonly SslStreamConnection _connection;
    private readonly Action _onCompleted;
    private ValueTask<int> _reading;
    private int _room; // of the read under way; 0 for one that only waits
    private int _reads;
    private bool _isWaiting; // a read of the stream is under way
    private bool _isTold;    // one has ended while nobody read

    internal SslStreamReader(SslStreamConnection connection, TransportConnection inner) : base(connection, inner)
    {
        _connection = connection;
        _onCompleted = OnCompleted;
    }

    internal override bool IsQuiet => IsEmpty && !IsEnded && !_isTold && (!_isWaiting || _room == 0);

    // A read of no bytes passes over them, and stays.
    internal override bool TakeSilentRecords() => IsEmpty && !IsEnded && !_isTold && (_isWaiting ? _room == 0 : !Read(Memory<byte>.Empty));

    private protected override bool TryReceiveOrWait()
    {
        if (_isWaiting) return false; // goes on after a read that was cancelled
        if (++_reads <= ReadsPerTurnMax) return TryReceive();
        Defer();
        return false;
    }

    // First a read of no bytes: it ends when there is something decrypted, or an end, and holds no buffer until then. Only the stream itself knows,
    // as it may have received more than it gave out: a close_notify, or a request behind the hand-shake.
    private protected override bool TryReceive() => !_isWaiting && Read(Memory<byte>.Empty) && (IsEnded || Receive());

    private bool Receive()
    {
        Slab slab = Buffer.Prepare(out int offset);
        return Read(slab.Array.AsMemory(offset));
    }

    /// <summary>One read. True when it is over; false when it waits.</summary>
    private bool Read(Memory<byte> room)
    {
        _room = room.Length;
        _isTold = false;
        try
        {
#pragma warning disable CA2012 // consumed once, by Finish
            _reading = _connection.Ssl.ReadAsync(room);
#pragma warning restore CA2012
        }
        catch (Exception e) when (SslStreamConnection.IsPeerFault(e))
        {
            Break(e);
            return true;
        }
        if (_reading.IsCompleted)
        {
            Finish();
            return true;
        }
        _isWaiting = true;
        // After a record without content. Whoever gives up waiting, and consumes all, must not give the slab to others.
        Buffer.IsLent = _room > 0;
        _reading.GetAwaiter().UnsafeOnCompleted(_onCompleted);
        return false;
    }

    private void Finish()
    {
        Buffer.IsLent = false;
        try
        {
            int received = _reading.GetAwaiter().GetResult();
            if (received > 0)
            {
                Buffer.Received(received);
                _connection.HasContent = true;
            }
            else if (_room > 0) End(_connection.IsTruncated);
        }
        catch (Exception e) when (SslStreamConnection.IsPeerFault(e))
        {
            Break(e);
        }
    }

    private void Break(Exception e)
    {
        _connection.OnReadFault(e);
        End(isBroken: true);
    }

    private void OnCompleted()
    {
        _isWaiting = false;
        _reads = 1;
        bool waited = _room == 0;
        Finish();
        if (!IsPending)
        {
            _isTold = true;
            _connection.OnConnectionEvent(readable: true, broken: IsEnded && _connection.Fault != TransportFault.None);
        }
        else if (HasNews || !waited || Receive()) CompleteRead();
    }

    private protected override void OnTurn() => _reads = 0;
}
