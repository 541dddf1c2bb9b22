using System.IO.Pipelines;
using System.Net;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Benchmarks.Relay;

/// <summary>A loop without a thread and without sockets: whoever feeds a connection runs what reads from it.</summary>
internal sealed class MemoryLoop() : TransportLoop(0, TimeProvider.System)
{
    /// <summary>The connection that was opened last.</summary>
    internal MemoryConnection? LastOutbound { get; private set; }

    internal override bool IsCurrent => true;

    internal override void Start()
    {
    }

    internal override void Stop()
    {
    }

    internal override void Post(LoopWork work) => throw new NotSupportedException();

    internal override TransportConnection CreateOutbound(EndPoint endPoint) => LastOutbound = new MemoryConnection(this);

    internal override void StartAccepting(TransportListener listener, IConnectionHandler handler) => throw new NotSupportedException();

    internal override void StopAccepting(TransportListener listener) => throw new NotSupportedException();
}

/// <summary>A connection whose other side is the benchmark.</summary>
internal sealed class MemoryConnection(MemoryLoop loop) : TransportConnection(loop)
{
    private readonly MemoryReader _reader = new(loop.Slabs);
    private readonly MemoryWriter _writer = new(loop.Slabs);

    public override TransportReader Input => _reader;

    public override TransportWriter Output => _writer;

    /// <summary>Bytes sent so far.</summary>
    internal long WrittenBytes => _writer.WrittenBytes;

    internal override bool IsReusable => _reader.IsEmpty;

    /// <summary>Bytes from the other side. Runs what waits for them.</summary>
    internal void Feed(ReadOnlySpan<byte> bytes) => _reader.Feed(bytes);

    private protected override PeerAddress AskLocalAddress() => default;

    internal override void OnDeferred()
    {
    }

    internal override ValueTask<ConnectResult> ConnectAsync() => new(ConnectResult.Connected);

    internal override void Abort()
    {
    }

    internal override void Close()
    {
    }
}

internal sealed class MemoryReader(SlabPool slabs) : TransportReader(slabs)
{
    internal void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Slab slab = Buffer.Prepare(out int offset);
            int part = Math.Min(bytes.Length, slab.Length - offset);
            bytes[..part].CopyTo(slab.Array.AsSpan(offset));
            Buffer.Received(part);
            bytes = bytes[part..];
            CompleteRead();
        }
    }

    private protected override bool TryReceiveOrWait() => false;

    private protected override bool TryReceive() => false;

    private protected override void Defer()
    {
    }
}

/// <summary>Counts what it is given, as a socket with endless room would take it.</summary>
internal sealed class MemoryWriter(SlabPool slabs) : TransportWriter
{
    private Slab? _slab;
    private int _collected;

    internal long WrittenBytes { get; private set; }

    public override Memory<byte> GetMemory(int sizeHint = 0) => (_slab ??= slabs.Lease(sizeHint)).Array.AsMemory(_collected);

    public override Span<byte> GetSpan(int sizeHint = 0) => (_slab ??= slabs.Lease(sizeHint)).Array.AsSpan(_collected);

    public override void Advance(int bytes) => _collected += bytes;

    public override long UnflushedBytes => _collected;

    public override bool CanGetUnflushedBytes => true;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => WriteAsync(default, default);

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        WrittenBytes += _collected + body.Length + tail.Length;
        _collected = 0;
        if (_slab is not null) slabs.Return(_slab);
        _slab = null;
        return default;
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
