using System.Text;

namespace LoadBalancer.Schemas.Tests;

[TestFixture]
public sealed class SchemaAllocationTests
{
    [Test]
    public void Validate_ValidBody_AllocatesNothing()
    {
        const string Schema = """
            {"type":"object","required":["id","items"],"additionalProperties":false,"properties":{
              "id":{"type":"string","pattern":"^[a-z0-9-]+$","maxLength":40},"note":{"type":["string","null"]},
              "items":{"type":"array","minItems":1,"items":{"anyOf":[{"$ref":"#/$defs/item"},{"type":"null"}]}}},
             "$defs":{"item":{"type":"object","unevaluatedProperties":false,"allOf":[{"properties":{"price":{"type":"number","minimum":0,"multipleOf":0.01}}}],
               "properties":{"kind":{"enum":["a","b"]}}}}}
            """;
        byte[] body = Encoding.UTF8.GetBytes("""{"id":"a-1","note":"x\ny","items":[{"price":1.25,"kind":"a"},{"price":3,"kind":"b"},null]}""");
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(Schema), new SchemaOptions(), out JsonSchema? schema, out _), Is.True);
        for (int i = 0; i < 200; i++) Assert.That(schema!.IsValid(body), Is.True);
        var problems = new List<InstanceProblem>();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) schema!.Validate(body, problems);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
