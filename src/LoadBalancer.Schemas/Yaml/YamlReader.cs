using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Schemas.Json;
using SharpYaml;
using SharpYaml.Events;

namespace LoadBalancer.Schemas.Yaml;

/// <summary>
/// Converts YAML (1.2, core schema) to JSON. What JSON has no word for (several documents, tags, merge keys, infinities) is refused. An alias stands for a copy, and all
/// copies count against the limits: a few lines of aliases to aliases would be gigabytes otherwise.
/// </summary>
internal sealed class YamlReader : IDisposable
{
    private readonly List<ParsingEvent> _events = [];
    private readonly Dictionary<string, (int Start, int End)> _anchors = new(StringComparer.Ordinal);
    private readonly JsonLimits _limits;
    private readonly Utf8JsonWriter _json;
    private int _nodes;
    private ParsingEvent? _last;

    private YamlReader(Stream output, JsonLimits limits)
    {
        _limits = limits;
        _json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = limits.DepthMax + 1 });
    }

    internal static bool TryConvert(byte[] yaml, JsonLimits limits, [NotNullWhen(true)] out byte[]? json, out int line, out string error)
    {
        json = null;
        line = 1;
        error = "";
        if (yaml.Length > limits.BytesMax)
        {
            error = $"is larger than {limits.BytesMax} bytes";
            return false;
        }
        using var output = new MemoryStream();
        using var reader = new YamlReader(output, limits);
        try
        {
            using var text = new StringReader(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(yaml));
            reader.Read(Parser.CreateParser(text, limits.DepthMax));
            reader._json.Flush();
            json = output.ToArray();
            return true;
        }
        catch (YamlException e)
        {
            line = e.Start.Line + 1;
            error = $"is not valid YAML: {e.Message.ReplaceLineEndings(" ")}";
        }
        catch (NotConvertibleException e)
        {
            line = (reader._last?.Start.Line ?? 0) + 1;
            error = e.Message;
        }
        catch (DecoderFallbackException)
        {
            error = "is not UTF-8";
        }
        return false;
    }

    public void Dispose() => _json.Dispose();

    // Thrown and caught in this file alone: the walk is recursive by its nature, and a document is loaded once.
    private sealed class NotConvertibleException(string message) : Exception(message);

    private void Read(IParser parser)
    {
        bool hasDocument = false;
        while (parser.MoveNext())
        {
            _last = parser.Current;
            switch (parser.Current)
            {
                case DocumentStart:
                    if (hasDocument) throw new NotConvertibleException("there is more than one document in it");
                    hasDocument = true;
                    break;
                case StreamStart or DocumentEnd or StreamEnd or null: break;
                default:
                    if (_events.Count >= _limits.NodesMax * 2L) throw TooLarge();
                    _events.Add(parser.Current);
                    break;
            }
        }
        if (_events.Count == 0) throw new NotConvertibleException("is empty");
        Write(0);
    }

    private NotConvertibleException TooLarge() => new($"is too large with its aliases; expected at most {_limits.NodesMax} values and names");

    // Writes the node that begins at an event; returns the index after it.
    private int Write(int index)
    {
        ParsingEvent item = _events[index];
        _last = item;
        if (++_nodes > _limits.NodesMax) throw TooLarge();
        if (_json.CurrentDepth > _limits.DepthMax) throw new NotConvertibleException($"is nested deeper than {_limits.DepthMax} levels");
        int next = item switch
        {
            AnchorAlias alias => WriteAlias(alias, index),
            Scalar scalar => WriteScalar(scalar, index),
            SequenceStart => WriteSequence(index),
            MappingStart => WriteMapping(index),
            _ => throw new NotConvertibleException("is not valid YAML"),
        };
        // Known only now: an alias inside of what it names would never end.
        if (item is NodeEvent { Anchor: { Length: > 0 } anchor }) _anchors[anchor] = (index, next);
        return next;
    }

    private int WriteAlias(AnchorAlias alias, int index)
    {
        if (!_anchors.TryGetValue(alias.Value, out (int Start, int End) range)) throw new NotConvertibleException($"the alias *{alias.Value} has no anchor before it");
        Write(range.Start);
        return index + 1;
    }

    private int WriteSequence(int index)
    {
        _json.WriteStartArray();
        int at = index + 1;
        while (_events[at] is not SequenceEnd) at = Write(at);
        _json.WriteEndArray();
        return at + 1;
    }

    private int WriteMapping(int index)
    {
        _json.WriteStartObject();
        var names = new HashSet<string>(StringComparer.Ordinal);
        int at = index + 1;
        while (_events[at] is not MappingEnd)
        {
            _last = _events[at];
            if (_events[at] is not Scalar key) throw new NotConvertibleException("a key is no plain value");
            if (++_nodes > _limits.NodesMax) throw TooLarge();
            if (key.Value == "<<" && key.Style == ScalarStyle.Plain) throw new NotConvertibleException("merge keys (<<) are not of YAML 1.2; write the properties out, or use $ref");
            if (!names.Add(key.Value)) throw new NotConvertibleException($"the key \"{key.Value}\" is there twice");
            _json.WritePropertyName(key.Value);
            at = Write(at + 1);
        }
        _json.WriteEndObject();
        return at + 1;
    }

    private int WriteScalar(Scalar scalar, int index)
    {
        if (scalar.Tag is { Length: > 0 } tag && tag is not ("tag:yaml.org,2002:str" or "!")) throw new NotConvertibleException($"the tag {tag} is not supported");
        bool isPlain = scalar.Style == ScalarStyle.Plain && string.IsNullOrEmpty(scalar.Tag);
        if (!isPlain)
        {
            _json.WriteStringValue(scalar.Value);
            return index + 1;
        }
        switch (scalar.Value)
        {
            case "" or "~" or "null" or "Null" or "NULL": _json.WriteNullValue(); break;
            case "true" or "True" or "TRUE": _json.WriteBooleanValue(true); break;
            case "false" or "False" or "FALSE": _json.WriteBooleanValue(false); break;
            case ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" or "-.inf" or "-.Inf" or "-.INF" or "+.inf" or "+.Inf" or "+.INF":
                throw new NotConvertibleException($"{scalar.Value} is no number of JSON");
            default:
                if (YamlNumber.TryConvert(scalar.Value, out string number)) _json.WriteRawValue(number);
                else _json.WriteStringValue(scalar.Value);
                break;
        }
        return index + 1;
    }
}
