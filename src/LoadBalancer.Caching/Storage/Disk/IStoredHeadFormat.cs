using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Writes heads to disk and reads them back. Any thread.</summary>
public interface IStoredHeadFormat<THead>
    where THead : class
{
    /// <summary>Writes a head, with a version of its own where it may change.</summary>
    void Write(THead head, IBufferWriter<byte> writer);

    /// <summary>Reads one. The bytes are those that were written, by this or an earlier program; false where they are not understood: the object is then removed.</summary>
    bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out THead? head);
}
