using System.Globalization;
using LoadBalancer.Schemas.Compilation;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

internal sealed partial class OpenApiLoader
{
    private OpenApiOperation ReadOperation(string method, string template, JsonValue operation, List<Parameter> shared)
    {
        List<Parameter> parameters = ReadParameters(operation, template, shared, out bool hasOpenQuery);
        return new OpenApiOperation(method.ToUpperInvariant(), template, operation.FindText("operationId"))
        {
            Parameters = [.. parameters],
            HasOpenQuery = hasOpenQuery,
            Body = operation.Find("requestBody") is { } body && Follow(body) is { } followed
                ? ReadContent(followed, followed.IsSet("required"), _requests) ?? MissingContent(followed) : null,
            Responses = _options.ReadResponses ? ReadResponses(operation) : [],
        };
    }

    private ContentRule? MissingContent(JsonValue body)
    {
        _registry.Add(body, "a request body must have \"content\"");
        return null;
    }

    /// <summary>Those of an operation, and of its path unless the operation has one of the same place and name.</summary>
    private List<Parameter> ReadParameters(JsonValue parent, string template, List<Parameter> shared, out bool hasOpenQuery)
    {
        var parameters = new List<Parameter>();
        foreach (JsonValue item in parent.Find("parameters")?.Items() ?? [])
        {
            if (Follow(item) is not { } value || ReadParameter(value, template) is not { } parameter) continue;
            if (parameters.Exists(p => p.Place == parameter.Place && p.Name == parameter.Name)) _registry.Add(value, $"the parameter \"{parameter.Name}\" is there twice");
            else parameters.Add(parameter);
        }
        parameters.AddRange(shared.Where(s => !parameters.Exists(p => p.Place == s.Place && p.Utf8.AsSpan().SequenceEqual(s.Utf8))));
        hasOpenQuery = parameters.Exists(p => p is { Place: RequestPlace.Query, Style: ParameterStyle.Form, Explodes: true, Shape: { IsObject: true, IsOpen: true } });
        return parameters;
    }

    private Parameter? ReadParameter(JsonValue value, string template)
    {
        string name = value.FindText("name") ?? "";
        RequestPlace place;
        switch (value.FindText("in"))
        {
            case "query": place = RequestPlace.Query; break;
            case "path": place = RequestPlace.Path; break;
            case "header": place = RequestPlace.Header; break;
            case "cookie": place = RequestPlace.Cookie; break;
            default:
                _registry.Add(value, "\"in\" must be query, path, header or cookie");
                return null;
        }
        if (name.Length == 0)
        {
            _registry.Add(value, "a parameter must have a \"name\"");
            return null;
        }
        // These three are said elsewhere: by content and security (OpenAPI 3.1 §4.8.12.2).
        if (place == RequestPlace.Header && name.ToLowerInvariant() is "accept" or "content-type" or "authorization") return null;
        if (place == RequestPlace.Path && !template.Contains($"{{{name}}}", StringComparison.Ordinal))
        {
            _registry.Add(value, $"the path \"{template}\" has no {{{name}}}");
            return null;
        }
        return ReadValue(place, name, value, _requests);
    }

    /// <summary>A parameter, or a header field of a response: they are described alike.</summary>
    private Parameter? ReadValue(RequestPlace place, string name, JsonValue value, SchemaCompiler compiler)
    {
        ParameterStyle style = place is RequestPlace.Query or RequestPlace.Cookie ? ParameterStyle.Form : ParameterStyle.Simple;
        if (value.FindText("style") is { } text)
        {
            ParameterStyle? known = (text, place) switch
            {
                ("form", RequestPlace.Query or RequestPlace.Cookie) => ParameterStyle.Form,
                ("spaceDelimited", RequestPlace.Query) => ParameterStyle.SpaceDelimited,
                ("pipeDelimited", RequestPlace.Query) => ParameterStyle.PipeDelimited,
                ("deepObject", RequestPlace.Query) => ParameterStyle.DeepObject,
                ("simple", RequestPlace.Path or RequestPlace.Header) => ParameterStyle.Simple,
                ("matrix", RequestPlace.Path) => ParameterStyle.Matrix,
                ("label", RequestPlace.Path) => ParameterStyle.Label,
                _ => null,
            };
            if (known is null) _registry.Add(value, $"\"style\": {text} is none of parameters in {place.ToString().ToLowerInvariant()}");
            style = known ?? style;
        }
        JsonValue? schema = value.Find("schema");
        JsonValue? content = value.Find("content");
        bool isJson = false;
        if (schema is null && content is { IsObject: true, Count: > 0 })
        {
            (string media, JsonValue described) = content.Value.Properties().First();
            isJson = MediaRange.IsJson(System.Text.Encoding.ASCII.GetBytes(media));
            schema = isJson ? described.Find("schema") : null;
        }
        return new Parameter(place, name, value.Location)
        {
            IsRequired = value.IsSet("required") || place == RequestPlace.Path,
            AllowsEmpty = value.IsSet("allowEmptyValue") && place == RequestPlace.Query,
            Style = style,
            Explodes = value.Find("explode") is { IsBoolean: true } explode ? explode.IsTrue : style == ParameterStyle.Form,
            IsJson = isJson,
            Schema = schema is { } s ? new JsonSchema(compiler.Compile(s), _options.Schema) : null,
            Shape = schema is { } shaped && !isJson ? ValueShape.Of(shaped, _registry) : ValueShape.Any,
        };
    }

    private ContentRule? ReadContent(JsonValue parent, bool isRequired, SchemaCompiler compiler)
    {
        if (parent.Find("content") is not { IsObject: true } content) return null;
        var media = new List<MediaRule>();
        foreach ((string name, JsonValue value) in content.Properties())
        {
            if (MediaRange.Parse(name) is not { } range)
            {
                _registry.Add(value, $"\"{name}\" is no media type");
                continue;
            }
            JsonValue? schema = value.Find("schema");
            media.Add(new MediaRule(range, schema is { } s ? new JsonSchema(compiler.Compile(s), _options.Schema) : null,
                schema is { } shaped ? ValueShape.Of(shaped, _registry) : ValueShape.Any));
        }
        return media.Count == 0 ? null : new ContentRule([.. media.OrderByDescending(m => m.Range.Rank)], isRequired, content.Location);
    }

    private OpenApiResponse[] ReadResponses(JsonValue operation)
    {
        var responses = new List<OpenApiResponse>();
        foreach ((string status, JsonValue value) in operation.Find("responses")?.Properties() ?? [])
        {
            if (status.StartsWith("x-", StringComparison.Ordinal) || Follow(value) is not { } response) continue;
            (int Min, int Max) range = ReadStatus(status, value);
            var headers = new List<Parameter>();
            foreach ((string name, JsonValue header) in response.Find("headers")?.Properties() ?? [])
            {
                if (!name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase) && Follow(header) is { } described
                    && ReadValue(RequestPlace.Header, name, described, _responses) is { } parameter)
                {
                    headers.Add(parameter);
                }
            }
            responses.Add(new OpenApiResponse(range.Min, range.Max, [.. headers], ReadContent(response, false, _responses)));
        }
        return [.. responses.OrderBy(r => r.StatusMin == 0 ? 2 : r.StatusMin == r.StatusMax ? 0 : 1)];
    }

    private (int Min, int Max) ReadStatus(string status, JsonValue at)
    {
        if (status == "default") return (0, 0);
        if (status.Length == 3 && status[0] is >= '1' and <= '5')
        {
            if (status[1..] is "XX" or "xx") return ((status[0] - '0') * 100, (status[0] - '0') * 100 + 99);
            if (int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out int value)) return (value, value);
        }
        _registry.Add(at, $"\"{status}\" is no status; expected as \"200\", \"4XX\" or \"default\"");
        return (-1, -1);
    }
}
