using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Schemas;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Gateway.Validation;

/// <summary>Makes what requests are held against of the configuration and its files.</summary>
internal static class ContractLoader
{
    /// <param name="config">The configuration.</param>
    /// <param name="contract">What requests are held against.</param>
    /// <param name="files">Files that were read or looked for.</param>
    /// <param name="problems">What is wrong, by the configuration's keys.</param>
    internal static bool TryLoad(ValidateConfig config, [NotNullWhen(true)] out RequestContract? contract, out IReadOnlyList<string> files, out IReadOnlyList<ConfigProblem> problems)
    {
        contract = null;
        files = [];
        var options = new SchemaOptions
        {
            AssertFormats = config.Formats,
            ProblemsMax = config.ProblemsMax,
            StepsMax = config.StepsMax,
            Instance = new JsonLimits { BytesMax = config.BodyBytesMax, DepthMax = config.DepthMax, AllowDuplicateNames = config.AllowDuplicateNames },
        };
        if (config.OpenApi is { } openApi) return TryLoadDocument(config, openApi, options, out contract, out files, out problems);
        JsonSchema? body = null;
        if (config.Body is { } schema)
        {
            if (!TryOpen(schema, out DocumentFolder? folder, out Uri? uri))
            {
                problems = [new ConfigProblem("body", "is empty; expected the file of a JSON Schema")];
                return false;
            }
            bool isRead = JsonSchema.TryCompile(folder, uri, options, out body, out IReadOnlyList<SchemaProblem> faults);
            files = folder.Files;
            if (!isRead)
            {
                problems = [.. faults.Select(fault => Problem("body", schema, fault))];
                return false;
            }
        }
        bool isMade = RequestRules.TryCreate(Requirements(config, body), options, out RequestRules? rules, out IReadOnlyList<SchemaProblem> wrong);
        contract = rules;
        problems = [.. wrong.Select(fault => new ConfigProblem(fault.Location, fault.Message))];
        return isMade;
    }

    private static bool TryLoadDocument(ValidateConfig config, string file, SchemaOptions options, [NotNullWhen(true)] out RequestContract? contract, out IReadOnlyList<string> files,
        out IReadOnlyList<ConfigProblem> problems)
    {
        contract = null;
        files = [];
        if (!TryOpen(file, out DocumentFolder? folder, out Uri? uri))
        {
            problems = [new ConfigProblem("openapi", "is empty; expected the file of an OpenAPI document")];
            return false;
        }
        bool isRead = OpenApiDocument.TryLoad(folder, uri, new OpenApiOptions
        {
            Schema = options,
            BasePath = config.BasePath,
            RefuseUnknownQuery = config.UnknownQuery == UnknownQuery.Refuse,
            ReadResponses = config.Responses != ResponseValidation.Off,
        }, out OpenApiDocument? document, out IReadOnlyList<SchemaProblem> faults);
        files = folder.Files;
        contract = document;
        problems = [.. faults.Select(fault => Problem("openapi", file, fault))];
        return isRead;
    }

    private static bool TryOpen(string file, [NotNullWhen(true)] out DocumentFolder? folder, [NotNullWhen(true)] out Uri? uri)
    {
        folder = null;
        uri = null;
        if (file.Length == 0 || file.Contains('\0', StringComparison.Ordinal)) return false;
        string path = Path.GetFullPath(file);
        folder = new DocumentFolder(Path.GetDirectoryName(path)!);
        uri = folder.UriOf(path);
        return true;
    }

    // A place is a pointer or a line of the file itself, or has the name of another file before it.
    private static ConfigProblem Problem(string key, string file, SchemaProblem fault)
    {
        string name = Path.GetFileName(file);
        string place = fault.Location.StartsWith('#') ? name + fault.Location : fault.Location.StartsWith("line ", StringComparison.Ordinal) ? $"{name} {fault.Location}" : fault.Location;
        return new ConfigProblem(key, $"{place}: {fault.Message}");
    }

    private static RequestRequirements Requirements(ValidateConfig config, JsonSchema? body) => new()
    {
        Methods = config.Methods,
        ContentTypes = config.ContentTypes,
        RequiredHeaders = config.RequiredHeaders,
        RefuseUnknownQuery = config.UnknownQuery == UnknownQuery.Refuse,
        Body = body,
        Query = config.Query.ToDictionary(query => query.Key, query => new QueryRequirement
        {
            Required = query.Value.Required,
            Type = query.Value.Type,
            Pattern = query.Value.Pattern,
            Enum = query.Value.Enum,
            Min = query.Value.Min,
            Max = query.Value.Max,
            LengthMax = query.Value.LengthMax == 0 ? null : query.Value.LengthMax,
        }, StringComparer.Ordinal),
    };
}
