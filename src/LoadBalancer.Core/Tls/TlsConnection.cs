using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// A connection whose bytes travel encrypted on another one. What is above sees the same contract: faults are values, an idle connection
/// holds no buffer of ours. Owner: the loop's thread.
/// </summary>
internal abstract class TlsConnection : TransportConnection, IConnectionObserver
{
    private IConnectionObserver? _observer;
    private bool _isEstablished, _closed;

    private protected TlsConnection(TransportConnection inner) : base(inner.Loop)
    {
        Inner = inner;
        Remote = inner.Remote;
        Writer = new TlsWriter(this, inner);
    }

    /// <summary>The connection that carries the records.</summary>
    internal TransportConnection Inner { get; }

    public sealed override TransportWriter Output => Writer;

    private protected TlsWriter Writer { get; }

    private protected abstract TlsReader Reader { get; }

    internal sealed override bool IsEncrypted => true;

    /// <summary>Whether it carries HTTP, and the hand-shake says so by ALPN.</summary>
    internal bool IsHttp { get; init; } = true;

    /// <summary>Whether the hand-shake has resumed a session, as far as that can be told.</summary>
    internal virtual bool IsResumed => false;

    /// <summary>Why the hand-shake failed.</summary>
    internal EndReason FailReason { get; private protected set; } = EndReason.HandshakeFailed;

    /// <summary>Whether the peer has refused us after the hand-shake, with an alert in place of any content: in TLS 1.3 so ends one that misses our certificate.</summary>
    internal bool IsRefused { get; private set; }

    /// <summary>Whether the peer has sent any content.</summary>
    internal bool HasContent { get; set; }

    /// <summary>Reading broke the connection.</summary>
    /// <param name="problem">In words, where the engine tells.</param>
    private protected virtual void OnReadBroken(string problem)
    {
    }

    /// <summary>Notes that for a connection to a destination; true for a refusal.</summary>
    private protected bool NoteRefused(string problem)
    {
        if (HasContent || problem.Length == 0) return false;
        Problem = problem;
        return IsRefused = true;
    }

    /// <summary>The same in words, for the log; empty where nobody wants to know.</summary>
    internal string Problem { get; private protected set; } = "";

    private protected sealed override PeerAddress AskLocalAddress() => Inner.GetLocalAddress();

    internal sealed override IConnectionObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            Inner.Observer = value is null ? null : this;
        }
    }

    // Servers send session tickets and key updates when they like. They are no news to whoever keeps the connection.
    internal sealed override bool IsReusable => Fault == TransportFault.None && (Inner.IsReusable || Reader.TakeSilentRecords()) && Inner.IsReusable && Reader.IsQuiet;

    internal sealed override ValueTask<ConnectResult> ConnectAsync() => throw new NotSupportedException("the connection below is connected first");

    /// <summary>Runs the hand-shake; called once, before anything is read or written. False when it failed: <see cref="TransportConnection.Close"/> is all that is left then.</summary>
    internal async ValueTask<bool> EstablishAsync()
    {
        Remote = Inner.Remote;
        _isEstablished = await HandshakeAsync().ConfigureAwait(false);
        return _isEstablished;
    }

    private protected abstract ValueTask<bool> HandshakeAsync();

    /// <summary>Encrypts into the output below, which only collects. False when the connection is broken.</summary>
    internal abstract bool Encrypt(ReadOnlyMemory<byte> plain);

    /// <summary>Puts the end of our direction, close_notify (RFC 8446 §6.1), into the output below.</summary>
    internal abstract void EndRecords();

    /// <summary>Gives back what encrypts.</summary>
    private protected abstract void Release();

    /// <summary>Takes over what went wrong below, or notes that the records themselves are broken.</summary>
    internal void NoteFault(bool isBroken)
    {
        if (Fault != TransportFault.None) return;
        if (Inner.Fault != TransportFault.None) Fault = Inner.Fault;
        else if (isBroken) Fault = TransportFault.Reset;
    }

    public void OnConnectionEvent(bool readable, bool broken)
    {
        NoteFault(isBroken: false);
        _observer?.OnConnectionEvent(readable, broken);
    }

    internal sealed override void OnDeferred()
    {
        if (Reader.IsPending) Reader.OnDeferred();
    }

    internal sealed override void Abort()
    {
        if (Fault == TransportFault.Aborted || _closed) return;
        Fault = TransportFault.Aborted;
        Inner.Abort(); // ends what waits below, and with it what waits here
        if (Reader.IsPending) Loop.Defer(this);
    }

    internal sealed override void Close()
    {
        if (_closed) return;
        _closed = true;
        _observer = null;
        if (Fault == TransportFault.None && _isEstablished) Writer.Complete();
        Reader.Complete();
        Writer.Release();
        Inner.Close();
        Release();
    }
}
