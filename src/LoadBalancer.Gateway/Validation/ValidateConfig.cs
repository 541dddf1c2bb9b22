using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Validation;

/// <summary>
/// Holds requests against an OpenAPI document, or against a list of requirements: one of the two. Files are watched; a broken edit keeps the last that was good.
/// </summary>
public sealed record ValidateConfig : PolicyConfig
{
    /// <summary>File of an OpenAPI document, 3.0 or 3.1, JSON or YAML. Null (default): the requirements below count.</summary>
    public string? OpenApi { get; init; }

    /// <summary>What all paths of the document begin with; "/" for nothing. Null (default): what its servers say.</summary>
    public string? BasePath { get; init; }

    /// <summary>Methods that may come. Empty (default): any.</summary>
    public IReadOnlyList<string> Methods { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Media types of bodies, or ranges as "image/*". Empty (default): any; with <see cref="Body"/> JSON.</summary>
    public IReadOnlyList<string> ContentTypes { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Header fields that must be there. Empty (default): none.</summary>
    public IReadOnlyList<string> RequiredHeaders { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Query parameters by name.</summary>
    public IReadOnlyDictionary<string, QueryParameterConfig> Query { get; init => field = ConfigMap<QueryParameterConfig>.Of(value); } = ConfigMap<QueryParameterConfig>.Empty;

    /// <summary>File of a JSON Schema (2020-12, or draft 7 by its "$schema") for the bodies. Null (default): bodies are not read.</summary>
    public string? Body { get; init; }

    /// <summary>Longest body, as it comes and decoded; a longer one gets 413. Default 1 MiB.</summary>
    public int BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>What becomes of a request that is not valid. Default: it is refused.</summary>
    public ValidationMode Mode { get; init; }

    /// <summary>Whether responses are held against the OpenAPI document. Default: no.</summary>
    public ResponseValidation Responses { get; init; }

    /// <summary>What becomes of query parameters that are not described. Default: they go on.</summary>
    public UnknownQuery UnknownQuery { get; init; }

    /// <summary>What becomes of compressed bodies. Default: they are decoded to be looked at.</summary>
    public CompressedBodies Compressed { get; init; }

    /// <summary>Whether "format" is asserted: date-time, uuid, ipv4, email.... Default true.</summary>
    public bool Formats { get; init; } = true;

    /// <summary>Whether an object in a body may name a property twice. Default false: of two readers one takes the first and one the last.</summary>
    public bool AllowDuplicateNames { get; init; }

    /// <summary>Most arrays and objects inside each other in a body. Default 64.</summary>
    public int DepthMax { get; init; } = 64;

    /// <summary>Most problems that an answer names. Default 16.</summary>
    public int ProblemsMax { get; init; } = 16;

    /// <summary>Most steps that one body may take to be checked; more is a body that is not valid. Default 500,000, some ten milliseconds.</summary>
    public int StepsMax { get; init; } = 500_000;

    /// <summary>Status of an answer to a body that is not as its schema has it: 400 (default) or 422.</summary>
    public int InvalidBodyStatus { get; init; } = 400;

    /// <inheritdoc/>
    public override string Kind => "validate";

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => this with { OpenApi = Rooted(OpenApi, directory), Body = Rooted(Body, directory) };

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        problems.Range("bodyBytesMax", BodyBytesMax, ValidationRanges.BodyBytesMax);
        problems.Range("depthMax", DepthMax, ValidationRanges.DepthMax);
        problems.Range("problemsMax", ProblemsMax, ValidationRanges.ProblemsMax);
        problems.Range("stepsMax", StepsMax, ValidationRanges.StepsMax);
        if (Array.IndexOf(ValidationRanges.InvalidBodyStatuses, InvalidBodyStatus) < 0) problems.Add("invalidBodyStatus", $"{InvalidBodyStatus} is out of range; expected 400 or 422");
        if (BasePath is { } basePath && !basePath.StartsWith('/')) problems.Add("basePath", $"{CharacterText.Quote(basePath)} must begin with \"/\"");
        bool isDocument = OpenApi is not null;
        if (isDocument) CheckAgainstDocument(problems);
        else CheckRequirements(problems);
        ValidateLists(problems);
        if (DepthMax is < 1 or > 1024 || ContractLoader.TryLoad(this, out _, out _, out IReadOnlyList<ConfigProblem> faults)) return;
        foreach (ConfigProblem fault in faults) problems.Add(fault.Path, fault.Message);
    }

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new ValidatePolicy(this, services);

    private void CheckAgainstDocument(PolicyProblems problems)
    {
        (string Name, bool IsGiven)[] said = [("methods", Methods.Count > 0), ("contentTypes", ContentTypes.Count > 0), ("requiredHeaders", RequiredHeaders.Count > 0), ("query", Query.Count > 0), ("body", Body is not null)];
        foreach ((string name, bool isGiven) in said)
        {
            if (isGiven) problems.Add(name, "has no effect with \"openapi\", which says it; leave one of them out");
        }
    }

    private void CheckRequirements(PolicyProblems problems)
    {
        if (BasePath is not null) problems.Add("basePath", "is for \"openapi\" alone");
        if (Responses != ResponseValidation.Off) problems.Add("responses", "is for \"openapi\" alone: nothing else says what responses look like");
        bool isEmpty = Methods.Count + ContentTypes.Count + RequiredHeaders.Count + Query.Count == 0 && Body is null && UnknownQuery == UnknownQuery.Allow && BodyBytesMax == new ValidateConfig().BodyBytesMax;
        if (isEmpty) problems.Add("", "asks for nothing; expected \"openapi\", or some of \"methods\", \"contentTypes\", \"bodyBytesMax\", \"requiredHeaders\", \"query\" and \"body\"");
    }

    private void ValidateLists(PolicyProblems problems)
    {
        for (int i = 0; i < Methods.Count; i++)
        {
            if (!HttpSyntax.IsToken(Methods[i])) problems.Add($"methods[{i}]", $"{CharacterText.Quote(Methods[i])} is no method");
            else if (Methods[i].Any(char.IsAsciiLetterLower)) problems.Add($"methods[{i}]", $"{CharacterText.Quote(Methods[i])}: methods are in upper case");
        }
        for (int i = 0; i < RequiredHeaders.Count; i++)
        {
            if (!HttpSyntax.IsToken(RequiredHeaders[i])) problems.Add($"requiredHeaders[{i}]", $"{CharacterText.Quote(RequiredHeaders[i])} is no header name; expected letters, digits and \"-\"");
        }
    }

    // An empty path is left for the validator to find.
    private static string? Rooted(string? path, string directory) => string.IsNullOrEmpty(path) ? path : Path.Combine(directory, path);
}
