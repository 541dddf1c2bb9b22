using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tcp;

/// <summary>A client's connection of a listener that forwards TCP, in its last stage. Lives on its loop's thread. Its time limits are <see cref="TcpForward"/>'s.</summary>
internal sealed class TcpConnection : ClientConnection, IConnectionObserver
{
    private readonly TcpForward _forward;

    internal TcpConnection(LoopContext context, ListenerSnapshot listener, TransportConnection transport) : base(context, listener, transport) =>
        _forward = new TcpForward(context, listener, transport);

    internal override void Start()
    {
        base.Start();
        Transport.Observer = this;
        _ = RunAsync(); // ends with the connection; catches everything itself
    }

    internal override ConnectionView Describe() => Describe(StateOf(_forward.Phase)) with
    {
        Cluster = _forward.Cluster?.Name,
        Destination = _forward.Lease.IsActive ? _forward.Destination.Name : null,
        BytesReceived = _forward.Bytes?.Client,
        BytesSent = _forward.Bytes?.Upstream,
    };

    private async Task RunAsync()
    {
        try
        {
            await _forward.RunAsync(Admission).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            _forward.Abandon();
        }
        Transport.Close();
        Leave();
    }

    /// <summary>The client's connection broke, or said more, while a destination is found for it.</summary>
    public void OnConnectionEvent(bool readable, bool broken)
    {
        if (broken) _forward.Fail(EndReason.ClientAborted);
    }

    /// <summary>What runs goes on until the drain limit: nobody can tell when it is between two messages.</summary>
    internal override void OnDrain()
    {
        if (_forward.IsAwaitingHello) Fail(EndReason.Shutdown);
    }

    internal override void Fail(EndReason reason) => _forward.Cut(reason);

    protected internal override void OnTimeout()
    {
    }
}
