using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Core.AccessLog;

/// <summary>Writes one line into a buffer of fixed size. What does not fit sets <see cref="IsOverflown"/>; the line is not to be used then.</summary>
internal ref struct LineWriter(Span<byte> buffer)
{
    private const int TextCharsMax = 512;
    private readonly Span<byte> _buffer = buffer;

    internal int Length { get; private set; }

    internal bool IsOverflown { get; private set; }

    /// <summary>Room that is left.</summary>
    internal readonly int Free => _buffer.Length - Length;

    /// <summary>The time that the line tells (UTC).</summary>
    internal DateTime At { get; set; }

    // Inlined: most pieces are constants, whose copy is then a few moves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.TryCopyTo(_buffer[Length..])) Length += bytes.Length;
        else IsOverflown = true;
    }

    internal void Raw(byte value)
    {
        if (Length < _buffer.Length) _buffer[Length++] = value;
        else IsOverflown = true;
    }

    internal void Number(long value)
    {
        if (Utf8Formatter.TryFormat(value, _buffer[Length..], out int written)) Length += written;
        else IsOverflown = true;
    }

    /// <summary>Text of ours or of a policy's, at most 512 characters of it.</summary>
    internal void Text(scoped ReadOnlySpan<char> text, Escape escape)
    {
        // Nearly all is plain, and goes straight to its place.
        Span<byte> room = _buffer[Length..];
        if (text.Length <= room.Length && text.Length <= TextCharsMax && System.Text.Ascii.FromUtf16(text, room, out int count) == OperationStatus.Done && !room[..count].ContainsAnyExcept(Plain))
        {
            Length += count;
            return;
        }
        Odd(text, escape);
    }

    private void Odd(scoped ReadOnlySpan<char> text, Escape escape)
    {
        Span<byte> bytes = stackalloc byte[TextCharsMax * 3];
        Utf8.FromUtf16(text[..Math.Min(text.Length, TextCharsMax)], bytes, out _, out int written);
        Bytes(bytes[..written], escape);
    }

    /// <summary>Bytes that nobody vouches for: nothing of them ends a line or a value, or reaches a terminal as a control character.</summary>
    internal void Bytes(scoped ReadOnlySpan<byte> bytes, Escape escape)
    {
        while (!bytes.IsEmpty)
        {
            int plain = bytes.IndexOfAnyExcept(Plain);
            if (plain < 0) plain = bytes.Length;
            Raw(bytes[..plain]);
            bytes = bytes[plain..];
            if (bytes.IsEmpty) return;
            if (escape == Escape.Json) bytes = bytes[Json(bytes)..];
            else
            {
                byte value = bytes[0];
                if (value == ' ' && escape == Escape.Text) Raw(value);
                else
                {
                    Raw("\\x"u8);
                    Raw(Hex(value >> 4));
                    Raw(Hex(value & 15));
                }
                bytes = bytes[1..];
            }
        }
    }

    // Printable ASCII that no format gives a meaning to.
    private static readonly SearchValues<byte> Plain = SearchValues.Create("!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private static byte Hex(int digit) => "0123456789abcdef"u8[digit];

    /// <summary>RFC 8259 §7; what is no UTF-8 becomes U+FFFD, and control characters beyond ASCII are escaped as well.</summary>
    private int Json(scoped ReadOnlySpan<byte> bytes)
    {
        OperationStatus status = Rune.DecodeFromUtf8(bytes, out Rune rune, out int used);
        if (status == OperationStatus.Done && rune.Value is '"' or '\\')
        {
            Raw((byte)'\\');
            Raw(bytes[0]);
        }
        else if (rune.Value is < ' ' or (>= 0x7F and < 0xA0) or 0x2028 or 0x2029)
        {
            Raw("\\u"u8);
            for (int shift = 12; shift >= 0; shift -= 4) Raw(Hex((rune.Value >> shift) & 15));
        }
        else if (status == OperationStatus.Done) Raw(bytes[..used]);
        else Raw("\uFFFD"u8);
        return Math.Max(used, 1);
    }
}

/// <summary>How values are escaped.</summary>
internal enum Escape
{
    /// <summary>Inside a JSON string.</summary>
    Json,
    /// <summary>"\xHH", as nginx does; spaces stay.</summary>
    Text,
    /// <summary>"\xHH", spaces too: the value is not in quotes.</summary>
    Word,
}
