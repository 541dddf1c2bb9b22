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

    internal void Append(byte value) => _span[Length++] = value;

    internal void AppendNumber(long value)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(value, _span[Length..], out int written);
        Length += written;
    }

    /// <summary>
    /// Copies the field lines that go on, in runs as long as possible: those that are neither hop-by-hop nor in
    /// <paramref name="dropMask"/> (a bit for each <see cref="KnownField"/>).
    /// </summary>
    internal void AppendFields(MessageHead head, scoped ReadOnlySpan<byte> bytes, uint dropMask)
    {
        int end = head.Length - 2; // before the empty line
        const uint HopByHop = 1u << (int)KnownField.Connection | 1u << (int)KnownField.KeepAlive | 1u << (int)KnownField.ProxyConnection
            | 1u << (int)KnownField.ProxyAuthenticate | 1u << (int)KnownField.ProxyAuthorization | 1u << (int)KnownField.Te
            | 1u << (int)KnownField.TransferEncoding | 1u << (int)KnownField.Upgrade | 1u << (int)KnownField.Http2Settings
            | 1u << (int)KnownField.ContentLength; // a length that is not allowed is marked too
        int run = head.FieldsStart;
        // Without Connection nothing else can have been marked.
        if ((head.Present & (HopByHop | dropMask)) != 0)
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
