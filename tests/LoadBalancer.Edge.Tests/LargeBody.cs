namespace LoadBalancer.Edge.Tests;

/// <summary>A body that nobody stores: one random block over and over, so that every byte is known by its place.</summary>
internal static class LargeBody
{
    // Not a power of two: a buffer lost or repeated on the way shifts the rest.
    private static readonly byte[] Block = MakeBlock(1_000_003);

    /// <summary>The bytes from a place on: some, not all of them.</summary>
    internal static ReadOnlyMemory<byte> From(long offset) => Block.AsMemory((int)(offset % Block.Length));

    private static byte[] MakeBlock(int length)
    {
        byte[] block = new byte[length];
        new Random(7).NextBytes(block);
        return block;
    }
}

/// <summary>Takes a body that should be a <see cref="LargeBody"/>, and compares every byte.</summary>
internal sealed class LargeBodyCheck
{
    /// <summary>Bytes taken.</summary>
    internal long Length { get; private set; }

    /// <summary>Place of the first run of bytes with a wrong one; -1 for none.</summary>
    internal long WrongAt { get; private set; } = -1;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> expected = LargeBody.From(Length).Span;
            int count = Math.Min(expected.Length, bytes.Length);
            if (WrongAt < 0 && !bytes[..count].SequenceEqual(expected[..count])) WrongAt = Length;
            Length += count;
            bytes = bytes[count..];
        }
    }
}
