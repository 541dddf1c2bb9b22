using System.Text;

namespace LoadBalancer.Schemas.Tests;

[TestFixture]
public sealed class SchemaProblemTests
{
    private static List<InstanceProblem> Problems(string schema, string instance)
    {
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(schema), new SchemaOptions { AssertFormats = true }, out JsonSchema? compiled, out IReadOnlyList<SchemaProblem> faults), Is.True,
            string.Join('\n', faults));
        var problems = new List<InstanceProblem>();
        compiled!.Validate(Encoding.UTF8.GetBytes(instance), problems);
        return problems;
    }

    [TestCase("""{"type":"integer"}""", "\"x\"", "", "#/type", "is a string; expected integer")]
    [TestCase("""{"type":["object","null"]}""", "1.5", "", "#/type", "is a number; expected object or null")]
    [TestCase("""{"properties":{"age":{"minimum":18}}}""", """{"age":17.9}""", "/age", "#/properties/age/minimum", "must be at least 18")]
    [TestCase("""{"required":["a","b"]}""", """{"a":1}""", "", "#/required", "the property \"b\" is missing")]
    [TestCase("""{"properties":{"a":true},"additionalProperties":false}""", """{"b/c":1}""", "/b~1c", "#/additionalProperties", "the property \"b/c\" is not allowed")]
    [TestCase("""{"items":{"enum":["red",1,null]}}""", """["blue"]""", "/0", "#/items/enum", "must be one of \"red\", 1, null")]
    [TestCase("""{"maxLength":2}""", "\"äöü\"", "", "#/maxLength", "has 3 characters; expected at most 2")]
    [TestCase("""{"format":"date"}""", "\"2026-02-30\"", "", "#/format", "is no date")]
    [TestCase("""{"$ref":"#/$defs/id","$defs":{"id":{"pattern":"^[a-z]+$"}}}""", "\"A\"", "", "#/$defs/id/pattern", "does not match ^[a-z]+$")]
    [TestCase("""{"uniqueItems":true}""", "[1,2,1.0]", "/2", "#/uniqueItems", "is there twice; items must be unique")]
    [TestCase("{}", """{"a":{"b":1,"b":2}}""", "/a/b", "json", "is there twice")]
    [TestCase("{}", "{\"a\":\n nul}", "", "json", "is not valid JSON at line 2, column 2")]
    public void Validate_OneFault_IsNamed(string schema, string instance, string pointer, string rule, string message) =>
        Assert.That(Problems(schema, instance), Is.EqualTo((InstanceProblem[])[new(pointer, rule, message)]));

    [Test]
    public void Validate_AlternativesToldApartByAConstant_SaysWhatIsWrongWithTheOneThatIsMeant()
    {
        const string Schema = """
            {"oneOf":[
              {"properties":{"kind":{"const":"cat"},"lives":{"maximum":9}}},
              {"properties":{"kind":{"const":"dog"},"tricks":{"type":"array"}}},
              {"type":"null"}]}
            """;
        Assert.That(Problems(Schema, """{"kind":"dog","tricks":1}""").Select(p => p.ToString()),
            Is.EqualTo((string[])["#: is none of the 3 alternatives (#/oneOf)", "/tricks: is a number; expected array (#/oneOf/1/properties/tricks/type)"]));
    }

    [Test]
    public void Validate_LongNameFromTheClient_IsShortened()
    {
        InstanceProblem problem = Problems("""{"additionalProperties":false}""", $"{{\"{new string('x', 10_000)}\":1}}")[0];
        Assert.That(problem.Message, Has.Length.LessThan(100));
    }

    [Test]
    public void TryCompile_FilesOfAFolder_ReferToEachOtherAndToNothingOutside()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "schemas", "parts"));
            File.WriteAllText(Path.Combine(folder, "secret.json"), "{}");
            File.WriteAllText(Path.Combine(folder, "schemas", "a.json"), """{"properties":{"id":{"$ref":"parts/common.yaml#/$defs/id"}}}""");
            File.WriteAllText(Path.Combine(folder, "schemas", "parts", "common.yaml"), "$defs:\n  id: &id\n    type: string\n    maxLength: 3\n  other: *id\n");
            File.WriteAllText(Path.Combine(folder, "schemas", "bad.json"), """{"anyOf":[{"$ref":"../secret.json"},{"$ref":"%2e%2e/secret.json"},{"$ref":"..%2fsecret.json"},{"$ref":"file:///etc/passwd"}]}""");
            var source = new DocumentFolder(Path.Combine(folder, "schemas"));
            Assert.That(JsonSchema.TryCompile(source, source.UriOf("a.json"), new SchemaOptions(), out JsonSchema? schema, out IReadOnlyList<SchemaProblem> problems), Is.True, string.Join('\n', problems));
            var found = new List<InstanceProblem>();
            schema!.Validate("""{"id":"long"}"""u8, found);
            Assert.That(found.Single().Rule, Is.EqualTo("parts/common.yaml#/$defs/id/maxLength"));
            Assert.That(source.Files, Has.Count.EqualTo(2));

            Assert.That(JsonSchema.TryCompile(source, source.UriOf("bad.json"), new SchemaOptions(), out _, out problems), Is.False);
            Assert.That(problems.Select(p => p.Message), Has.Exactly(2).Contains("is outside of"), string.Join('\n', problems));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
