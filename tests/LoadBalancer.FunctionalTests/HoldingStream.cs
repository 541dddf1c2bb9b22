namespace LoadBalancer.FunctionalTests;

/// <summary>A stream whose written bytes can be held back, to send a part of a TLS record only. Whoever writes may be another thread than who lets go.</summary>
internal sealed class HoldingStream(Stream below) : Stream
{
    private readonly MemoryStream _held = new();
    private bool _isHolding;

    /// <summary>What is written from here on is kept.</summary>
    internal void Hold() => _isHolding = true;

    /// <summary>What is written from here on goes as it comes; what was kept stays, and is to be passed first.</summary>
    internal void Release() => _isHolding = false;

    /// <summary>Lets the next so many bytes of what was kept go.</summary>
    internal async Task PassAsync(int countMax)
    {
        byte[] bytes;
        int count;
        lock (_held)
        {
            bytes = _held.ToArray();
            count = Math.Min(countMax, bytes.Length);
            _held.SetLength(0);
            _held.Write(bytes.AsSpan(count));
        }
        await below.WriteAsync(bytes.AsMemory(0, count));
    }

    private bool TryHold(ReadOnlySpan<byte> bytes)
    {
        if (!_isHolding) return false;
        lock (_held) _held.Write(bytes);
        return true;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!TryHold(buffer.Span)) await below.WriteAsync(buffer, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (!TryHold(buffer.AsSpan(offset, count))) below.Write(buffer, offset, count);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => below.ReadAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => below.Read(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => below.FlushAsync(cancellationToken);

    public override void Flush() => below.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing) below.Dispose();
        base.Dispose(disposing);
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
