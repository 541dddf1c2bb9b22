using System.Runtime.CompilerServices;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Appends to a span that was asked for with enough room; the caller's size bound is asserted by the span itself.</summary>
internal ref struct HeadBuffer(Span<byte> span)
{
    private readonly Span<byte> _span = span;

    internal int Length { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[Length..]);
        Length += bytes.Length;
    }

    /// <summary>What was written to <see cref="Free"/> belongs to it.</summary>
    internal void Advance(int length) => Length += length;

    /// <summary>What was written so far.</summary>
    internal readonly ReadOnlySpan<byte> Written => _span[..Length];

    /// <summary>Takes out what was written.</summary>
    internal void Remove(int start, int length)
    {
        _span[(start + length)..Length].CopyTo(_span[start..]);
        Length -= length;
    }

    /// <summary>Room that is left.</summary>
    internal readonly Span<byte> Free => _span[Length..];

    internal void Append(byte value) => _span[Length++] = value;

    internal void AppendNumber(long value) => Length += HeadWriter.WriteInt64(_span[Length..], value);

    internal void AppendHex(long value) => Length += HeadWriter.WriteHex(_span[Length..], value);

    /// <summary>
    /// Copies the field lines that go on, in runs as long as possible: those that are neither hop-by-hop nor in
    /// <paramref name="dropMask"/> (a bit for each <see cref="KnownField"/>).
    /// </summary>
    /// <param name="head">The head that is copied.</param>
    /// <param name="bytes">Where it stands.</param>
    /// <param name="dropMask">Fields left out.</param>
    /// <param name="hasMarked">Whether a line was marked as hop-by-hop that is none, to leave it out.</param>
    internal void AppendFields(MessageHead head, scoped ReadOnlySpan<byte> bytes, uint dropMask, bool hasMarked = false)
    {
        int end = head.Length - 2; // before the empty line
        int run = head.FieldsStart;
        // Without any of these no line can have been marked, so the block goes on whole. A length may be marked where none is allowed.
        if (hasMarked || (head.Present & (FieldSection.HopByHop | Bit(KnownField.ContentLength) | dropMask)) != 0)
        {
            ReadOnlySpan<FieldLine> fields = head.Fields.AsSpan(0, head.FieldCount);
            foreach (ref readonly FieldLine field in fields)
            {
                if (!field.IsHopByHop && (dropMask >> (int)field.Known & 1) == 0) continue;
                if (field.NameStart > run) Append(bytes[run..field.NameStart]);
                run = field.LineEnd;
            }
        }
        if (end > run) Append(bytes[run..end]);
    }

    internal static uint Bit(KnownField field) => 1u << (int)field;
}
