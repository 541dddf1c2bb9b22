using LoadBalancer.Schemas.Checks;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Patterns;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Compilation;

/// <summary>Which way the instances go: what is readOnly is no matter of requests, what is writeOnly none of responses (OpenAPI 3.0 schema object).</summary>
internal enum Direction : byte
{
    None,
    Request,
    Response,
}

/// <summary>
/// Makes checks of schemas. Each schema is compiled once, however many references it has; those still to do wait in a queue, so that long chains of references take no
/// stack. Used by one thread; what it has made is immutable after <see cref="Finish"/>.
/// </summary>
internal sealed partial class SchemaCompiler(SchemaRegistry registry, Direction direction = Direction.None)
{
    private readonly Dictionary<JsonValue, SchemaNode> _nodes = [];
    private readonly Queue<(JsonValue Schema, SchemaNode Node)> _queue = new();
    private readonly Dictionary<SchemaResource, ResourceScope> _scopes = [];
    private readonly HashSet<string> _dynamicAnchors = new(StringComparer.Ordinal);
    private readonly Dictionary<SchemaNode, List<SchemaNode>> _inPlace = [];
    private readonly Dictionary<string, EcmaPattern?> _patterns = new(StringComparer.Ordinal);

    /// <summary>The compiled schema; it is complete after <see cref="Finish"/>.</summary>
    internal SchemaNode Compile(JsonValue schema)
    {
        if (_nodes.TryGetValue(schema, out SchemaNode? node)) return node;
        node = new SchemaNode(schema.Location);
        _nodes.Add(schema, node);
        _queue.Enqueue((schema, node));
        return node;
    }

    internal void Finish()
    {
        bool isOver = false;
        do
        {
            while (_queue.TryDequeue(out (JsonValue Schema, SchemaNode Node) next) && !isOver)
            {
                if (isOver = _nodes.Count > registry.Options.SchemasMax)
                {
                    registry.Add(next.Schema, $"more than {registry.Options.SchemasMax} schemas are reached");
                    _queue.Clear();
                    break;
                }
                Fill(next.Schema, next.Node);
            }
        }
        while (CompileDynamicAnchors());
        foreach ((JsonValue schema, SchemaNode node) in _nodes)
        {
            if (_dynamicAnchors.Count > 0) node.Scope = ScopeOf(registry.ResourceOf(schema));
        }
        ReferenceLoops.Report(_inPlace, registry);
    }

    // A dynamic reference may end at its anchor in any resource.
    private bool CompileDynamicAnchors()
    {
        foreach (SchemaResource resource in registry.Resources.ToList())
        {
            foreach ((string name, JsonValue schema) in resource.DynamicAnchors)
            {
                if (_dynamicAnchors.Contains(name)) ScopeOf(resource).Anchors[name] = Compile(schema);
            }
        }
        return _queue.Count > 0;
    }

    private ResourceScope ScopeOf(SchemaResource resource)
    {
        if (!_scopes.TryGetValue(resource, out ResourceScope? scope)) _scopes.Add(resource, scope = new ResourceScope());
        return scope;
    }

    private void Fill(JsonValue schema, SchemaNode node)
    {
        SchemaResource resource = registry.ResourceOf(schema);
        if (schema.IsBoolean)
        {
            node.IsFalse = !schema.IsTrue;
            return;
        }
        if (!schema.IsObject)
        {
            registry.Add(schema, "is no schema; expected an object, true or false");
            return;
        }
        var filling = new Filling(schema, node, resource);
        if (schema.Find("$ref") is { } reference)
        {
            AddReference(filling, reference);
            if (resource.Dialect.RefStandsAlone)
            {
                node.Checks = [.. filling.Checks];
                return;
            }
        }
        if (resource.Dialect.Is2020 && schema.Find("$dynamicRef") is { } dynamic) AddDynamicReference(filling, dynamic);
        if (resource.Dialect.HasAssertions)
        {
            AddTypes(filling);
            AddValues(filling);
            AddNumbers(filling);
            AddStrings(filling);
            AddCounts(filling);
        }
        AddFormat(filling);
        AddProperties(filling);
        if (resource.Dialect.HasApplicators)
        {
            AddItems(filling);
            AddCombinators(filling);
        }
        if (resource.Dialect.HasUnevaluated) AddUnevaluated(filling);
        node.Checks = [.. filling.Checks];
    }

    private sealed record Filling(JsonValue Schema, SchemaNode Node, SchemaResource Resource)
    {
        internal List<Check> Checks { get; } = [];

        internal Dialect Dialect => Resource.Dialect;

        internal string RuleOf(string keyword) => $"{Node.Location}/{JsonPointer.Escape(keyword)}";
    }

    private void AddReference(Filling filling, JsonValue reference)
    {
        if (!reference.IsString)
        {
            registry.Add(reference, "\"$ref\" must be a string");
            return;
        }
        if (registry.Resolve(filling.Resource, reference.Text, filling.Schema) is not { } target) return;
        SchemaNode node = Compile(target);
        filling.Checks.Add(new RefCheck(node));
        InPlace(filling, node);
    }

    private void AddDynamicReference(Filling filling, JsonValue reference)
    {
        if (!reference.IsString || registry.Resolve(filling.Resource, reference.Text, filling.Schema) is not { } target) return;
        SchemaNode node = Compile(target);
        string text = reference.Text;
        string anchor = text[(text.IndexOf('#', StringComparison.Ordinal) + 1)..];
        // Only where the reference names a $dynamicAnchor by its name is it dynamic (2020-12 core §8.2.3.2).
        bool isDynamic = text.Contains('#', StringComparison.Ordinal) && target.FindText("$dynamicAnchor") == anchor;
        if (isDynamic) _dynamicAnchors.Add(anchor);
        filling.Checks.Add(isDynamic ? new DynamicRefCheck(anchor, node) : new RefCheck(node));
    }

    /// <summary>A schema that is applied to the same instance as the one around it.</summary>
    private SchemaNode CompileInPlace(Filling filling, JsonValue schema)
    {
        SchemaNode node = Compile(schema);
        InPlace(filling, node);
        return node;
    }

    private void InPlace(Filling filling, SchemaNode node)
    {
        if (!_inPlace.TryGetValue(filling.Node, out List<SchemaNode>? targets)) _inPlace.Add(filling.Node, targets = []);
        targets.Add(node);
    }

    private EcmaPattern? CompilePattern(JsonValue at, string source)
    {
        if (_patterns.TryGetValue(source, out EcmaPattern? pattern)) return pattern;
        if (!EcmaPattern.TryCreate(source, registry.Options.PatternTimeout, out pattern, out string error)) registry.Add(at, error);
        _patterns.Add(source, pattern);
        return pattern;
    }

    /// <summary>A count, which may be written 2.0; null, with a problem, when it is none.</summary>
    private int? ReadCount(Filling filling, string keyword)
    {
        if (filling.Schema.Find(keyword) is not { } value) return null;
        if (value.IsNumber && value.Number is { IsInteger: true } number && number.CompareTo(default) >= 0)
        {
            return number.CompareTo(ExactNumber.Parse("2147483647"u8)) >= 0 ? int.MaxValue
                : (int)decimal.Parse(value.Text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture);
        }
        registry.Add(value, "must be a whole number that is not negative");
        return null;
    }
}
