using LoadBalancer.Schemas.Checks;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Patterns;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Compilation;

internal sealed partial class SchemaCompiler
{
    private static readonly SchemaNode Anything = new("");

    private void AddProperties(Filling filling)
    {
        var properties = new List<(string, SchemaNode)>();
        var patterns = new List<(EcmaPattern, SchemaNode)>();
        SchemaNode? additional = null, names = null;
        JsonValue? declared = filling.Schema.Find("properties");
        if (filling.Dialect.HasApplicators)
        {
            if (declared is { IsObject: false }) registry.Add(declared.Value, "must be an object");
            foreach ((string name, JsonValue schema) in declared?.Properties() ?? [])
            {
                properties.Add((name, IsIgnored(schema) ? Anything : Compile(schema)));
            }
            foreach ((string source, JsonValue schema) in filling.Schema.Find("patternProperties")?.Properties() ?? [])
            {
                SchemaNode node = Compile(schema);
                if (CompilePattern(schema, source) is { } pattern) patterns.Add((pattern, node));
            }
            if (filling.Schema.Find("additionalProperties") is { } rest) additional = CompileOrTrue(rest);
            if (filling.Schema.Find("propertyNames") is { } schemaOfNames) names = Compile(schemaOfNames);
        }
        List<string> required = [];
        if (filling.Dialect.HasAssertions && filling.Schema.Find("required") is { } list)
        {
            required = [.. ReadNames(list).Where(name => declared?.Find(name) is not { } schema || !IsIgnored(schema)).Distinct()];
        }
        if (required.Count > ObjectCheck.RequiredMax)
        {
            filling.Checks.Add(new RequiredCheck(required, filling.RuleOf("required")));
            required = [];
        }
        if (properties.Count + patterns.Count + required.Count == 0 && additional is null && names is null) return;
        filling.Checks.Add(new ObjectCheck(properties, required, [.. patterns], additional, names, filling.Node.Location));
    }

    // additionalProperties: true evaluates what no other keyword does, so it is more than nothing; but it needs no check of its own.
    private SchemaNode CompileOrTrue(JsonValue schema) => schema.IsTrue ? Anything : Compile(schema);

    /// <summary>Whether a property is none of this direction's: readOnly in a request, writeOnly in a response. Looks through references.</summary>
    private bool IsIgnored(JsonValue schema)
    {
        const int ReferencesMax = 8;
        if (direction == Direction.None) return false;
        string keyword = direction == Direction.Request ? "readOnly" : "writeOnly";
        for (int i = 0; i < ReferencesMax; i++)
        {
            if (schema.IsSet(keyword)) return true;
            if (schema.FindText("$ref") is not { } reference || registry.Resolve(registry.ResourceOf(schema), reference, schema) is not { } target) return false;
            schema = target;
        }
        return false;
    }

    private void AddItems(Filling filling)
    {
        JsonValue schema = filling.Schema;
        JsonValue? items = schema.Find("items"), prefix = null, rest = items;
        if (filling.Dialect.Is2020)
        {
            prefix = schema.Find("prefixItems");
        }
        else if (items is { IsArray: true })
        {
            prefix = items;
            rest = schema.Find("additionalItems");
        }
        if (prefix is { IsArray: false }) registry.Add(prefix.Value, "must be an array of schemas");
        if (prefix is not null || rest is not null)
        {
            filling.Checks.Add(new ItemsCheck([.. prefix?.Items().Select(Compile) ?? []], rest is { } value ? CompileOrTrue(value) : null));
        }
        if (schema.Find("contains") is not { } contains) return;
        int min = 1, max = int.MaxValue;
        if (filling.Dialect.Is2020 && filling.Dialect.HasAssertions)
        {
            min = ReadCount(filling, "minContains") ?? 1;
            max = ReadCount(filling, "maxContains") ?? int.MaxValue;
        }
        filling.Checks.Add(new ContainsCheck(Compile(contains), min, max, filling.Node.Location, marks: filling.Dialect.Is2020));
    }

    private void AddCombinators(Filling filling)
    {
        JsonValue schema = filling.Schema;
        if (List("allOf") is { } all) filling.Checks.Add(new AllOfCheck(all));
        if (List("anyOf") is { } any) filling.Checks.Add(new AnyOfCheck(any, filling.RuleOf("anyOf")));
        if (List("oneOf") is { } one) filling.Checks.Add(new OneOfCheck(one, filling.RuleOf("oneOf")));
        if (schema.Find("not") is { } not) filling.Checks.Add(new NotCheck(CompileInPlace(filling, not), filling.RuleOf("not")));
        if (schema.Find("if") is { } condition && filling.Dialect.Draft != SchemaDraft.OpenApi30)
        {
            SchemaNode? Branch(string keyword) => schema.Find(keyword) is { } branch ? CompileInPlace(filling, branch) : null;
            filling.Checks.Add(new IfCheck(CompileInPlace(filling, condition), Branch("then"), Branch("else")));
        }
        if (filling.Dialect.Is2020)
        {
            foreach ((string name, JsonValue dependent) in schema.Find("dependentSchemas")?.Properties() ?? [])
            {
                filling.Checks.Add(new DependentCheck(name, [], CompileInPlace(filling, dependent), filling.RuleOf("dependentSchemas")));
            }
        }
        // Of draft 7; later drafts may keep it (2020-12 core §8.2.2), and a schema that still has it means it.
        if (filling.Dialect.Draft != SchemaDraft.OpenApi30)
        {
            foreach ((string name, JsonValue dependent) in schema.Find("dependencies")?.Properties() ?? [])
            {
                filling.Checks.Add(dependent.IsArray
                    ? new DependentCheck(name, ReadNames(dependent), null, filling.RuleOf("dependencies"))
                    : new DependentCheck(name, [], CompileInPlace(filling, dependent), filling.RuleOf("dependencies")));
            }
        }

        SchemaNode[]? List(string keyword)
        {
            if (schema.Find(keyword) is not { } list) return null;
            if (list.IsArray && list.Count > 0) return [.. list.Items().Select(s => CompileInPlace(filling, s))];
            registry.Add(list, "must be an array with at least one schema");
            return null;
        }
    }

    private void AddUnevaluated(Filling filling)
    {
        if (filling.Schema.Find("unevaluatedItems") is { } items)
        {
            filling.Checks.Add(new UnevaluatedItemsCheck(Compile(items), filling.RuleOf("unevaluatedItems")));
            filling.Node.NeedsFrame = true;
        }
        if (filling.Schema.Find("unevaluatedProperties") is { } properties)
        {
            filling.Checks.Add(new UnevaluatedPropertiesCheck(Compile(properties), filling.RuleOf("unevaluatedProperties")));
            filling.Node.NeedsFrame = true;
        }
    }
}
