using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>
/// An accepted connection until its PROXY header is read, on listeners that take one. The header's addresses then stand in the place of the socket's; what
/// came behind it is left for the next stage. Lives on its loop's thread.
/// </summary>
internal sealed class ProxyHeaderConnection(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : OpeningConnection(context, listener, transport)
{
    private readonly ProxyHeaderPolicy _policy = listener.ProxyProtocol!;

    private protected override EndReason TimeoutReason => EndReason.ProxyHeaderTimeout;

    internal override void Start()
    {
        if (_policy.Trusts(Transport.Remote)) Begin(_policy.TimeoutMilliseconds);
        else if (_policy.ServesOthers) Proceed();
        else Refuse(EndReason.ProxyHeaderUntrusted);
    }

    private protected override void Proceed() => Secure(Context, Listener, Transport);

    private protected override async ValueTask OpenAsync()
    {
        TransportReader input = Transport.Input;
        while (true)
        {
            await input.FillAsync();
            if (Reason != EndReason.None) return;
            switch (ProxyHeader.Parse(input.Bytes.Span, out ProxyHeader header))
            {
                case ProxyHeaderStatus.Complete:
                    input.Consume(header.Length);
                    if (!header.HasAddresses) return;
                    Transport.Remote = header.Source;
                    Transport.OriginalDestination = header.Destination;
                    return;
                case ProxyHeaderStatus.Absent:
                    if (!_policy.MayBeAbsent) Reason = EndReason.ProxyHeaderMissing;
                    return;
                case ProxyHeaderStatus.Malformed:
                    Reason = EndReason.BadProxyHeader;
                    return;
            }
            if (input.IsEnded)
            {
                Reason = EndReason.ClientAborted;
                return;
            }
            input.Consume(0, needsMore: true);
        }
    }
}
