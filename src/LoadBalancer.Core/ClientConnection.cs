using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Tcp;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core;

/// <summary>
/// An accepted connection in one of the stages it goes through (<see cref="Accept"/>, <see cref="Secure"/> and <see cref="Serve"/> say which). Exactly one stage holds the
/// transport; it stands in its loop's list from <see cref="Start"/> to <see cref="Leave"/>. Lives on its loop's thread.
/// </summary>
internal abstract class ClientConnection(LoopContext context, ListenerSnapshot listener, TransportConnection transport) : LoopTimer
{
    internal ClientConnection? NextOpen, PreviousOpen;

    internal readonly TransportConnection Transport = transport;

    /// <summary>As it was when the connection, or its present request, began.</summary>
    internal ListenerSnapshot Listener { get; private protected set; } = listener;

    protected internal readonly LoopContext Context = context;

    private readonly long _since = context.Loop.NowMilliseconds;
    private bool _isHandedOn;
    private ProxySnapshot? _held;

    /// <summary>What the client was let in with; nothing yet while it is not known who it is.</summary>
    internal Admission Admission { get; init; }

    /// <summary>The first stage of a connection that was just accepted.</summary>
    internal static void Accept(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    {
        if (listener.ProxyProtocol is null) Secure(context, listener, transport);
        else new ProxyHeaderConnection(context, listener, transport).Start();
    }

    /// <summary>The stage once it is known who the client is; none for who is kept out.</summary>
    internal static void Secure(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    {
        if (!Admission.TryAdmit(context, listener, transport, out Admission admission)) return;
        if (listener.Tls is null) Serve(context, listener, transport, admission);
        else new TlsHandshake(context, listener, transport) { Admission = admission }.Start();
    }

    /// <summary>The last stage: the connection carries what the listener is for, plain or decrypted.</summary>
    internal static void Serve(LoopContext context, ListenerSnapshot listener, TransportConnection transport, in Admission admission)
    {
        if (listener.Tcp is null) new Http1Connection(context, listener, transport) { Admission = admission }.Start();
        else new TcpConnection(context, listener, transport) { Admission = admission }.Start();
    }

    /// <summary>Enters the loop's list. Called once.</summary>
    internal virtual void Start() => Context.Add(this);

    /// <summary>Keeps the configuration of <see cref="Listener"/>, unless that has ended already: what a request needs of it stays, though it be replaced before the request comes.</summary>
    private protected void TryHold()
    {
        if (Listener.Configuration.TryHold(Context.Loop.Index)) _held = Listener.Configuration;
    }

    private protected bool IsHolding => _held is not null;

    private protected void LetGo()
    {
        _held?.LetGo(Context.Loop.Index);
        _held = null;
    }

    /// <summary>Leaves the loop's list: after the next stage has started, or when the transport is closed.</summary>
    protected void Leave()
    {
        if (!_isHandedOn) Admission.Release();
        LetGo();
        Context.Loop.Timers.Remove(this);
        Context.Remove(this);
    }

    /// <summary>What the client was let in with, for the next stage, whose it is from now on.</summary>
    private protected Admission HandOn()
    {
        _isHandedOn = true;
        return Admission;
    }

    /// <summary>Tells the observer that the connection ended before its first request.</summary>
    protected void Record(EndReason reason) => Context.RecordConnection(Listener, Transport.Remote, Admission, reason);

    /// <summary>What it is and does, for people. On its loop's thread.</summary>
    internal virtual ConnectionView Describe() => Describe(ConnectionState.Opening);

    private protected ConnectionView Describe(ConnectionState state) =>
        new(Listener.Name, Context.Loop.Index, Transport.Remote.ToString(), DateTimeOffset.FromUnixTimeMilliseconds(Context.UnixMilliseconds - Context.Loop.NowMilliseconds + _since), state) { Encrypted = Transport.IsEncrypted };

    /// <summary>What a request, or a connection that goes to a destination, does.</summary>
    private protected static ConnectionState StateOf(ExchangePhase phase) => phase switch
    {
        ExchangePhase.Hello => ConnectionState.ReadingHead,
        ExchangePhase.Policy => ConnectionState.Policy,
        ExchangePhase.Queue => ConnectionState.Queued,
        ExchangePhase.Connect => ConnectionState.Connecting,
        ExchangePhase.ResponseBody or ExchangePhase.ClientWrite => ConnectionState.Answering,
        ExchangePhase.Tunnel => ConnectionState.Relaying,
        _ => ConnectionState.Waiting,
    };

    /// <summary>The server drains: an idle connection ends now, another with what it is doing.</summary>
    internal abstract void OnDrain();

    /// <summary>The configuration has changed. What is under way goes on as it began; nothing here touches it.</summary>
    internal virtual void OnListenersReplaced()
    {
    }

    /// <summary>Cuts the connection, whatever it is doing.</summary>
    internal abstract void Fail(EndReason reason);
}
