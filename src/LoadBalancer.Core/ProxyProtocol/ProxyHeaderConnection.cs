using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>
/// An accepted connection until its PROXY header is read, on listeners that take one. The header's addresses then stand in the place of the socket's; what
/// came behind it is left for the next stage. Lives on its loop's thread.
/// </summary>
internal sealed class ProxyHeaderConnection(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : ClientConnection(context, listener, transport)
{
    private readonly ProxyHeaderPolicy _policy = listener.ProxyProtocol!;
    private EndReason _reason;

    internal override void Start()
    {
        if (_policy.Trusts(Transport.Remote))
        {
            base.Start();
            Context.Loop.Timers.Set(this, Context.Loop.NowMilliseconds + _policy.TimeoutMilliseconds);
            _ = RunAsync(); // ends with the header; catches everything itself
        }
        else if (_policy.ServesOthers) Secure(Context, Listener, Transport);
        else
        {
            Record(EndReason.ProxyHeaderUntrusted);
            Transport.Abort(); // the cheapest end for us
            Transport.Close();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await ReadAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            _reason = EndReason.InternalError;
        }
        if (_reason == EndReason.None) Secure(Context, Listener, Transport);
        else
        {
            Record(_reason);
            Transport.Close();
        }
        Leave();
    }

    private async ValueTask ReadAsync()
    {
        TransportReader input = Transport.Input;
        while (true)
        {
            await input.FillAsync();
            if (_reason != EndReason.None) return;
            switch (ProxyHeader.Parse(input.Bytes.Span, out ProxyHeader header))
            {
                case ProxyHeaderStatus.Complete:
                    input.Consume(header.Length);
                    if (!header.HasAddresses) return;
                    Transport.Remote = header.Source;
                    Transport.OriginalDestination = header.Destination;
                    return;
                case ProxyHeaderStatus.Absent:
                    if (!_policy.MayBeAbsent) _reason = EndReason.ProxyHeaderMissing;
                    return;
                case ProxyHeaderStatus.Malformed:
                    _reason = EndReason.BadProxyHeader;
                    return;
            }
            if (input.IsEnded)
            {
                _reason = EndReason.ClientAborted;
                return;
            }
            input.Consume(0, needsMore: true);
        }
    }

    internal override void Fail(EndReason reason)
    {
        if (_reason == EndReason.None) _reason = reason;
        Transport.Abort();
    }

    protected internal override void OnTimeout() => Fail(EndReason.ProxyHeaderTimeout);

    /// <summary>Draining: who has not said anything yet is not waited for.</summary>
    internal override void OnDrain() => Fail(EndReason.Shutdown);
}
