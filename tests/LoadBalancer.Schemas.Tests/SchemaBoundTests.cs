using System.Text;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Tests;

[TestFixture]
[CancelAfter(30_000)]
public sealed class SchemaBoundTests
{
    private static JsonSchema Compile(string schema, SchemaOptions? options = null)
    {
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(schema), options ?? new SchemaOptions(), out JsonSchema? compiled, out IReadOnlyList<SchemaProblem> problems), Is.True,
            string.Join('\n', problems));
        return compiled!;
    }

    private static string Refused(string schema, SchemaOptions? options = null)
    {
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(schema), options ?? new SchemaOptions(), out _, out IReadOnlyList<SchemaProblem> problems), Is.False);
        return string.Join('\n', problems);
    }

    private static InstanceVerdict Validate(JsonSchema schema, string instance) => schema.Validate(Encoding.UTF8.GetBytes(instance), []);

    [Test]
    public void Validate_AlternativesThatDoubleAtEachLevel_EndsByTheBudget()
    {
        string levels = string.Join(',', Enumerable.Range(1, 40).Select(i => $$"""
            "l{{i}}":{"anyOf":[{"$ref":"#/$defs/l{{i - 1}}"},{"$ref":"#/$defs/l{{i - 1}}"}]}
            """));
        JsonSchema schema = Compile($$"""{"$ref":"#/$defs/l40","$defs":{"l0":false,{{levels}} } }""");
        Assert.That(Validate(schema, "1"), Is.EqualTo(InstanceVerdict.TooComplex));
        Assert.That(schema.IsValid("1"u8), Is.False);
    }

    [Test]
    public void Validate_NotAroundWhatIsTooComplex_IsNeverValid()
    {
        string levels = string.Join(',', Enumerable.Range(1, 40).Select(i => $$"""
            "l{{i}}":{"anyOf":[{"$ref":"#/$defs/l{{i - 1}}"},{"$ref":"#/$defs/l{{i - 1}}"}]}
            """));
        JsonSchema schema = Compile($$"""{"not":{"$ref":"#/$defs/l40"},"$defs":{"l0":false,{{levels}} } }""");
        Assert.That(Validate(schema, "1"), Is.EqualTo(InstanceVerdict.TooComplex));
    }

    [Test]
    public void Validate_BacktrackingPatternOnNastyText_FailsAndIsNeverValid()
    {
        // The look-ahead keeps it from running without backtracking.
        JsonSchema schema = Compile("""{"not":{"pattern":"^(?=a)(a+)+$"}}""");
        Assert.That(Validate(schema, $"\"{new string('a', 50)}!\""), Is.EqualTo(InstanceVerdict.TooComplex));
    }

    [Test]
    public void Validate_NastyPatternWithoutLookAround_Ends()
    {
        JsonSchema schema = Compile("""{"pattern":"^(a+)+$"}""", new SchemaOptions { PatternTimeout = TimeSpan.FromSeconds(20) });
        Assert.That(Validate(schema, $"\"{new string('a', 50_000)}!\""), Is.EqualTo(InstanceVerdict.Invalid));
    }

    [Test]
    public void Validate_RecursionOnDeepInstance_IsBounded()
    {
        JsonSchema schema = Compile("""{"items":{"allOf":[{"$ref":"#"}]}}""", new SchemaOptions { Instance = new JsonLimits { DepthMax = 1000 }, NestingMax = 1000 });
        Assert.That(Validate(schema, new string('[', 300) + new string(']', 300)), Is.EqualTo(InstanceVerdict.Valid));
        Assert.That(Validate(schema, new string('[', 900) + new string(']', 900)), Is.EqualTo(InstanceVerdict.TooComplex));
    }

    [Test]
    public void Validate_DynamicLoop_IsBounded()
    {
        JsonSchema schema = Compile("""{"$dynamicAnchor":"a","anyOf":[{"$dynamicRef":"#a"}]}""");
        Assert.That(Validate(schema, "1"), Is.EqualTo(InstanceVerdict.TooComplex));
    }

    [Test]
    public void Validate_UniqueItemsOfManyEqualHashes_EndsByTheBudget()
    {
        JsonSchema schema = Compile("""{"uniqueItems":true}""");
        string items = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"{{\"a\":{i}}}"));
        Assert.That(Validate(schema, $"[{items}]"), Is.EqualTo(InstanceVerdict.Valid));
        Assert.That(Validate(schema, $"[{items},{{\"a\":7.0}}]"), Is.EqualTo(InstanceVerdict.Invalid));
    }

    [Test]
    public void Validate_ManyProblems_AreBounded()
    {
        JsonSchema schema = Compile("""{"items":{"type":"string"}}""");
        var problems = new List<InstanceProblem>();
        Assert.That(schema.Validate(Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("1", 1000))}]"), problems), Is.EqualTo(InstanceVerdict.Invalid));
        Assert.That(problems, Has.Count.EqualTo(16));
    }

    [TestCase("""{"$ref":"#"}""")]
    [TestCase("""{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#"}]}}}""")]
    public void TryCompile_ReferenceToItself_IsRefused(string schema) => Assert.That(Refused(schema), Does.Contain("never end"));

    [TestCase("""{"$ref":"http://example.com/x.json"}""", "is not among the given documents")]
    [TestCase("""{"$ref":"#/$defs/none"}""", "points to nothing")]
    [TestCase("""{"$ref":"#none"}""", "no $anchor")]
    [TestCase("""{"type":"strin"}""", "name of a type")]
    [TestCase("""{"minimum":true}""", "must be a number")]
    [TestCase("""{"multipleOf":0}""", "above 0")]
    [TestCase("""{"pattern":"("}""", "cannot be read")]
    [TestCase("""{"minLength":-1}""", "not negative")]
    [TestCase("""{"required":"a"}""", "array of names")]
    [TestCase("""{"properties":{"a":1}}""", "#/properties/a: is no schema")]
    [TestCase("""{"$schema":"http://json-schema.org/draft-04/schema#"}""", "not supported")]
    [TestCase("""{"a":1,}""", "line 1: is not valid JSON")]
    public void TryCompile_BrokenSchema_SaysWhatIsWrong(string schema, string expected) => Assert.That(Refused(schema), Does.Contain(expected));

    [Test]
    public void TryCompile_ManySchemas_AreBounded()
    {
        string many = string.Join(',', Enumerable.Range(0, 200).Select(i => $"\"p{i}\":{{}}"));
        Assert.That(Refused($$"""{"properties":{ {{many}} } }""", new SchemaOptions { SchemasMax = 100 }), Does.Contain("more than 100 schemas"));
    }

    [Test]
    public void TryCompile_LongChainOfReferences_TakesNoStack()
    {
        string chain = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $$"""
            "c{{i}}":{"properties":{"x":{"$ref":"#/$defs/c{{i + 1}}"} } }
            """));
        JsonSchema schema = Compile($$"""{"$ref":"#/$defs/c0","$defs":{ {{chain}},"c20000":false} }""");
        Assert.That(Validate(schema, """{"x":{"x":1}}"""), Is.EqualTo(InstanceVerdict.Valid));
    }
}
