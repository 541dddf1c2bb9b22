using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Requests;

/// <summary>A list of requirements, held against every request alike. Immutable; any thread.</summary>
public sealed class RequestRules : RequestContract
{
    private readonly PathItem _item = new("", []);
    private readonly OpenApiOperation _bodiless;
    private readonly OpenApiOperation _operation;
    private readonly bool _anyMethod;

    private RequestRules(RequestRequirements requirements, Parameter[] parameters, MediaRule[] media, OpenApiOptions options) : base(options)
    {
        bool readsBodies = media.Length > 0;
        _bodiless = new OpenApiOperation("*", "", null) { Parameters = parameters, Body = readsBodies ? new ContentRule(media, false, "contentTypes") : null };
        _operation = new OpenApiOperation("*", "", null)
        {
            Parameters = parameters,
            Body = readsBodies ? new ContentRule(media, requirements is { Body: not null, BodyRequired: true }, "contentTypes") : null,
        };
        _anyMethod = requirements.Methods.Count == 0;
        foreach (string method in requirements.Methods)
        {
            OpenApiOperation operation = HasBody(System.Text.Encoding.ASCII.GetBytes(method)) ? _operation : _bodiless;
            _item.Add(new OpenApiOperation(method, "", null) { Parameters = parameters, Body = operation.Body });
        }
    }

    /// <summary>Makes rules of requirements; false with all that is wrong with them, by the place in the requirements.</summary>
    public static bool TryCreate(RequestRequirements requirements, SchemaOptions options, [NotNullWhen(true)] out RequestRules? rules, out IReadOnlyList<SchemaProblem> problems)
    {
        var found = new List<SchemaProblem>();
        var parameters = new List<Parameter>();
        foreach ((string name, QueryRequirement query) in requirements.Query)
        {
            if (ReadQuery(name, query, options, found) is { } parameter) parameters.Add(parameter);
        }
        parameters.AddRange(requirements.RequiredHeaders.Select(h => new Parameter(RequestPlace.Header, h, "requiredHeaders") { IsRequired = true }));
        var media = new List<MediaRule>();
        IReadOnlyList<string> types = requirements.ContentTypes.Count == 0 && requirements.Body is not null ? ["application/json", "application/*+json"] : requirements.ContentTypes;
        foreach (string type in types)
        {
            if (MediaRange.Parse(type) is { } range) media.Add(new MediaRule(range, requirements.Body, ValueShape.Any, JsonOnly: true));
            else found.Add(new SchemaProblem("contentTypes", $"\"{type}\" is no media type; expected as \"application/json\" or \"image/*\""));
        }
        problems = found;
        rules = found.Count > 0 ? null : new RequestRules(requirements, [.. parameters], [.. media.OrderByDescending(m => m.Range.Rank)],
            new OpenApiOptions { Schema = options, RefuseUnknownQuery = requirements.RefuseUnknownQuery });
        return rules is not null;
    }

    /// <inheritdoc/>
    public override OpenApiMatch Match(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path) =>
        new(_item, _anyMethod ? HasBody(method) ? _operation : _bodiless : _item.Find(method), default);

    private static bool HasBody(ReadOnlySpan<byte> method) => method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8) || method.SequenceEqual("PATCH"u8);

    private static Parameter? ReadQuery(string name, QueryRequirement query, SchemaOptions options, List<SchemaProblem> problems)
    {
        string place = $"query.{name}";
        if (!KindSets.TryParse(query.Type, out KindSet kinds) || (kinds & (KindSet.Object | KindSet.Null)) != 0)
        {
            problems.Add(new SchemaProblem(place, $"\"type\": \"{query.Type}\" is none; expected string, integer, number, boolean or array"));
            return null;
        }
        if (!JsonSchema.TryCompile(WriteSchema(query), options, out JsonSchema? schema, out IReadOnlyList<SchemaProblem> faults))
        {
            problems.AddRange(faults.Select(f => new SchemaProblem(place, f.Location.EndsWith("imum", StringComparison.Ordinal) ? $"\"min\" and \"max\": {f.Message}" : f.Message)));
            return null;
        }
        return new Parameter(RequestPlace.Query, name, place)
        {
            IsRequired = query.Required,
            Style = ParameterStyle.Form,
            Explodes = true,
            Schema = schema,
            Shape = ValueShape.OfType(kinds | (kinds.HasFlag(KindSet.Integer) ? KindSet.Number : KindSet.None)),
        };
    }

    private static byte[] WriteSchema(QueryRequirement query)
    {
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("type", query.Type);
            if (query.Type == "array") json.WriteStartObject("items");
            if (query.Pattern is not null) json.WriteString("pattern", query.Pattern);
            if (query.LengthMax is { } length) json.WriteNumber("maxLength", length);
            WriteBound(json, "minimum", query.Min);
            WriteBound(json, "maximum", query.Max);
            if (query.Enum.Count > 0)
            {
                json.WriteStartArray("enum");
                foreach (string value in query.Enum)
                {
                    // "42" of an integer is the number.
                    if (query.Type is "integer" or "number" or "boolean" && IsLiteral(value)) json.WriteRawValue(value);
                    else json.WriteStringValue(value);
                }
                json.WriteEndArray();
            }
            if (query.Type == "array") json.WriteEndObject();
            json.WriteEndObject();
        }
        return output.ToArray();
    }

    // What is no number is left to the compiler to tell of.
    private static void WriteBound(Utf8JsonWriter json, string keyword, string? bound)
    {
        if (bound is null) return;
        json.WritePropertyName(keyword);
        if (IsLiteral(bound)) json.WriteRawValue(bound);
        else json.WriteStringValue(bound);
    }

    private static bool IsLiteral(string value) => new Json.JsonTree().Parse(System.Text.Encoding.UTF8.GetBytes(value), new Json.JsonLimits()) == Json.JsonFault.None;
}
