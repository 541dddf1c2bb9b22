using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace LoadBalancer.Core.Transport;

/// <summary>The relay between any two connections: one method a direction reads what is there and writes it on.</summary>
internal sealed class PumpRelay(TransportConnection client, TransportConnection upstream) : TransportRelay(client, upstream)
{
    private long _clientBytes, _upstreamBytes;

    internal override long ClientBytes => _clientBytes;

    internal override long UpstreamBytes => _upstreamBytes;

    internal override async ValueTask RunAsync()
    {
        ValueTask up = PumpAsync(Client, Upstream), down = PumpAsync(Upstream, Client);
        await up.ConfigureAwait(false);
        await down.ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask PumpAsync(TransportConnection from, TransportConnection to)
    {
        while (true)
        {
            await from.Input.FillAsync();
            ActivityAt = from.Loop.NowMilliseconds;
            ReadOnlyMemory<byte> received = from.Input.Bytes;
            if (received.IsEmpty) break;
            FlushResult sent = await to.Output.WriteAsync(received).ConfigureAwait(false);
            ActivityAt = from.Loop.NowMilliseconds;
            from.Input.Consume(received.Length);
            if (sent.IsCompleted)
            {
                NoteReset(to);
                from.Abort(); // cannot be delivered any more: the sender must see it
                to.Abort(); // where only its TLS layer broke, the other direction would wait for it for ever
                return;
            }
            if (from == Client) _clientBytes += received.Length;
            else _upstreamBytes += received.Length;
        }
        NoteHalfClosed();
        NoteReset(from);
        if (from.Fault != TransportFault.None) to.Abort();
        else await to.Output.CompleteAsync().ConfigureAwait(false); // whoever runs the relay closes both after it
    }

    // Noted before the other side is aborted for it: that side's pump then aborts this one, and the fault no longer tells a reset.
    private void NoteReset(TransportConnection side)
    {
        if (side.Fault == TransportFault.Reset) ResetBy ??= side;
    }
}
