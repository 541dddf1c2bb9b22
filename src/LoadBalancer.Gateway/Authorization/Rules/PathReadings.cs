using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LoadBalancer.Core.Protection.Rules;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>
/// What destinations may take one path for: the path as it is forwarded, and as those see it that decode "%2F", merge slashes, cut parameters (";x") and what file
/// systems cut at the end of a name, or fold what looks alike. A rule that allows must hold for all readings, one that denies need hold for one only. What
/// has a backslash or hidden dot segments, or would be read anew at each decoding, is unreadable. Used again for the next path; belongs to one loop.
/// </summary>
internal sealed class PathReadings
{
    private const int ReadingsMax = 4;
    private const int TwoDots = 0x2025;

    private static readonly SearchValues<byte> Odd = SearchValues.Create([(byte)'%', (byte)'\\', (byte)';', .. Enumerable.Range(0, 0x21).Select(i => (byte)i), .. Enumerable.Range(0x7F, 0x81).Select(i => (byte)i)]);

    private readonly byte[][] _readings = [[], [], [], []];
    private readonly int[] _lengths = new int[ReadingsMax];
    private byte[] _scratch = [];

    /// <summary>How many there are, the forwarded path first; the others are decoded.</summary>
    internal int Count { get; private set; }

    /// <summary>Why nobody can tell what the path is; null where all can.</summary>
    internal string? Problem { get; private set; }

    /// <summary>The reading of that index.</summary>
    internal ReadOnlySpan<byte> this[int index] => _readings[index].AsSpan(0, _lengths[index]);

    /// <summary>Reads a path.</summary>
    /// <param name="path">In normal form, as it is forwarded.</param>
    // Hot path: per request. 0 allocations but for a longer path than before.
    internal void Read(ReadOnlySpan<byte> path)
    {
        Problem = null;
        Count = 0;
        path.CopyTo(Room(path.Length));
        Add(path.Length);
        if (path.IndexOfAny(Odd) < 0 && path.IndexOf("//"u8) < 0 && path.IndexOf("./"u8) < 0 && !path.EndsWith("."u8)) return;
        ReadMore(path);
    }

    private void ReadMore(ReadOnlySpan<byte> path)
    {
        Add(PlainPath.Write(path, Room(path.Length)));
        // Twice over each byte at the most, and never longer than the path.
        if (_scratch.Length < path.Length) _scratch = new byte[Math.Max(path.Length, 256)];
        int length = Decode(path, _scratch, cutsBefore: false);
        Problem = ProblemOf(_scratch.AsSpan(0, length));
        if (Problem is not null) return;
        Add(Loosen(_scratch.AsSpan(0, length), Room(path.Length)));
        length = Decode(path, _scratch, cutsBefore: true);
        Add(Loosen(_scratch.AsSpan(0, length), Room(path.Length)));
    }

    private Span<byte> Room(int length)
    {
        if (_readings[Count].Length < length) _readings[Count] = new byte[Math.Max(length, 256)];
        return _readings[Count];
    }

    private void Add(int length)
    {
        _lengths[Count] = length;
        for (int i = 0; i < Count; i++) if (this[i].SequenceEqual(_readings[Count].AsSpan(0, length))) return;
        Count++;
    }

    private static int Decode(ReadOnlySpan<byte> path, Span<byte> output, bool cutsBefore)
    {
        int length = 0;
        bool isCut = false;
        for (int i = 0; i < path.Length; i++)
        {
            byte b = path[i];
            if (cutsBefore && b == ';') isCut = true;
            else if (b == '/') isCut = false;
            if (isCut) continue;
            if (PercentEncoding.At(path, i) is >= 0 and var encoded)
            {
                b = (byte)encoded;
                i += 2;
            }
            output[length++] = b;
        }
        return length;
    }

    // Of a path decoded once. Decoded again it may have other letters, slashes or dots: what it is depends on how often somebody decodes.
    private static string? ProblemOf(ReadOnlySpan<byte> decoded)
    {
        if (!Utf8.IsValid(decoded)) return "is no UTF-8";
        for (int i = 0; i < decoded.Length; i++)
        {
            byte b = decoded[i];
            if (b is < 0x20 or 0x7F) return "has a control character";
            // A slash to some and none to others, and nothing that a path needs.
            if (b == '\\') return "has a backslash";
            int again = PercentEncoding.At(decoded, i);
            if (again < 0) continue;
            if (again is < 0x20 or >= 0x7F or '/' or '\\' or ';' or '%' || char.IsAsciiLetterOrDigit((char)again) || again is '-' or '.' or '_' or '~') return "is encoded twice";
        }
        return null;
    }

    // Slashes merged, parameters and ends of names cut. Where ".." comes up, which the normal path has no more, somebody has hidden it: how many segments it takes with it
    // nobody can tell.
    private int Loosen(Span<byte> path, Span<byte> output)
    {
        path = path[..Fold(path)];
        int written = 0;
        for (int read = 0; read < path.Length;)
        {
            int start = path[read] == '/' ? read + 1 : read;
            int next = path[start..].IndexOf((byte)'/');
            int end = next < 0 ? path.Length : start + next;
            ReadOnlySpan<byte> segment = path[start..end];
            read = end;
            bool isLast = end == path.Length;
            int cut = segment.IndexOf((byte)';');
            if (cut >= 0) segment = segment[..cut];
            segment = segment.TrimEnd((byte)' ');
            if (segment.SequenceEqual(".."u8)) Problem = "has hidden dot segments";
            segment = segment.TrimEnd(". "u8);
            if (segment.IsEmpty)
            {
                if (isLast) output[written++] = (byte)'/';
                continue;
            }
            output[written++] = (byte)'/';
            segment.CopyTo(output[written..]);
            written += segment.Length;
        }
        return written;
    }

    // What compatibility decomposition (Unicode NFKC) makes ASCII of, where it is a letter or means something in a path. In place; never longer.
    private static int Fold(Span<byte> path)
    {
        int length = 0;
        for (int i = 0; i < path.Length;)
        {
            if (path[i] < 0x80)
            {
                path[length++] = path[i] == '\\' ? (byte)'/' : path[i];
                i++;
                continue;
            }
            Rune.DecodeFromUtf8(path[i..], out Rune rune, out int consumed);
            int folded = Folded(rune.Value);
            if (rune.Value == TwoDots) path[length++] = (byte)'.';
            if (folded >= 0) path[length++] = (byte)(folded == '\\' ? '/' : folded);
            else
            {
                path.Slice(i, consumed).CopyTo(path[length..]);
                length += consumed;
            }
            i += consumed;
        }
        return length;
    }

    /// <summary>The ASCII that a character may be taken for; -1 for none.</summary>
    internal static int Folded(int rune) => rune switch
    {
        >= 0xFF01 and <= 0xFF5E => rune - 0xFF01 + '!', // fullwidth forms
        0x2044 or 0x2215 or 0x29F8 => '/',
        0x2216 or 0x29F5 or 0x29F9 or 0xFE68 => '\\',
        0x2024 or 0xFE52 or TwoDots => '.',
        0x212A => 'k',
        0x017F => 's',
        _ => -1,
    };
}
