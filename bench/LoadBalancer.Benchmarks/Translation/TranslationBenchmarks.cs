using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Translation;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Messages;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Benchmarks.Translation;

/// <summary>What does the translation of a document of 2 KiB cost, beside reading and writing it token by token?</summary>
[MemoryDiagnoser]
#pragma warning disable CA1001 // ends with its process
public class TranslationBenchmarks
#pragma warning restore CA1001
{
    private readonly DocumentTranslator _translator = new();
    private readonly TargetBuffers _targets = new();
    private readonly ArrayBufferWriter<byte> _copy = new(8 * 1024);
    private Utf8JsonWriter _writer = null!;
    private byte[] _document = [];
    private VersionMap _map = null!;
    private BodyPlan _inPlace = null!, _moving = null!;

    /// <summary>Orders of a shop: twelve lines, three levels.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var json = new StringBuilder("{\"id\":\"ord_7Yt2\",\"customer\":\"Ann Example\",\"street\":\"Long Road 12\",\"city\":\"Somewhere\",\"state\":\"open\",\"created\":1795914123,\"note\":\"leave it with the neighbour, please\",\"lines\":[");
        for (int i = 0; i < 12; i++)
            json.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{{\"sku\":\"A-{i:0000}\",\"title\":\"A thing of some kind, number {i}\",\"cents\":{1999 + i},\"count\":{i + 1},\"tags\":[\"new\",\"sale\"],\"extra\":{{\"weight\":1.50,\"color\":null}}}}");
        _document = Encoding.UTF8.GetBytes(json.Append("]}").ToString());
        _map = VersionMap.Parse(Encoding.UTF8.GetBytes("""
            { "routes": [
                { "v1": "GET /v1/orders/{id}", "v2": "GET /v2/purchases/{id}", "query": ["q <-> search"], "request": { "type": "InPlace" } },
                { "v1": "POST /v1/orders", "v2": "POST /v2/purchases", "request": { "type": "Moving" } } ],
              "types": {
                "InPlace": ["customer <-> buyer", { "path": "created", "convert": { "v1": "unix-seconds", "v2": "rfc3339" } }, { "path": "state", "convert": { "enum": { "open": "OPEN", "closed": "CLOSED" } } }, { "v2": "kind", "constant": "order" },
                            { "v1": "lines[]", "v2": "items[]", "type": "Line" }],
                "Moving": ["customer <-> buyer.name", "street <-> buyer.address.street", "city <-> buyer.address.city", { "path": "created", "convert": { "v1": "unix-seconds", "v2": "rfc3339" } },
                            { "path": "state", "convert": { "enum": { "open": "OPEN", "closed": "CLOSED" } } }, { "v2": "kind", "constant": "order" }, { "v1": "lines[]", "v2": "items[]", "type": "Line" }],
                "Line": ["title <-> name", { "v1": "cents", "v2": "price", "convert": { "factor": 0.01, "places": { "v2": 2 } } }] } }
            """));
        (_inPlace, _moving) = (_map.ForV1Clients.Operations[0].Request!, _map.ForV1Clients.Operations[1].Request!);
        if (!_inPlace.IsInPlace || _moving.IsInPlace || InPlace() < 1000 || Moving() < 1000) throw new InvalidOperationException("The plans are not those that are meant.");
        _writer = new Utf8JsonWriter(_copy, new JsonWriterOptions { SkipValidation = true });
        Console.WriteLine($"// {_document.Length} bytes");
    }

    /// <summary>Utf8JsonReader to Utf8JsonWriter, token by token: nothing is translated, and names are not looked at.</summary>
    [Benchmark(Baseline = true)]
    public int Copy()
    {
        _copy.ResetWrittenCount();
        _writer.Reset();
        var reader = new Utf8JsonReader(_document);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject: _writer.WriteStartObject(); break;
                case JsonTokenType.EndObject: _writer.WriteEndObject(); break;
                case JsonTokenType.StartArray: _writer.WriteStartArray(); break;
                case JsonTokenType.EndArray: _writer.WriteEndArray(); break;
                case JsonTokenType.PropertyName: _writer.WritePropertyName(reader.ValueSpan); break;
                case JsonTokenType.String: _writer.WriteStringValue(reader.ValueSpan); break;
                default: _writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;
            }
        }
        _writer.Flush();
        return _copy.WrittenCount;
    }

    /// <summary>Renames, conversions and a constant: translated while it is read.</summary>
    [Benchmark]
    public int InPlace()
    {
        _translator.Translate(_inPlace, _document, TranslationLimits.Default);
        return _translator.Output.Length;
    }

    /// <summary>The same, and three values that move into objects: with a tree.</summary>
    [Benchmark]
    public int Moving()
    {
        _translator.Translate(_moving, _document, TranslationLimits.Default);
        return _translator.Output.Length;
    }

    /// <summary>Method, path and query of a request.</summary>
    [Benchmark]
    public int Target()
    {
        _map.ForV1Clients.Translate("GET"u8, "/v1/orders/ord_7Yt2"u8, "q=neighbour&page=2"u8, _targets, out _);
        return _targets.Path.Length;
    }
}
