using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LoadBalancer.Translation.Documents;

/// <summary>Finds what stands at a byte of a document. Only problems need it, so nothing is kept for it while documents are read.</summary>
internal static class PointerText
{
    private const int LengthMax = 1024, NameMax = 100;

    /// <summary>The JSON pointer (RFC 6901) of the value, or of the name, that begins at the position. "" where it cannot be told.</summary>
    internal static string At(ReadOnlySpan<byte> document, long position)
    {
        if (position < 0) return "";
        var steps = new List<(string? Name, int Index)>(); // of each container that is open, where in it we are
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = 1000 });
            while (reader.Read() && reader.TokenStartIndex <= position)
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        steps[^1] = (Encoding.UTF8.GetString(reader.ValueSpan), -1);
                        if (reader.ValueIsEscaped) steps[^1] = (reader.GetString(), -1);
                        break;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        steps.RemoveAt(steps.Count - 1);
                        break;
                    default:
                        if (steps.Count > 0 && steps[^1].Name is null) steps[^1] = (null, steps[^1].Index + 1);
                        if (reader.TokenStartIndex < position && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) steps.Add((null, -1));
                        break;
                }
                if (reader.TokenStartIndex == position) break;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return "";
        }
        return Join(steps);
    }

    /// <summary>A name of a document as a line of a log can hold it: not long, and without control characters, which could make another line of it.</summary>
    internal static string Shown(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name.Length > NameMax ? name.AsSpan(0, NameMax) : name)
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029' || char.IsSurrogate(c)) text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else text.Append(c);
        }
        return name.Length > NameMax ? text.Append('…').ToString() : text.ToString();
    }

    private static string Join(List<(string? Name, int Index)> steps)
    {
        var text = new StringBuilder();
        foreach ((string? name, int index) in steps)
        {
            text.Append('/').Append(name is null ? index.ToString(CultureInfo.InvariantCulture) : Shown(name).Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
            if (text.Length > LengthMax) return text.Append('…').ToString();
        }
        return text.ToString();
    }
}
