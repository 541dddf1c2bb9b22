using System.Threading.Tasks.Sources;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The relay between two plain connections of an epoll loop. It takes their events itself: what one socket has is received into the loop's scratch buffer and
/// sent to the other at once, so a connection owns a buffer only while its receiver is slower than its sender.
/// </summary>
internal sealed class EpollRelay : TransportRelay, IValueTaskSource
{
    private readonly EpollConnection _client, _upstream;
    private readonly RelayDirection _up, _down;
    private LoopCompletion<bool> _completion;
    private bool _isWaiting;

    internal EpollRelay(EpollLoop loop, EpollConnection client, EpollConnection upstream) : base(client, upstream)
    {
        _client = client;
        _upstream = upstream;
        _up = new RelayDirection(this, loop, client, upstream);
        _down = new RelayDirection(this, loop, upstream, client);
    }

    internal override long ClientBytes => _up.Bytes;

    internal override long UpstreamBytes => _down.Bytes;

    /// <summary>Whether nothing is relayed any more; what is left is to say so.</summary>
    internal bool IsOver { get; private set; }

    internal override ValueTask RunAsync()
    {
        _client.Relay = _upstream.Relay = this;
        _up.Begin();
        _down.Begin();
        // Met before the relay began: the system tells it once, and then an end.
        if (_client.Fault == TransportFault.Reset) Break(_client);
        else if (_upstream.Fault == TransportFault.Reset) Break(_upstream);
        _up.Move();
        _down.Move();
        if (IsOver)
        {
            End();
            return default;
        }
        _isWaiting = true;
        return new ValueTask(this, _completion.Start());
    }

    // Hot path: per event. 0 allocations. TcpAllocationTests.AMessage_SteadyState_AllocatesNothing
    internal void OnEvents(EpollConnection connection, uint events)
    {
        (RelayDirection from, RelayDirection to) = connection == _client ? (_up, _down) : (_down, _up);
        if (to.IsBlocked && (events & (Libc.EPOLLOUT | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0) to.Move();
        // Told once. Where its own end was passed on, or what it sent is not taken, nobody reads from it and would meet the reset.
        if ((events & Libc.EPOLLERR) != 0 && (from.HasEnded || from.IsBlocked)) Break(connection);
        else if (!from.HasEnded) from.Move();
        if (IsOver) End();
    }

    /// <summary>The loop's turn after a yield or an abort.</summary>
    internal void OnDeferred(EpollConnection connection)
    {
        if (connection.Fd < 0) Cut();
        else (connection == _client ? _up : _down).Move();
        if (IsOver) End();
    }

    internal void Touch(long now) => ActivityAt = now;

    /// <summary>One direction has ended in order.</summary>
    internal void Half()
    {
        if (_up.HasEnded && _down.HasEnded) IsOver = true;
        else NoteHalfClosed();
    }

    /// <summary>A side is gone: what it was to get cannot be delivered, and the other must see that.</summary>
    internal void Break(EpollConnection side)
    {
        side.SetReset();
        if (side.Fault == TransportFault.Reset) ResetBy ??= side;
        Cut();
    }

    private void Cut()
    {
        IsOver = true;
        if (_client.Fault == TransportFault.None) _client.Abort();
        if (_upstream.Fault == TransportFault.None) _upstream.Abort();
    }

    private void End()
    {
        _up.Release();
        _down.Release();
        _client.Relay = _upstream.Relay = null;
        if (!_isWaiting) return;
        _isWaiting = false;
        _completion.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);
}
