using System.IO.Pipelines;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Takes what is written to it, and keeps nothing: where a body is read to its end for its connection's sake. Stateless.</summary>
internal sealed class DiscardingWriter : TransportWriter
{
    internal static readonly DiscardingWriter Instance = new();

    private DiscardingWriter()
    {
    }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => 0;

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail) => default;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException("nothing is collected here");

    public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException("nothing is collected here");

    public override void Advance(int bytes) => throw new NotSupportedException("nothing is collected here");

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
