using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Schemas;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Benchmarks.Schemas;

/// <summary>
/// What it costs to hold an order of 2 KiB against its schema: 15 items of 6 properties, with patterns, formats, enums, exact multiples and a reference. The baseline only
/// parses it, by System.Text.Json.
/// </summary>
[MemoryDiagnoser]
public class BodyValidationBenchmarks : IHeaderFields
{
    private const string Schema = """
        {"type":"object","required":["id","customer","items"],"additionalProperties":false,"properties":{
          "id":{"type":"string","format":"uuid"},
          "customer":{"type":"object","required":["name","email"],"properties":{"name":{"type":"string","minLength":1,"maxLength":80},"email":{"type":"string","format":"email"},"vip":{"type":"boolean"}}},
          "placed":{"type":"string","format":"date-time"},
          "items":{"type":"array","minItems":1,"maxItems":100,"items":{"$ref":"#/$defs/item"}},
          "note":{"type":["string","null"],"maxLength":500}},
         "$defs":{"item":{"type":"object","required":["sku","count","price"],"additionalProperties":false,"properties":{
          "sku":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4}$"},"count":{"type":"integer","minimum":1,"maximum":1000},"price":{"type":"number","minimum":0,"multipleOf":0.01},
          "currency":{"enum":["EUR","USD","GBP"]},"gift":{"type":"boolean"},"tags":{"type":"array","uniqueItems":true,"items":{"type":"string","maxLength":20}}}}}}
        """;

    private byte[] _body = [];
    private byte[] _broken = [];
    private JsonSchema _schema = null!;
    private OpenApiDocument _document = null!;
    private readonly JsonTree _tree = new();
    private readonly JsonLimits _limits = new();
    private readonly List<InstanceProblem> _problems = [];

    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = name.SequenceEqual("content-type"u8) ? "application/json"u8 : default;
        return !value.IsEmpty;
    }

    [GlobalSetup]
    public void Setup()
    {
        string items = string.Join(',', Enumerable.Range(0, 15).Select(i =>
            $$"""{"sku":"AB-{{1000 + i}}","count":{{i + 1}},"price":{{i + 10}}.95,"currency":"EUR","gift":false,"tags":["new","blue{{i}}","sale"]}"""));
        string text = $$"""{"id":"123e4567-e89b-12d3-a456-426614174000","customer":{"name":"Ada Lovelace","email":"ada@example.com","vip":true},"placed":"2026-11-29T01:02:03Z","items":[{{items}}],"note":"Leave it at the door, please.\nThanks: {{new string('x', 250)}}"}""";
        _body = Encoding.UTF8.GetBytes(text);
        _broken = Encoding.UTF8.GetBytes(text.Replace("\"count\":15", "\"count\":0", StringComparison.Ordinal));
        var options = new SchemaOptions { AssertFormats = true };
        if (!JsonSchema.TryCompile(Encoding.UTF8.GetBytes(Schema), options, out _schema!, out _)) throw new InvalidOperationException("the schema is broken");
        string schema = Schema.Replace("#/$defs/item", "#/paths/~1orders~1{id}~1items/post/requestBody/content/application~1json/schema/$defs/item", StringComparison.Ordinal);
        string api = $$"""
            {"openapi":"3.1.0","servers":[{"url":"/v1"}],"paths":{"/orders/{id}/items":{"post":{
              "parameters":[{"name":"id","in":"path","schema":{"type":"integer"} },{"name":"limit","in":"query","schema":{"type":"integer","maximum":100} },{"name":"tag","in":"query","schema":{"type":"array","items":{"type":"string"} } } ],
              "requestBody":{"required":true,"content":{"application/json":{"schema":{{schema}} } } },"responses":{} } } } }
            """;
        var uri = new Uri("file:///api.json");
        if (!OpenApiDocument.TryLoad(new DocumentSet().Add(uri, Encoding.UTF8.GetBytes(api)), uri, new OpenApiOptions { Schema = options }, out _document!, out _)) throw new InvalidOperationException("the document is broken");
        if (_schema.Validate(_body, null) != InstanceVerdict.Valid || _schema.Validate(_broken, null) != InstanceVerdict.Invalid || Request() != RequestVerdict.Valid) throw new InvalidOperationException("not what is to be measured");
        Console.WriteLine($"// {_body.Length} bytes");
    }

    [Benchmark(Baseline = true)]
    public int ParseByJsonDocument()
    {
        using JsonDocument document = JsonDocument.Parse(_body);
        return (int)document.RootElement.ValueKind;
    }

    [Benchmark]
    public int ParseAlone() => (int)_tree.Parse(_body, _limits);

    [Benchmark]
    public bool ParseAndValidate() => _schema.IsValid(_body);

    [Benchmark]
    public int ParseAndValidateOneThatIsWrong()
    {
        _problems.Clear();
        _schema.Validate(_broken, _problems);
        return _problems.Count;
    }

    [Benchmark]
    public RequestVerdict Request() => _document.ValidateRequest("POST"u8, "/v1/orders/42/items"u8, "limit=20&tag=a&tag=b"u8, this, _body, null);

    [Benchmark]
    public bool RequestWithoutBody()
    {
        OpenApiMatch match = _document.Match("POST"u8, "/v1/orders/42/items"u8);
        return _document.ValidateParameters(match, "/v1/orders/42/items"u8, "limit=20&tag=a&tag=b"u8, this, null);
    }
}
