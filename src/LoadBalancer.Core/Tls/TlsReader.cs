using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>Decrypts into one slab, which is leased only when the connection below has bytes. See <see cref="TransportConnection"/> for the contract.</summary>
internal sealed class TlsReader : TransportReader
{
    // A peer that never pauses must not keep the loop from the others: this many reads, then the rest of the turn first.
    private const int ReadsPerTurnMax = 16;

    private readonly TlsConnection _connection;
    private readonly TransportReader _below;
    private readonly Action _onFilled, _onRead;
    private ValueTask<int> _reading;
    private int _room; // of the read under way
    private int _reads;
    private bool _isWaiting;   // for the connection below, or for the rest of a record
    // More may lie in the stream: after a read that filled its room, and after the hand-shake, whose last receive may have brought a request.
    private bool _mayHaveMore = true;

    internal TlsReader(TlsConnection connection, TransportConnection inner) : base(inner.Loop.Slabs)
    {
        _connection = connection;
        _below = inner.Input;
        _onFilled = OnFilled;
        _onRead = OnReadCompleted;
    }

    /// <summary>Whether nothing is received and unread.</summary>
    internal bool IsQuiet => IsEmpty && !IsEnded && !_mayHaveMore && !_isWaiting;

    private protected override bool TryReceiveOrWait()
    {
        if (_isWaiting) return false; // goes on after a read that was cancelled
        if (++_reads > ReadsPerTurnMax)
        {
            Defer();
            return false;
        }
        if (!_mayHaveMore && _below.IsEmpty && !_below.IsEnded)
        {
            FillAwaitable filling = _below.FillAsync();
            if (!filling.IsCompleted)
            {
                _isWaiting = true;
                filling.UnsafeOnCompleted(_onFilled);
                return false;
            }
        }
        return Receive();
    }

    /// <summary>One read. True when there is news; false when the rest of a record has to be waited for.</summary>
    private bool Receive()
    {
        Slab slab = Buffer.Prepare(out int offset);
        _room = slab.Length - offset;
        try
        {
#pragma warning disable CA2012 // consumed once, by Finish
            _reading = _connection.Ssl.ReadAsync(slab.Array.AsMemory(offset, _room));
#pragma warning restore CA2012
        }
        catch (Exception e) when (TlsConnection.IsPeerFault(e))
        {
            End(isBroken: true);
            return true;
        }
        if (_reading.IsCompleted)
        {
            Finish();
            return true;
        }
        _isWaiting = true;
        Buffer.IsLent = true; // whoever gives up waiting, and consumes all, must not give the slab to others
        _reading.GetAwaiter().UnsafeOnCompleted(_onRead);
        return false;
    }

    private void Finish()
    {
        int received;
        Buffer.IsLent = false;
        try
        {
            received = _reading.GetAwaiter().GetResult();
        }
        catch (Exception e) when (TlsConnection.IsPeerFault(e))
        {
            End(isBroken: true);
            return;
        }
        _mayHaveMore = received == _room;
        if (received > 0) Buffer.Received(received);
        else End(isBroken: false);
    }

    private void End(bool isBroken)
    {
        _mayHaveMore = false;
        Buffer.ReleaseIfEmpty();
        IsEnded = true;
        _connection.NoteFault(isBroken);
    }

    // There are bytes, an end, or the connection was aborted.
    private void OnFilled()
    {
        _isWaiting = false;
        _reads = 1;
        if (IsPending && (HasNews || Receive())) CompleteRead();
    }

    private void OnReadCompleted()
    {
        _isWaiting = false;
        _reads = 0;
        Finish();
        if (IsPending) CompleteRead();
    }

    private protected override bool TryReceive() => !_isWaiting && (_mayHaveMore || !_below.IsEmpty || _below.IsEnded) && Receive();

    private protected override void Defer() => _connection.Loop.Defer(_connection);

    /// <summary>The loop's turn after a yield, cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (CompleteCancelled()) return;
        if (_connection.Fault == TransportFault.Aborted) IsEnded = true;
        _reads = 0;
        if (HasNews || TryReceiveOrWait()) CompleteRead();
    }

    internal void Release() => Complete();
}
