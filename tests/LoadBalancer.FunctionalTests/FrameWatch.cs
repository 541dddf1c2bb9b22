using System.Threading.Channels;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// A client's stream that reports the opcode of each WebSocket frame it receives: the library keeps pings and pongs to itself.
/// Understands short unmasked frames only, from the first byte read after <see cref="Begin"/>.
/// </summary>
internal sealed class FrameWatch(Stream inner) : Stream
{
    private readonly Channel<int> _opcodes = Channel.CreateUnbounded<int>();
    private bool _watching;
    private int _at, _opcode, _left;

    /// <summary>The handshake is over: what comes is frames.</summary>
    internal void Begin() => Volatile.Write(ref _watching, true);

    /// <summary>Waits for a frame of this kind, passing over others.</summary>
    internal async Task ReceivedAsync(int opcode, CancellationToken token)
    {
        while (await _opcodes.Reader.ReadAsync(token) != opcode)
        {
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        if (Volatile.Read(ref _watching)) Watch(buffer.Span[..read]);
        return read;
    }

    private void Watch(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (_at == 0) _opcode = b & 0x0F; // RFC 6455 §5.2
            else if (_at == 1) _left = b;
            else _left--;
            _at++;
            if (_at < 2 || _left > 0) continue;
            _at = 0;
            _opcodes.Writer.TryWrite(_opcode);
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
