using System.Text;

namespace LoadBalancer.Core.Policies;

/// <summary>The variables of a route's path template: which segment each is. Immutable.</summary>
internal sealed class PathVariables
{
    private readonly int[] _segments;

    internal PathVariables(string template)
    {
        string[] segments = template.Length > 0 ? template[1..].Split('/') : [];
        var names = new List<string>();
        var indexes = new List<int>();
        for (int i = 0; i < segments.Length; i++)
        {
            if (segments[i] is not ['{', .. var name, '}']) continue;
            names.Add(name);
            indexes.Add(i);
        }
        Names = names;
        _segments = [.. indexes];
    }

    internal IReadOnlyList<string> Names { get; }

    /// <summary>The decoded value; null where there is none that is the same to everybody.</summary>
    internal string? Find(string name, ReadOnlySpan<byte> path)
    {
        int index = -1;
        for (int i = 0; i < Names.Count; i++) if (Names[i] == name) index = _segments[i];
        if (index < 0 || path.IsEmpty) return null;
        path = path[1..];
        for (; index > 0; index--)
        {
            int slash = path.IndexOf((byte)'/');
            if (slash < 0) return null;
            path = path[(slash + 1)..];
        }
        int end = path.IndexOf((byte)'/');
        return Decode(end < 0 ? path : path[..end]);
    }

    private static string? Decode(ReadOnlySpan<byte> segment)
    {
        Span<byte> decoded = segment.Length <= 256 ? stackalloc byte[segment.Length] : new byte[segment.Length];
        int length = 0;
        for (int i = 0; i < segment.Length; i++)
        {
            byte b = segment[i];
            if (b == '%')
            {
                if (segment.Length - i < 3) return null;
                int high = Http.Syntax.HexValue(segment[i + 1]), low = Http.Syntax.HexValue(segment[i + 2]);
                if (high < 0 || low < 0) return null;
                b = (byte)(high * 16 + low);
                i += 2;
            }
            if (b is (byte)'/' or (byte)'\\' or < 0x20 or 0x7F) return null;
            decoded[length++] = b;
        }
        decoded = decoded[..length];
        return System.Text.Unicode.Utf8.IsValid(decoded) ? Encoding.UTF8.GetString(decoded) : null;
    }
}
