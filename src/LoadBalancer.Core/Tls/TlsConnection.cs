using System.Net.Security;
using System.Security.Authentication;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// A connection whose bytes travel encrypted on another one. What is above sees the same contract: faults are values, an idle connection
/// holds no buffer of ours. Owner: the loop's thread.
/// </summary>
internal sealed class TlsConnection : TransportConnection, IConnectionObserver
{
    private readonly TransportConnection _inner;
    private readonly TlsReader _reader;
    private readonly TlsWriter _writer;
    private IConnectionObserver? _observer;
    private bool _closed;

    internal TlsConnection(TransportConnection inner) : base(inner.Loop)
    {
        _inner = inner;
        Remote = inner.Remote;
        Stream = new TransportStream(inner);
        Ssl = new SslStream(Stream, leaveInnerStreamOpen: true);
        _reader = new TlsReader(this, inner);
        _writer = new TlsWriter(this, inner);
    }

    internal SslStream Ssl { get; }

    internal TransportStream Stream { get; }

    public override TransportReader Input => _reader;

    public override TransportWriter Output => _writer;

    internal override bool IsEncrypted => true;

    internal override PeerAddress GetLocalAddress() => _inner.GetLocalAddress();

    internal override IConnectionObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            _inner.Observer = value is null ? null : this;
        }
    }

    internal override bool IsReusable => Fault == TransportFault.None && _inner.IsReusable && _reader.IsQuiet;

    internal override ValueTask<ConnectResult> ConnectAsync() => throw new NotSupportedException("the connection below is connected first");

    /// <summary>Takes over what went wrong below, or notes that the records themselves are broken.</summary>
    internal void NoteFault(bool isBroken)
    {
        if (Fault != TransportFault.None) return;
        if (_inner.Fault != TransportFault.None) Fault = _inner.Fault;
        else if (isBroken) Fault = TransportFault.Reset;
    }

    /// <summary>What <see cref="SslStream"/> throws for what a peer sends or for how it leaves.</summary>
    internal static bool IsPeerFault(Exception e) => e is IOException or AuthenticationException or InvalidOperationException or System.ComponentModel.Win32Exception;

    public void OnConnectionEvent(bool readable, bool broken)
    {
        NoteFault(isBroken: false);
        _observer?.OnConnectionEvent(readable, broken);
    }

    internal override void OnDeferred()
    {
        if (_reader.IsPending) _reader.OnDeferred();
    }

    internal override void Abort()
    {
        if (Fault == TransportFault.Aborted || _closed) return;
        Fault = TransportFault.Aborted;
        _inner.Abort(); // ends what waits below, and with it what waits here
        if (_reader.IsPending) Loop.Defer(this);
    }

    internal override void Close()
    {
        if (_closed) return;
        _closed = true;
        _observer = null;
        if (Fault == TransportFault.None) _writer.Complete();
        _reader.Release();
        _writer.Release();
        _inner.Close();
        Ssl.Dispose();
    }
}
