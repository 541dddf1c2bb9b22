using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.MetaSchemas;

namespace LoadBalancer.Schemas.Documents;

/// <summary>The documents of one load, and what their identifiers name. References are looked up here; used while loading, by one thread.</summary>
internal sealed class SchemaRegistry(IDocumentSource source, SchemaOptions options)
{
    private const int DocumentsMax = 256;
    private const int ProblemsMax = 50;

    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unreadable = new(StringComparer.Ordinal);
    private readonly HashSet<SchemaProblem> _known = [];
    private readonly List<SchemaProblem> _problems = [];
    private int _documents;

    internal IReadOnlyList<SchemaProblem> Problems => _problems;

    internal IEnumerable<SchemaResource> Resources => _resources.Values.Distinct();

    internal SchemaOptions Options => options;

    internal void Add(JsonValue at, string message) => Add(at.Location, message);

    internal void Add(string location, string message)
    {
        var problem = new SchemaProblem(location, message);
        if (_problems.Count < ProblemsMax && _known.Add(problem)) _problems.Add(problem);
    }

    /// <summary>Reads a document whose root is a schema.</summary>
    internal SchemaResource? LoadSchema(Uri uri, byte[] content, string name, Dialect dialect)
    {
        if (Read(uri, content, name) is not { } document) return null;
        if (document.Root.FindText("$schema") is { } schema) dialect = DialectOf(schema, document.Root) ?? dialect;
        var resource = new SchemaResource(uri, document.Root, dialect);
        _resources[Key(uri)] = resource;
        SchemaIndexer.Index(this, document.Root, resource);
        // A root that is no schema is still where pointers start.
        document.Resources.TryAdd(0, resource);
        return resource;
    }

    /// <summary>Reads a document that has schemas somewhere inside, and whose dialect shows when it is read.</summary>
    internal SchemaResource? LoadContainer(Uri uri, byte[] content, string name, Func<JsonValue, Dialect?> dialectOf)
    {
        if (Read(uri, content, name) is not { } document || dialectOf(document.Root) is not { } dialect) return null;
        var resource = new SchemaResource(uri, document.Root, dialect);
        _resources[Key(uri)] = resource;
        document.Resources[0] = resource;
        return resource;
    }

    private SchemaDocument? Read(Uri uri, byte[] content, string name)
    {
        if (_documents++ >= DocumentsMax)
        {
            Add(name, $"more than {DocumentsMax} documents are referred to");
            return null;
        }
        if (DocumentReader.TryRead(uri, name, content, options.Document, out SchemaDocument? document, out SchemaProblem? problem)) return document;
        Add(problem!.Location, problem.Message);
        return null;
    }

    /// <summary>Registers a schema that has an identifier.</summary>
    internal void Register(SchemaResource resource, JsonValue at)
    {
        string key = Key(resource.Uri);
        if (_resources.TryGetValue(key, out SchemaResource? other) && other.Root != resource.Root && !other.Root.Document.Uri.Equals(resource.Uri))
        {
            Add(at, $"\"{resource.Uri}\" is the identifier of another schema too");
            return;
        }
        _resources[key] = resource;
    }

    /// <summary>What a reference in a resource names; null, with a problem, when there is nothing.</summary>
    internal JsonValue? Resolve(SchemaResource from, string reference, JsonValue at)
    {
        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        string fragment = hash < 0 ? "" : Uri.UnescapeDataString(reference[(hash + 1)..]);
        string document = hash < 0 ? reference : reference[..hash];
        SchemaResource? resource = from;
        if (document.Length > 0)
        {
            if (!Uri.TryCreate(from.Uri, document, out Uri? uri))
            {
                Add(at, $"\"{reference}\" is no reference");
                return null;
            }
            resource = FindResource(uri, from.Dialect, at);
        }
        if (resource is null) return null;
        if (fragment.Length == 0) return resource.Root;
        if (fragment[0] == '/')
        {
            if (Follow(resource.Root, fragment) is { } target) return target;
            Add(at, $"\"{reference}\" points to nothing");
            return null;
        }
        if (resource.Anchors.TryGetValue(fragment, out JsonValue anchor)) return anchor;
        Add(at, $"\"{reference}\": there is no $anchor \"{fragment}\"");
        return null;
    }

    private SchemaResource? FindResource(Uri uri, Dialect dialect, JsonValue at)
    {
        string key = Key(uri);
        if (_resources.TryGetValue(key, out SchemaResource? resource)) return resource;
        if (_unreadable.Contains(key)) return null;
        string error = "";
        if (!BuiltInSchemas.TryRead(new Uri(key), out byte[]? content) && !source.TryRead(new Uri(key), out content, out error))
        {
            _unreadable.Add(key);
            Add(at, $"{source.NameOf(uri)} {error}");
            return null;
        }
        if (LoadSchema(new Uri(key), content, source.NameOf(uri), dialect) is { } loaded) return loaded;
        _unreadable.Add(key);
        return null;
    }

    /// <summary>Goes down a JSON pointer.</summary>
    internal static JsonValue? Follow(JsonValue from, string pointer)
    {
        JsonValue? at = from;
        foreach (string token in JsonPointer.Split(pointer))
        {
            if (at is not { } value) return null;
            at = value.IsArray
                ? int.TryParse(token, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index) && index < value.Count
                    ? value.Items().ElementAt(index) : null
                : value.Find(token);
        }
        return at;
    }

    /// <summary>The resource of a schema. One that no known keyword leads to is looked through now: a pointer may go anywhere.</summary>
    internal SchemaResource ResourceOf(JsonValue schema)
    {
        Dictionary<int, SchemaResource> known = schema.Document.Resources;
        if (known.TryGetValue(schema.Node, out SchemaResource? resource)) return resource;
        // The nearest schema around it says which resource it is in.
        JsonValue at = schema.Document.Root;
        resource = known[0];
        while (at.Node != schema.Node)
        {
            int end = at.Document.EndOf(at.Node);
            int child = at.Node + 1;
            int step = at.IsObject ? 1 : 0;
            while (child < end && schema.Document.EndOf(child + step) <= schema.Node) child = schema.Document.EndOf(child + step);
            at = new JsonValue(schema.Document, child + step);
            if (known.TryGetValue(at.Node, out SchemaResource? nearer)) resource = nearer;
        }
        SchemaIndexer.Index(this, schema, resource);
        return known.TryGetValue(schema.Node, out SchemaResource? own) ? own : resource;
    }

    /// <summary>The dialect that $schema names; null, with a problem, when it is none that is known here.</summary>
    internal Dialect? DialectOf(string schema, JsonValue at)
    {
        string uri = schema.TrimEnd('#');
        switch (uri)
        {
            case Dialect.Uri7 or "https://json-schema.org/draft-07/schema": return Dialect.Draft7;
            case Dialect.Uri202012 or Dialect.UriOpenApi31: return Dialect.Draft202012;
        }
        if (uri.Contains("json-schema.org/", StringComparison.Ordinal))
        {
            Add(at, $"\"$schema\": {schema} is not supported; expected draft 2020-12 ({Dialect.Uri202012}) or draft 7 ({Dialect.Uri7}#)");
            return null;
        }
        if (!Uri.TryCreate(uri, UriKind.Absolute, out Uri? meta) || FindResource(meta, Dialect.Draft202012, at) is not { } resource) return null;
        if (resource.Root.Find("$vocabulary") is not { IsObject: true } vocabularies) return resource.Dialect;
        const string Prefix = Dialect.Uri202012Vocabularies;
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, JsonValue isRequired) in vocabularies.Properties())
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal)) used.Add(name[Prefix.Length..]);
            else if (isRequired.IsTrue) Add(at, $"the vocabulary {name}, which {schema} requires, is not known here");
        }
        return resource.Dialect with
        {
            HasApplicators = used.Contains("applicator"),
            HasAssertions = used.Contains("validation"),
            HasUnevaluated = used.Contains("unevaluated"),
            AssertsFormats = used.Contains("format-assertion"),
        };
    }

    private static string Key(Uri uri) => uri.Fragment.Length == 0 ? uri.AbsoluteUri.TrimEnd('#') : uri.AbsoluteUri[..uri.AbsoluteUri.IndexOf('#', StringComparison.Ordinal)];
}
