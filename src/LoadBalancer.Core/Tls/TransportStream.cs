using System.Runtime.CompilerServices;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// A connection's bytes as the stream that <see cref="System.Net.Security.SslStream"/> wants under it. Writes only collect: whoever encrypts flushes
/// once for all records of an answer. Loop's thread only.
/// </summary>
internal sealed class TransportStream(TransportConnection connection) : Stream
{
    private readonly TransportReader _input = connection.Input;
    private readonly TransportWriter _output = connection.Output;

    /// <summary>The first byte that was read; -1 before.</summary>
    internal int FirstByte { get; private set; } = -1;

    /// <summary>Whether the end was read.</summary>
    internal bool HasEnded { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_input.IsEmpty && !_input.IsEnded)
        {
            TransportReader.FillAwaitable filling = _input.FillAsync();
            if (!filling.IsCompleted) return WaitAsync(filling, buffer);
        }
        return new(Take(buffer.Span));
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(TransportReader.FillAwaitable filling, Memory<byte> buffer)
    {
        await filling;
        return Take(buffer.Span);
    }

    // An empty buffer only asks to be told when there is something.
    private int Take(Span<byte> buffer)
    {
        ReadOnlySpan<byte> bytes = _input.Bytes.Span;
        int count = Math.Min(bytes.Length, buffer.Length);
        bytes[..count].CopyTo(buffer);
        if (count > 0 && FirstByte < 0) FirstByte = bytes[0];
        HasEnded |= bytes.IsEmpty && !buffer.IsEmpty;
        if (count > 0) _input.Consume(count);
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        buffer.CopyTo(_output.GetSpan(buffer.Length));
        _output.Advance(buffer.Length);
    }

    // SslStream flushes after a handshake's messages.
    public override async Task FlushAsync(CancellationToken cancellationToken) => await _output.FlushAsync(CancellationToken.None).ConfigureAwait(false);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
