using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>First pass: JSON with comments and trailing commas into nodes with positions. A syntax error ends it; duplicate keys do not.</summary>
internal static class ConfigParser
{
    /// <summary>Deepest nesting; the format itself needs 6.</summary>
    internal const int DepthMax = 32;

    /// <summary>The root, or null when the text is no JSON; problems are added to the list.</summary>
    internal static ConfigNode? Parse(ConfigText text, List<ConfigDiagnostic> problems)
    {
        // Comments are skipped and depth is counted by the reader, so recursion here is bounded too.
        var reader = new Utf8JsonReader(text.Bytes, new JsonReaderOptions
        {
            AllowTrailingCommas = true,
            CommentHandling = JsonCommentHandling.Skip,
            MaxDepth = DepthMax,
        });
        try
        {
            reader.Read();
            ConfigNode root = Value(ref reader, "", text, problems);
            reader.Read(); // throws on anything but comments and white space
            return root;
        }
        catch (JsonException e)
        {
            problems.Add(text.At(text.OffsetOf(e.LineNumber ?? 0, e.BytePositionInLine ?? 0), "", $"not valid JSON: {Message(e)}"));
        }
        catch (InvalidOperationException) // GetString on bytes that are no UTF-8, or on half of a surrogate pair
        {
            problems.Add(text.At((int)reader.TokenStartIndex, "", "not valid JSON: the string is not valid Unicode; expected the file to be UTF-8"));
        }
        return null;
    }

    private static ConfigNode Value(ref Utf8JsonReader reader, string path, ConfigText text, List<ConfigDiagnostic> problems)
    {
        int offset = (int)reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var node = new ConfigNode(ConfigNodeKind.Object, offset);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    int keyOffset = (int)reader.TokenStartIndex;
                    string key = reader.GetString()!;
                    string memberPath = ConfigPath.Member(path, key);
                    reader.Read();
                    ConfigNode value = Value(ref reader, memberPath, text, problems);
                    if (node.Members.Find(m => m.Key == key) is { } first)
                    {
                        ConfigDiagnostic place = text.At(first.KeyOffset, "", "");
                        problems.Add(text.At(keyOffset, memberPath, $"the key {CharacterText.Quote(key)} is given twice; the first is at {place.Line}:{place.Column}"));
                    }
                    else node.Members.Add(new ConfigMember(key, keyOffset, value));
                }
                return node;
            case JsonTokenType.StartArray:
                var list = new ConfigNode(ConfigNodeKind.Array, offset);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    list.Items.Add(Value(ref reader, ConfigPath.Item(path, list.Items.Count), text, problems));
                return list;
            case JsonTokenType.String:
                return new ConfigNode(ConfigNodeKind.String, offset) { Text = reader.GetString()! };
            case JsonTokenType.Number:
                return new ConfigNode(ConfigNodeKind.Number, offset) { Text = Encoding.ASCII.GetString(reader.ValueSpan) };
            case JsonTokenType.True:
                return new ConfigNode(ConfigNodeKind.True, offset);
            case JsonTokenType.False:
                return new ConfigNode(ConfigNodeKind.False, offset);
            default:
                return new ConfigNode(ConfigNodeKind.Null, offset);
        }
    }

    // The framework ends its messages with the position, which we give our own way.
    private static string Message(JsonException e)
    {
        int position = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (position < 0 ? e.Message : e.Message[..position]).TrimEnd('.', ' ').ReplaceLineEndings(" ");
    }
}
