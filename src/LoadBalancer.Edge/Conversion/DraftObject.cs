using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoadBalancer.Edge.Conversion;

/// <summary>A JSON object that is being put together, with comments: what is written into lb.json.</summary>
internal sealed class DraftObject
{
    private const int LineMax = 140;
    private readonly List<(string Key, object Value, string? Comment)> _members = [];

    internal int Count => _members.Count;

    internal bool Has(string key) => _members.Exists(member => member.Key == key);

    /// <summary>Adds a member; a null value adds none.</summary>
    /// <param name="key">Not there yet.</param>
    /// <param name="value">A string, a number, true or false, an object, or a list of strings or of objects.</param>
    /// <param name="comment">Stands above it.</param>
    internal DraftObject Add(string key, object? value, string? comment = null)
    {
        if (value is null or DraftObject { Count: 0 } or System.Collections.ICollection { Count: 0 }) return this;
        _members.Add((key, value, comment));
        return this;
    }

    /// <summary>The object of a key, made where it is not there yet.</summary>
    internal DraftObject Child(string key)
    {
        foreach ((string name, object value, _) in _members)
            if (name == key) return (DraftObject)value;
        var child = new DraftObject();
        _members.Add((key, child, null));
        return child;
    }

    /// <summary>Adds all members to another object that has none of them.</summary>
    internal void CopyTo(DraftObject other) => other._members.AddRange(_members);

    /// <summary>In one line: by which equal ones are known.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Inline(text, this);
        return text.ToString();
    }

    /// <summary>The whole as a file, with line ends.</summary>
    internal void Write(StringBuilder text, int depth = 0)
    {
        text.Append("{\n");
        for (int i = 0; i < _members.Count; i++)
        {
            (string key, object value, string? comment) = _members[i];
            foreach (string line in comment?.Split('\n') ?? []) Indent(text, depth + 1).Append("// ").Append(Printable(line)).Append('\n');
            Indent(text, depth + 1).Append(Quote(key)).Append(": ");
            if (HasComments(value) || !TryInline(text, value)) Block(text, value, depth + 1);
            text.Append(i + 1 < _members.Count ? ",\n" : "\n");
        }
        Indent(text, depth).Append('}');
    }

    private static void Block(StringBuilder text, object value, int depth)
    {
        if (value is DraftObject draft) draft.Write(text, depth);
        else if (value is IReadOnlyList<DraftObject> list)
        {
            text.Append("[\n");
            for (int i = 0; i < list.Count; i++)
            {
                Indent(text, depth + 1);
                if (list[i].HasComments() || !TryInline(text, list[i])) list[i].Write(text, depth + 1);
                text.Append(i + 1 < list.Count ? ",\n" : "\n");
            }
            Indent(text, depth).Append(']');
        }
        else Inline(text, value);
    }

    private static bool TryInline(StringBuilder text, object value)
    {
        int start = text.Length;
        Inline(text, value);
        if (text.Length - start <= LineMax) return true;
        text.Length = start;
        return false;
    }

    private static void Inline(StringBuilder text, object value)
    {
        switch (value)
        {
            case string plain:
                text.Append(Quote(plain));
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case DraftObject draft:
                text.Append(draft._members.Count == 0 ? "{" : "{ ");
                for (int i = 0; i < draft._members.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ").Append(Quote(draft._members[i].Key)).Append(": ");
                    Inline(text, draft._members[i].Value);
                }
                text.Append(draft._members.Count == 0 ? "}" : " }");
                break;
            case System.Collections.IEnumerable list:
                text.Append('[');
                bool isFirst = true;
                foreach (object item in list)
                {
                    if (!isFirst) text.Append(", ");
                    isFirst = false;
                    Inline(text, item);
                }
                text.Append(']');
                break;
            default:
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{value}");
                break;
        }
    }

    private static bool HasComments(object value) => value switch
    {
        DraftObject draft => draft.HasComments(),
        IReadOnlyList<DraftObject> list => list.Any(item => item.HasComments()),
        _ => false,
    };

    private bool HasComments() => _members.Exists(member => member.Comment is not null || HasComments(member.Value));

    private static StringBuilder Indent(StringBuilder text, int depth) => text.Append(' ', depth * 2);

    // A comment ends with its line, whatever stood in the other file.
    internal static string Printable(string line) => string.Create(line.Length, line, static (span, from) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = char.IsControl(from[i]) || from[i] is '\u2028' or '\u2029' || char.IsSurrogate(from[i]) ? '?' : from[i];
    });

    // Relaxed: the file is read by lb and by people, and is never part of HTML.
    private static string Quote(string plain) => $"\"{JsonEncodedText.Encode(plain, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
