using System.Buffers;
using System.Runtime.CompilerServices;

namespace LoadBalancer.Translation.Documents;

/// <summary>
/// Bytes that are being written, up to a bound; the array comes from the shared pool and is kept between uses unless it has grown large. One user at a time.
/// </summary>
public sealed class OutputBuffer : IDisposable
{
    private readonly bool _leavesOld;
    private const int KeptBytesMax = 256 * 1024, BytesMin = 4 * 1024;

    private byte[] _bytes = [];
    private int _length, _capacity;
    private int _bytesMax = int.MaxValue;

    /// <summary>An empty buffer.</summary>
    public OutputBuffer()
    {
    }

    /// <param name="leavesOld">Arrays that have become too small are not given back, as spans of them are still read.</param>
    internal OutputBuffer(bool leavesOld) => _leavesOld = leavesOld;

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>The same, until the buffer is used again.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, _length);

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>More was to be written than is allowed; what was written since then is missing.</summary>
    public bool IsOverflown { get; private set; }

    /// <summary>Begins anew.</summary>
    public void Reset(int bytesMax)
    {
        _length = 0;
        _bytesMax = bytesMax;
        IsOverflown = false;
        if (_bytes.Length > KeptBytesMax) Dispose();
        _capacity = Math.Min(_bytes.Length, bytesMax);
    }

    /// <summary>Appends bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= _capacity - _length)
        {
            bytes.CopyTo(_bytes.AsSpan(_length));
            _length += bytes.Length;
        }
        else WriteGrown(bytes);
    }

    /// <summary>Appends a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(byte value)
    {
        if (_length < _capacity) _bytes[_length++] = value;
        else WriteGrown([value]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteGrown(ReadOnlySpan<byte> bytes)
    {
        byte[] old = _bytes;
        if (!TryGrow(bytes.Length)) return;
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        if (!_leavesOld) Return(old); // not before: the bytes may lie in it
    }

    /// <summary>Room for so many bytes at the end, which <see cref="Advance"/> then takes; empty when there is none. What was asked for before may have moved.</summary>
    internal Span<byte> Room(int bytes)
    {
        if (bytes <= _capacity - _length) return _bytes.AsSpan(_length, bytes);
        byte[] old = _bytes;
        if (!TryGrow(bytes)) return default;
        if (!_leavesOld) Return(old);
        return _bytes.AsSpan(_length, bytes);
    }

    internal void Advance(int bytes) => _length += bytes;

    private bool TryGrow(int more)
    {
        // Compared without a sum: lengths near the bound of arrays must not wrap.
        if (IsOverflown || more > _bytesMax - _length)
        {
            IsOverflown = true;
            _capacity = _length; // nothing smaller that would still fit is taken
            return false;
        }
        int wanted = (int)Math.Min(Math.Max((long)_length + more, Math.Max(_bytes.Length * 2L, BytesMin)), Array.MaxLength);
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        Written.CopyTo(larger);
        _bytes = larger;
        _capacity = Math.Min(_bytes.Length, _bytesMax);
        return true;
    }

    private static void Return(byte[] bytes)
    {
        if (bytes.Length > 0) ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Gives the array back; the buffer can be used again after <see cref="Reset"/>.</summary>
    public void Dispose()
    {
        Return(_bytes);
        _bytes = [];
        _length = _capacity = 0;
    }
}
