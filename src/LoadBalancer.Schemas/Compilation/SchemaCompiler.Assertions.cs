using LoadBalancer.Schemas.Checks;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Patterns;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Compilation;

internal sealed partial class SchemaCompiler
{
    private void AddTypes(Filling filling)
    {
        if (filling.Schema.Find("type") is not { } type) return;
        KindSet kinds = KindSet.None;
        foreach (JsonValue name in type.IsArray ? type.Items() : [type])
        {
            if (name.IsString && KindSets.TryParse(name.Text, out KindSet kind)) kinds |= kind;
            else registry.Add(type, "must be the name of a type, or several: null, boolean, object, array, number, integer, string");
        }
        if (filling.Dialect.Draft == SchemaDraft.OpenApi30 && filling.Schema.IsSet("nullable")) kinds |= KindSet.Null;
        filling.Node.Types = kinds;
    }

    private void AddValues(Filling filling)
    {
        if (filling.Schema.Find("enum") is { } values)
        {
            if (values.IsArray) filling.Checks.Add(new EnumCheck([.. values.Items()], filling.RuleOf("enum")));
            else registry.Add(values, "must be an array of values");
        }
        if (filling.Schema.Find("const") is { } value) filling.Checks.Add(new EnumCheck([value], filling.RuleOf("const")));
    }

    private void AddNumbers(Filling filling)
    {
        var bounds = new List<NumberBound>();
        bool isOld = filling.Dialect.Draft == SchemaDraft.OpenApi30;
        Add("minimum", isOld && filling.Schema.IsSet("exclusiveMinimum") ? NumberRule.ExclusiveMinimum : NumberRule.Minimum);
        Add("maximum", isOld && filling.Schema.IsSet("exclusiveMaximum") ? NumberRule.ExclusiveMaximum : NumberRule.Maximum);
        if (!isOld)
        {
            Add("exclusiveMinimum", NumberRule.ExclusiveMinimum);
            Add("exclusiveMaximum", NumberRule.ExclusiveMaximum);
        }
        Add("multipleOf", NumberRule.MultipleOf);
        if (bounds.Count > 0) filling.Checks.Add(new NumberCheck(bounds));

        void Add(string keyword, NumberRule rule)
        {
            if (filling.Schema.Find(keyword) is not { } value) return;
            if (!value.IsNumber || (rule == NumberRule.MultipleOf && !value.Number.IsPositive))
            {
                registry.Add(value, rule == NumberRule.MultipleOf ? "must be a number above 0"
                    : value.IsBoolean ? "must be a number; true and false are of OpenAPI 3.0 and draft 4" : "must be a number");
                return;
            }
            bounds.Add(new NumberBound(rule, value.Number, filling.RuleOf(keyword), value.Text));
        }
    }

    private void AddStrings(Filling filling)
    {
        int? min = ReadCount(filling, "minLength"), max = ReadCount(filling, "maxLength");
        if (min is not null || max is not null) filling.Checks.Add(new LengthCheck(min ?? 0, max ?? int.MaxValue, filling.Node.Location));
        if (filling.Schema.Find("pattern") is not { } pattern) return;
        if (!pattern.IsString) registry.Add(pattern, "must be a string");
        else if (CompilePattern(pattern, pattern.Text) is { } compiled) filling.Checks.Add(new PatternCheck(compiled, filling.RuleOf("pattern")));
    }

    private void AddFormat(Filling filling)
    {
        if (!(registry.Options.AssertFormats || filling.Dialect.AssertsFormats) || filling.Schema.FindText("format") is not { } format) return;
        string rule = filling.RuleOf("format");
        (string Min, string Max)? range = format switch
        {
            "int32" => ("-2147483648", "2147483647"),
            "int64" => ("-9223372036854775808", "9223372036854775807"),
            _ => null,
        };
        if (range is { } bounds)
        {
            filling.Checks.Add(new NumberCheck([Bound(NumberRule.Minimum, bounds.Min), Bound(NumberRule.Maximum, bounds.Max)]));
        }
        else if (Formats.Find(format) is { } test)
        {
            filling.Checks.Add(new FormatCheck(format, test, rule));
        }

        NumberBound Bound(NumberRule kind, string text) => new(kind, ExactNumber.Parse(System.Text.Encoding.ASCII.GetBytes(text)), rule, text);
    }

    private void AddCounts(Filling filling)
    {
        int? min = ReadCount(filling, "minItems"), max = ReadCount(filling, "maxItems");
        if (min is not null || max is not null) filling.Checks.Add(new ItemCountCheck(min ?? 0, max ?? int.MaxValue, filling.Node.Location));
        if (filling.Schema.IsSet("uniqueItems")) filling.Checks.Add(new UniqueItemsCheck(filling.RuleOf("uniqueItems")));
        min = ReadCount(filling, "minProperties");
        max = ReadCount(filling, "maxProperties");
        if (min is not null || max is not null) filling.Checks.Add(new PropertyCountCheck(min ?? 0, max ?? int.MaxValue, filling.Node.Location));
        if (!filling.Dialect.Is2020 || filling.Schema.Find("dependentRequired") is not { } dependent) return;
        if (!dependent.IsObject) registry.Add(dependent, "must be an object");
        foreach ((string name, JsonValue names) in dependent.Properties())
        {
            filling.Checks.Add(new DependentCheck(name, ReadNames(names), null, filling.RuleOf("dependentRequired")));
        }
    }

    private List<string> ReadNames(JsonValue value)
    {
        if (value.IsArray && value.Items().All(n => n.IsString)) return [.. value.Items().Select(n => n.Text)];
        registry.Add(value, "must be an array of names");
        return [];
    }
}
