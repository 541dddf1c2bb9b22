using LoadBalancer.Schemas.Compilation;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>Reads an OpenAPI document once.</summary>
internal sealed partial class OpenApiLoader
{
    private const int ReferencesMax = 16;
    private const int OperationsMax = 10_000;
    private const int BasesMax = 64;

    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    private readonly IDocumentSource _source;
    private readonly OpenApiOptions _options;
    private readonly SchemaRegistry _registry;
    private readonly SchemaCompiler _requests;
    private readonly SchemaCompiler _responses;
    private readonly PathNode _paths = new();
    private readonly List<OpenApiOperation> _operations = [];

    internal OpenApiLoader(IDocumentSource source, OpenApiOptions options)
    {
        _source = source;
        _options = options;
        _registry = new SchemaRegistry(source, options.Schema);
        _requests = new SchemaCompiler(_registry, Direction.Request);
        _responses = new SchemaCompiler(_registry, Direction.Response);
    }

    internal IReadOnlyList<SchemaProblem> Problems => _registry.Problems;

    internal OpenApiDocument? Load(Uri uri)
    {
        if (!_source.TryRead(uri, out byte[] content, out string error))
        {
            _registry.Add(_source.NameOf(uri), error);
            return null;
        }
        if (_registry.LoadContainer(uri, content, "", DialectOf) is not { } resource) return null;
        JsonValue root = resource.Root;
        // Anchors and identifiers of components may be named from anywhere.
        foreach ((_, JsonValue schema) in root.Find("components")?.Find("schemas")?.Properties() ?? []) SchemaIndexer.Index(_registry, schema, resource);
        if (root.Find("paths") is { IsObject: true } paths)
        {
            IReadOnlyList<string> bases = _options.BasePath is { } chosen ? [chosen.TrimEnd('/')] : ReadBases(root) ?? [""];
            foreach ((string template, JsonValue item) in paths.Properties())
            {
                if (!template.StartsWith("x-", StringComparison.Ordinal)) AddPath(template, item, bases);
            }
        }
        else
        {
            _registry.Add(root, "there are no \"paths\"");
        }
        _requests.Finish();
        _responses.Finish();
        if (_registry.Problems.Count > 0) return null;
        _paths.Freeze();
        return new OpenApiDocument(_paths, _operations, _options);
    }

    private Dialect? DialectOf(JsonValue root)
    {
        string? version = root.FindText("openapi");
        if (version?.StartsWith("3.0.", StringComparison.Ordinal) == true) return Dialect.OpenApi30;
        if (version?.StartsWith("3.1.", StringComparison.Ordinal) == true)
        {
            return root.FindText("jsonSchemaDialect") is { } dialect ? _registry.DialectOf(dialect, root) : Dialect.Draft202012;
        }
        _registry.Add(root, version is not null ? $"\"openapi\": {version} is not supported; expected 3.0 or 3.1"
            : root.Find("swagger") is not null ? "is of Swagger 2.0; convert it to OpenAPI 3" : "is no OpenAPI document: there is no \"openapi\" with its version, as in \"3.1.0\"");
        return null;
    }

    /// <summary>What an object is that may be a reference to it; null, with a problem, when it leads nowhere.</summary>
    private JsonValue? Follow(JsonValue value)
    {
        for (int i = 0; i < ReferencesMax; i++)
        {
            if (value.FindText("$ref") is not { } reference) return value;
            if (_registry.Resolve(ResourceOf(value), reference, value) is not { } target) return null;
            value = target;
        }
        _registry.Add(value, "refers to itself");
        return null;
    }

    // Path items and parameters are no schemas: what they are in is the document.
    private static SchemaResource ResourceOf(JsonValue value) => value.Document.Resources[0];

    /// <summary>The paths of servers, without the trailing slash; null: none are said.</summary>
    private List<string>? ReadBases(JsonValue parent)
    {
        if (parent.Find("servers") is not { IsArray: true, Count: > 0 } servers) return null;
        var bases = new List<string>();
        foreach (JsonValue server in servers.Items())
        {
            if (server.FindText("url") is not { } url)
            {
                _registry.Add(server, "there is no \"url\"");
                continue;
            }
            foreach (string expanded in Expand(url, server.Find("variables")))
            {
                int scheme = expanded.IndexOf("://", StringComparison.Ordinal);
                int slash = expanded.IndexOf('/', scheme < 0 ? 0 : scheme + 3);
                string path = scheme >= 0 && slash < 0 ? "" : scheme < 0 && slash != 0 ? "/" + expanded.TrimStart('.', '/') : expanded[slash..];
                int end = path.AsSpan().IndexOfAny('?', '#');
                path = (end < 0 ? path : path[..end]).TrimEnd('/');
                if (!bases.Contains(path) && bases.Count < BasesMax) bases.Add(path);
            }
        }
        return bases;
    }

    // {name} is each of the values that are said; only those of the path matter, and a host is never looked at.
    private static IEnumerable<string> Expand(string url, JsonValue? variables)
    {
        IEnumerable<string> expanded = [url];
        foreach ((string name, JsonValue variable) in variables?.Properties() ?? [])
        {
            var values = new List<string>();
            if (variable.FindText("default") is { } initial) values.Add(initial);
            values.AddRange(variable.Find("enum")?.Items().Where(v => v.IsString).Select(v => v.Text) ?? []);
            if (values.Count > 0) expanded = expanded.SelectMany(u => values.Distinct().Select(v => u.Replace($"{{{name}}}", v, StringComparison.Ordinal))).Distinct().Take(BasesMax);
        }
        return expanded;
    }

    private void AddPath(string template, JsonValue value, IReadOnlyList<string> bases)
    {
        if (!template.StartsWith('/'))
        {
            _registry.Add(value, $"the path \"{template}\" must begin with a slash");
            return;
        }
        if (Follow(value) is not { } item) return;
        IReadOnlyList<string> own = _options.BasePath is null ? ReadBases(item) ?? bases : bases;
        List<Parameter> shared = ReadParameters(item, template, [], out _);
        var operations = new List<(OpenApiOperation Operation, IReadOnlyList<string> Bases)>();
        foreach (string method in Methods)
        {
            if (item.Find(method) is not { IsObject: true } operation) continue;
            if (_operations.Count >= OperationsMax)
            {
                _registry.Add(operation, $"there are more than {OperationsMax} operations");
                return;
            }
            OpenApiOperation read = ReadOperation(method, template, operation, shared);
            _operations.Add(read);
            operations.Add((read, _options.BasePath is null ? ReadBases(operation) ?? own : own));
        }
        foreach (IGrouping<string, (string Base, OpenApiOperation Operation)> group in operations.SelectMany(o => o.Bases.Select(b => (Base: b, o.Operation))).GroupBy(o => o.Base))
        {
            if (AddNode(group.Key + template, template, value) is not { } path) return;
            foreach ((_, OpenApiOperation operation) in group) path.Add(operation);
        }
    }

    private PathItem? AddNode(string path, string template, JsonValue at)
    {
        PathNode node = _paths;
        var names = new List<string>();
        foreach (string segment in path[1..].Split('/'))
        {
            if (!segment.Contains('{', StringComparison.Ordinal))
            {
                node = node.Literal(System.Text.Encoding.UTF8.GetString(SegmentTemplate.Literal(segment)));
                continue;
            }
            if (SegmentTemplate.Parse(segment, names, out string error) is not { } parsed)
            {
                _registry.Add(at, $"the path \"{template}\": {error}");
                return null;
            }
            node = node.Templated(parsed);
        }
        if (names.Count > PathValues.CountMax)
        {
            _registry.Add(at, $"the path \"{template}\" has more than {PathValues.CountMax} parameters");
            return null;
        }
        if (node.Item is not null)
        {
            _registry.Add(at, $"the paths \"{node.Item.Template}\" and \"{template}\" are the same but for the names of their parameters");
            return null;
        }
        return node.Item = new PathItem(template, [.. names]);
    }
}
