using System.Text;

namespace LoadBalancer.Schemas.Tests;

/// <summary>Whatever the schema and the instance are, there is an answer.</summary>
[TestFixture]
[CancelAfter(60_000)]
public sealed class SchemaPropertyTests
{
    private const int Seed = 7;

    [Test]
    public void Validate_RandomInstancesAgainstRandomSchemas_NeverThrowsAndSaysTheSameBothWays()
    {
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        int compiledCount = 0, valid = 0, invalid = 0;
        for (int i = 0; i < 3000; i++)
        {
            string text = Schema(random, 3);
            if (!JsonSchema.TryCompile(Encoding.UTF8.GetBytes(text), new SchemaOptions { AssertFormats = true }, out JsonSchema? schema, out IReadOnlyList<SchemaProblem> problems))
            {
                Assert.That(problems, Is.Not.Empty);
                continue;
            }
            compiledCount++;
            for (int k = 0; k < 20; k++)
            {
                byte[] instance = Encoding.UTF8.GetBytes(Instance(random, 3));
                var found = new List<InstanceProblem>();
                InstanceVerdict verdict = schema.Validate(instance, found);
                Assert.That(schema.Validate(instance, null), Is.EqualTo(verdict), () => $"{text}\n{Encoding.UTF8.GetString(instance)}");
                Assert.That(found.Count == 0, Is.EqualTo(verdict == InstanceVerdict.Valid), () => $"{text}\n{Encoding.UTF8.GetString(instance)}\n{string.Join('\n', found)}");
                if (verdict == InstanceVerdict.Valid) valid++;
                else if (verdict == InstanceVerdict.Invalid) invalid++;
            }
        }
        TestContext.Out.WriteLine($"{compiledCount} schemas, {valid} valid, {invalid} invalid");
        Assert.That(compiledCount, Is.GreaterThan(1500));
        Assert.That(Math.Min(valid, invalid), Is.GreaterThan(5000));
    }

    // not(not(x)) is x, allOf[x, x] is x, anyOf[x, false] is x.
    [Test]
    public void Validate_RandomSchemaWrapped_SaysTheSame()
    {
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        for (int i = 0; i < 1500; i++)
        {
            string text = Schema(random, 2);
            string[] wrapped = [text, $$"""{"not":{"not":{{text}} } }""", $$"""{"allOf":[{{text}},{{text}}]}""", $$"""{"anyOf":[false,{{text}}]}""", $$"""{"oneOf":[{{text}},false]}"""];
            // References in it start from the root, so they would mean something else.
            if (text.Contains("$ref", StringComparison.Ordinal)) continue;
            var schemas = new List<JsonSchema>();
            foreach (string one in wrapped)
            {
                if (JsonSchema.TryCompile(Encoding.UTF8.GetBytes(one), new SchemaOptions(), out JsonSchema? schema, out _)) schemas.Add(schema);
            }
            Assert.That(schemas, Has.Count.EqualTo(0).Or.Count.EqualTo(wrapped.Length), text);
            for (int k = 0; k < 10 && schemas.Count > 0; k++)
            {
                byte[] instance = Encoding.UTF8.GetBytes(Instance(random, 3));
                Assert.That(schemas.Select(s => s.IsValid(instance)).Distinct().Count(), Is.EqualTo(1), () => $"{text}\n{Encoding.UTF8.GetString(instance)}");
            }
        }
    }

    private static string Schema(Random random, int depth)
    {
        if (depth == 0) return random.Next(3) switch { 0 => "true", 1 => "false", _ => "{}" };
        var keywords = new Dictionary<string, string>();
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            string S() => Schema(random, depth - 1);
            (string Name, string Value) keyword = random.Next(30) switch
            {
                0 => ("type", Pick(random, "\"object\"", "\"array\"", "\"string\"", "\"integer\"", "[\"number\",\"null\"]", "\"boolean\"")),
                1 => ("properties", $$"""{"a":{{S()}},"b":{{S()}}}"""),
                2 => ("required", "[\"a\"]"),
                3 => ("additionalProperties", S()),
                4 => ("patternProperties", $$"""{"^[ab]":{{S()}}}"""),
                5 => ("propertyNames", Pick(random, "{\"maxLength\":1}", "{\"enum\":[\"a\",\"b\"]}")),
                6 => ("items", S()),
                7 => ("prefixItems", $"[{S()},{S()}]"),
                8 => ("contains", S()),
                9 => ("minContains", random.Next(3).ToString(null, null)),
                10 => ("uniqueItems", "true"),
                11 => ("allOf", $"[{S()},{S()}]"),
                12 => ("anyOf", $"[{S()},{S()}]"),
                13 => ("oneOf", $"[{S()},{S()}]"),
                14 => ("not", S()),
                15 => ("if", S()),
                16 => ("then", S()),
                17 => ("else", S()),
                18 => ("unevaluatedProperties", S()),
                19 => ("unevaluatedItems", S()),
                20 => ("minimum", Pick(random, "0", "1.5", "-1e3")),
                21 => ("multipleOf", Pick(random, "2", "0.1", "1e-5")),
                22 => ("maxLength", "2"),
                23 => ("pattern", Pick(random, "\"^a\"", "\"(?=b)b\"", "\"\\\\d\"")),
                24 => ("enum", $"[{Instance(random, 2)},{Instance(random, 1)}]"),
                25 => ("dependentSchemas", $$"""{"a":{{S()}}}"""),
                26 => ("dependentRequired", """{"a":["b"]}"""),
                27 => ("$ref", Pick(random, "\"#/properties/a\"", "\"#/items\"", "\"#\"", "\"#/$defs/x\"")),
                28 => ("format", Pick(random, "\"date\"", "\"ipv4\"", "\"uuid\"", "\"nothing\"")),
                _ => ("maxProperties", "1"),
            };
            keywords[keyword.Name] = keyword.Value;
        }
        return $"{{{string.Join(',', keywords.Select(k => $"\"{k.Key}\":{k.Value}"))}}}";
    }

    private static string Instance(Random random, int depth) => random.Next(depth == 0 ? 6 : 10) switch
    {
        0 => "null",
        1 => Pick(random, "true", "false"),
        2 => Pick(random, "0", "1", "2.0", "-1.5", "1e3", "12345678901234567890"),
        3 or 4 => Pick(random, "\"\"", "\"a\"", "\"b\\u0061\"", "\"2026-01-01\"", "\"🐲\""),
        5 => "[]",
        6 or 7 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Instance(random, depth - 1)))}]",
        _ => $"{{{string.Join(',', new[] { "a", "b", "c", "ab" }.Take(random.Next(5)).Select(n => $"\"{n}\":{Instance(random, depth - 1)}"))}}}",
    };

    private static string Pick(Random random, params string[] from) => from[random.Next(from.Length)];
}
