using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.ProxyProtocol;
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

    internal readonly ListenerSnapshot Listener = listener;

    protected internal readonly LoopContext Context = context;

    /// <summary>The first stage of a connection that was just accepted.</summary>
    internal static void Accept(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    {
        if (listener.ProxyProtocol is null) Secure(context, listener, transport);
        else new ProxyHeaderConnection(context, listener, transport).Start();
    }

    /// <summary>The stage once it is known who the client is.</summary>
    internal static void Secure(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    {
        if (listener.Tls is null) Serve(context, listener, transport);
        else new TlsHandshake(context, listener, transport).Start();
    }

    /// <summary>The last stage: the connection carries what the listener is for, plain or decrypted.</summary>
    internal static void Serve(LoopContext context, ListenerSnapshot listener, TransportConnection transport) =>
        new Http1Connection(context, listener, transport).Start();

    /// <summary>Enters the loop's list. Called once.</summary>
    internal virtual void Start() => Context.Add(this);

    /// <summary>Leaves the loop's list: after the next stage has started, or when the transport is closed.</summary>
    protected void Leave()
    {
        Context.Loop.Timers.Remove(this);
        Context.Remove(this);
    }

    /// <summary>Tells the observer that the connection ended before its first request.</summary>
    protected void Record(EndReason reason) => Context.RecordConnection(Listener, Transport.Remote, reason);

    /// <summary>The server drains: an idle connection ends now, another with what it is doing.</summary>
    internal abstract void OnDrain();

    /// <summary>Cuts the connection, whatever it is doing.</summary>
    internal abstract void Fail(EndReason reason);
}
