using System.Text.Unicode;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Requests;

/// <summary>Reads one parameter out of a request, makes JSON of its text as its schema wants it, and validates that.</summary>
internal readonly ref struct ParameterReader(Parameter parameter, RequestMemory memory, List<RequestProblem>? problems)
{
    private readonly JsonText _json = memory.Json;

    /// <summary>A parameter whose whole text is known: of a path, a header field or a cookie.</summary>
    internal bool CheckText(ReadOnlySpan<byte> text, bool decodes, bool plusIsSpace = false)
    {
        if (parameter.AllowsEmpty && text.IsEmpty) return true;
        if (parameter.IsJson)
        {
            if (!TryDecode(text, decodes, plusIsSpace, out ReadOnlySpan<byte> decoded)) return Refuse("encoding", "is wrongly percent-encoded");
            _json.Clear();
            _json.Raw(decoded);
            return Validate(parameter.Schema, reports: true);
        }
        if (parameter.Schema is null) return true;
        if (parameter.Style is ParameterStyle.Matrix or ParameterStyle.Label && !TrimPrefix(ref text)) return Refuse("style", "is not written in its style");
        for (int attempt = 0; attempt < 2; attempt++)
        {
            bool asText = attempt == 1;
            _json.Clear();
            if (!WriteText(text, decodes, plusIsSpace, asText)) return Refuse("encoding", "is wrongly percent-encoded");
            if (Validate(parameter.Schema, reports: asText)) return true;
        }
        return false;
    }

    /// <summary>A parameter of the query, or a property of a form.</summary>
    internal bool CheckQuery(NamedValues query, ReadOnlySpan<byte> text)
    {
        if (parameter.Shape.IsObject && (parameter.Style == ParameterStyle.DeepObject || parameter.Explodes)) return CheckProperties(query, text);
        int first = query.Find(parameter.Utf8, parameter.Hash);
        if (first < 0) return !parameter.IsRequired || Refuse("required", "is missing");
        if (parameter.Shape.IsArray && parameter.Explodes && !parameter.IsJson && parameter.Style == ParameterStyle.Form) return CheckItems(query, text, first);
        // Of two readers one takes the first and one the last: what is checked would not be what is used.
        if (query.Find(parameter.Utf8, parameter.Hash, first + 1) >= 0) return Refuse("single", "is given twice");
        return CheckText(query.Value(first, text), decodes: true, plusIsSpace: true);
    }

    private bool CheckItems(NamedValues query, ReadOnlySpan<byte> text, int first)
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            _json.Clear();
            _json.Raw('[');
            for (int i = first; i >= 0; i = query.Find(parameter.Utf8, parameter.Hash, i + 1))
            {
                if (!WriteScalar(query.Value(i, text), parameter.Shape.Items, true, true, attempt == 1)) return Refuse("encoding", "is wrongly percent-encoded");
            }
            _json.Raw(']');
            if (Validate(parameter.Schema, reports: attempt == 1)) return true;
        }
        return false;
    }

    // A pair for each property: name[property]=value, or property=value.
    private bool CheckProperties(NamedValues query, ReadOnlySpan<byte> text)
    {
        bool isDeep = parameter.Style == ParameterStyle.DeepObject;
        for (int attempt = 0; attempt < 2; attempt++)
        {
            _json.Clear();
            _json.Raw('{');
            int count = 0;
            for (int i = 0; i < query.Count; i++)
            {
                ReadOnlySpan<byte> name = query.Name(i);
                int hash = query.Hash(i);
                if (isDeep)
                {
                    if (name.Length < parameter.Utf8.Length + 2 || !name.StartsWith(parameter.Utf8) || name[parameter.Utf8.Length] != '[' || name[^1] != ']') continue;
                    name = name[(parameter.Utf8.Length + 1)..^1];
                    hash = NameHash.Of(name);
                }
                int slot = parameter.Shape.Properties.Find(name, hash);
                if (slot < 0 && !isDeep) continue;
                query.Use(i);
                count++;
                _json.Separate();
                _json.String(name);
                _json.Raw(':');
                if (!WriteScalar(query.Value(i, text), parameter.Shape.PropertyAt(slot), true, true, attempt == 1)) return Refuse("encoding", "is wrongly percent-encoded");
            }
            if (count == 0) return !parameter.IsRequired || Refuse("required", "is missing");
            _json.Raw('}');
            if (Validate(parameter.Schema, reports: attempt == 1)) return true;
        }
        return false;
    }

    // ;name=value and .value
    private bool TrimPrefix(ref ReadOnlySpan<byte> text)
    {
        if (parameter.Style == ParameterStyle.Label)
        {
            if (text.IsEmpty || text[0] != '.') return false;
            text = text[1..];
            return true;
        }
        if (text.Length < parameter.Utf8.Length + 1 || text[0] != ';') return false;
        text = text[1..];
        if (parameter.Shape.IsObject && parameter.Explodes) return true;
        if (!text.StartsWith(parameter.Utf8)) return false;
        // Of an exploded array each item has the name; they are told apart below.
        if (parameter.Shape.IsArray && parameter.Explodes) return true;
        text = text[parameter.Utf8.Length..];
        if (!text.IsEmpty && text[0] == '=') text = text[1..];
        return true;
    }

    private byte Delimiter => parameter.Style switch
    {
        ParameterStyle.SpaceDelimited => (byte)' ',
        ParameterStyle.PipeDelimited => (byte)'|',
        ParameterStyle.Matrix when parameter.Explodes => (byte)';',
        ParameterStyle.Label when parameter.Explodes => (byte)'.',
        _ => (byte)',',
    };

    private bool WriteText(ReadOnlySpan<byte> text, bool decodes, bool plusIsSpace, bool asText)
    {
        if (parameter.IsScalar) return WriteScalar(text, parameter.Shape, decodes, plusIsSpace, asText);
        byte delimiter = Delimiter;
        if (delimiter is (byte)' ' or (byte)'|' && decodes)
        {
            // A space never comes unencoded, and a bar may be either way.
            if (!TryDecode(text, true, plusIsSpace, out ReadOnlySpan<byte> whole)) return false;
            text = whole.ToArray();
            decodes = false;
        }
        bool isArray = parameter.Shape.IsArray;
        _json.Raw(isArray ? '[' : '{');
        if (!text.IsEmpty)
        {
            bool isName = true;
            ReadOnlySpan<byte> name = default;
            foreach (Range range in text.Split(delimiter))
            {
                ReadOnlySpan<byte> part = text[range];
                if (parameter.Place == RequestPlace.Header) part = part.Trim(" \t"u8);
                if (isArray)
                {
                    if (parameter is { Style: ParameterStyle.Matrix, Explodes: true } && part.StartsWith(parameter.Utf8)) part = part[Math.Min(part.Length, parameter.Utf8.Length + 1)..];
                    if (!WriteScalar(part, parameter.Shape.Items, decodes, plusIsSpace, asText)) return false;
                }
                else if (parameter.Explodes)
                {
                    int equals = part.IndexOf((byte)'=');
                    if (!WriteProperty(equals < 0 ? part : part[..equals], equals < 0 ? default : part[(equals + 1)..], decodes, plusIsSpace, asText)) return false;
                }
                else
                {
                    if (!isName && !WriteProperty(name, part, decodes, plusIsSpace, asText)) return false;
                    name = part;
                    isName = !isName;
                }
            }
            if (!isName && !WriteProperty(name, default, decodes, plusIsSpace, asText)) return false;
        }
        _json.Raw(isArray ? ']' : '}');
        return true;
    }

    private bool WriteProperty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool decodes, bool plusIsSpace, bool asText)
    {
        if (!TryDecode(name, decodes, plusIsSpace, out ReadOnlySpan<byte> decoded)) return false;
        ValueShape shape = parameter.Shape.PropertyAt(parameter.Shape.Properties.Find(decoded, NameHash.Of(decoded)));
        _json.Separate();
        _json.String(decoded);
        _json.Raw(':');
        return WriteScalar(value, shape, decodes, plusIsSpace, asText);
    }

    private bool WriteScalar(ReadOnlySpan<byte> text, ValueShape? shape, bool decodes, bool plusIsSpace, bool asText)
    {
        if (!TryDecode(text, decodes, plusIsSpace, out ReadOnlySpan<byte> decoded)) return false;
        _json.Separate();
        _json.Scalar(decoded, (shape ?? ValueShape.Any).Kinds, asText);
        return true;
    }

    private bool TryDecode(ReadOnlySpan<byte> text, bool decodes, bool plusIsSpace, out ReadOnlySpan<byte> decoded)
    {
        decoded = text;
        if (!decodes || (text.IndexOf((byte)'%') < 0 && !(plusIsSpace && text.Contains((byte)'+')))) return true;
        Span<byte> buffer = memory.Decoded(text.Length);
        int length = PercentText.Decode(text, buffer, plusIsSpace);
        if (length < 0) return false;
        decoded = buffer[..length];
        return true;
    }

    private bool Validate(JsonSchema? schema, bool reports)
    {
        if (schema is null) return true;
        if (!reports) return schema.IsValid(_json.Written);
        if (!parameter.IsJson && !Utf8.IsValid(_json.Written)) return Refuse("encoding", "is not UTF-8");
        memory.Found.Clear();
        if (schema.Validate(_json.Written, problems is null ? null : memory.Found) == InstanceVerdict.Valid) return true;
        foreach (InstanceProblem found in memory.Found)
        {
            problems!.Add(new RequestProblem(parameter.Place, parameter.Name, found.Pointer, found.Rule, found.Message));
        }
        return false;
    }

    internal bool Refuse(string rule, string message)
    {
        problems?.Add(new RequestProblem(parameter.Place, parameter.Name, "", rule, message));
        return false;
    }
}
