using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Schemas;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The OpenAPI document says what the listener does, and nothing else.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(60_000)]
public sealed class OpenApiTests
{
    private static readonly JsonNode Document = JsonNode.Parse(OpenApiEndpoint.Document.Span)!;

    [Test]
    public async Task TheDocumentHasEveryEndpointAndNoOther()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        string[] served = [.. lb.Admin.Routes().Routes.Select(route => $"{route.Method} {route.Template}").Order(StringComparer.Ordinal)];
        string[] told = [.. Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(one => $"{one.Key.ToUpperInvariant()} {path.Key}")).Order(StringComparer.Ordinal)];
        Assert.That(told, Is.EqualTo(served));
        Assert.That((await lb.SendAsync("GET", "/openapi.json")).Body, Is.EqualTo(Encoding.UTF8.GetString(OpenApiEndpoint.Document.Span)));
    }

    [Test]
    public void TheDocumentCanBeLoaded()
    {
        var uri = new Uri("file:///openapi.json");
        Assert.That(OpenApiDocument.TryLoad(new DocumentSet().Add(uri, OpenApiEndpoint.Document.ToArray()), uri, new OpenApiOptions(), out OpenApiDocument? document, out IReadOnlyList<SchemaProblem> problems), Is.True,
            string.Join('\n', problems));
        Assert.That(document!.Operations, Is.Not.Empty);
    }

    // Every operation, with what it answers; a case that is missing fails below.
    private static readonly (string Method, string Path, string? Body, int Status)[] Requests =
    [
        ("GET", "/live", null, 200), ("GET", "/ready", null, 200), ("GET", "/status", null, 200), ("GET", "/config", null, 200), ("GET", "/metrics", null, 200),
        ("GET", "/clusters", null, 200), ("GET", "/clusters/app/destinations", null, 200), ("GET", "/clusters/none/destinations", null, 404),
        ("PUT", "/clusters/app/destinations/w", """{"address": "127.0.0.1:2", "zone": "a"}""", 201), ("PUT", "/clusters/app/destinations/w", """{"address": "127.0.0.1:3"}""", 200),
        ("PUT", "/clusters/app/destinations/w", """{"address": 1, "x": 2}""", 400),
        ("POST", "/clusters/app/destinations/d0:drain", null, 200), ("GET", "/clusters/app/destinations/d0", null, 200), ("POST", "/clusters/app/destinations/d0:enable", null, 200),
        ("DELETE", "/clusters/app/destinations/w", null, 204), ("DELETE", "/clusters/app/destinations/d0", null, 409),
        ("GET", "/certificates", null, 200), ("POST", "/certificates:reload", null, 200),
        ("GET", "/caches", null, 200), ("POST", "/caches:purge", """{"all": true}""", 200), ("POST", "/caches:purge", "{}", 400), ("POST", "/caches:explain", """{"url": "http://h/cached"}""", 200),
        ("PUT", "/bans/203.0.113.7", null, 201), ("PUT", "/bans/203.0.113.7", """{"for": "0"}""", 200), ("GET", "/bans", null, 200), ("DELETE", "/bans/203.0.113.7", null, 204),
        ("GET", "/limits", null, 200), ("GET", "/limits/all", null, 200), ("GET", "/limits/none", null, 404),
        ("GET", "/connections", null, 200), ("GET", "/connections?source=x", null, 400), ("GET", "/explain?url=http%3A%2F%2Fh%2Fx", null, 200), ("GET", "/explain", null, 400),
        ("GET", "/events", null, 200), ("GET", "/dashboard.json", null, 200), ("GET", "/", null, 200), ("GET", "/openapi.json", null, 200),
        ("GET", "/trace", null, 200), ("GET", "/trace?count=0", null, 400), ("GET", "/trace/none", null, 404), ("POST", "/reload", null, 409), ("POST", "/upgrade", null, 409),
    ];

    [Test]
    public async Task EveryAnswerIsAsTheDocumentSays()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok");
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, destinations: origin.Address, change: config => config with
        {
            Caches = new Dictionary<string, CacheConfig> { ["store"] = new() },
            Limits = new Dictionary<string, LimitConfig> { ["all"] = new() { Rate = "1/h", Burst = 2 }, ["few"] = new() { Concurrency = 1000 } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["all"] = 1, ["few"] = 1 } },
                ["cached"] = new() { Path = "/cached", Cluster = "app", Cache = new() },
            },
        });
        CancellationToken token = TestContext.CurrentContext.CancellationToken;
        using RawClient client = await lb.Proxy.ConnectAsync(token);
        foreach (string path in new[] { "/cached", "/", "/", "/" })
        {
            await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n", token);
            await client.ReadResponseAsync(token);
        }
        var asked = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string method, string path, string? body, int status) in Requests)
        {
            Answer answer = await lb.SendAsync(method, path, body);
            Assert.That(answer.Status, Is.EqualTo(status), $"{method} {path}: {answer.Body}");
            (string template, JsonNode operation) = Find(method, path.Split('?')[0]);
            asked.Add($"{method} {template}");
            Check(answer, operation, $"{method} {path}");
        }
        Assert.That(Document["paths"]!.AsObject().SelectMany(one => one.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {one.Key}")), Is.SubsetOf(asked), "operations that nobody asks here");
    }

    private static (string Template, JsonNode Operation) Find(string method, string path)
    {
        foreach ((string template, JsonNode? item) in Document["paths"]!.AsObject().OrderBy(one => one.Key.Contains('{')).ThenByDescending(one => one.Key.Length))
        {
            string pattern = $"^{System.Text.RegularExpressions.Regex.Replace(System.Text.RegularExpressions.Regex.Escape(template).Replace("\\}", "}", StringComparison.Ordinal), @"\\\{[^}]+\}", "[^/]+")}$";
            if (System.Text.RegularExpressions.Regex.IsMatch(path, pattern) && item![method.ToLowerInvariant()] is { } operation) return (template, operation);
        }
        throw new AssertionException($"{method} {path} is not in the document");
    }

    private static void Check(Answer answer, JsonNode operation, string what)
    {
        JsonNode response = operation["responses"]![$"{answer.Status}"] ?? Document["components"]!["responses"]!["Refused"]!;
        string? type = System.Text.RegularExpressions.Regex.Match(answer.Head, "\r\nContent-Type: ([^\r]+)\r\n").Groups[1].Value;
        if (response["content"] is not JsonObject content)
        {
            Assert.That((answer.Body, type), Is.EqualTo(("", "")), what);
            return;
        }
        JsonNode? media = content[type] ?? content[type.Split(';')[0]];
        Assert.That(media, Is.Not.Null, $"{what}: {type} is not in the document");
        if (!type.Contains("json", StringComparison.Ordinal)) return;
        // The schema on its own, with what it refers to.
        JsonObject schema = media!["schema"]!.DeepClone().AsObject();
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        schema["$defs"] = Document["components"]!["schemas"]!.DeepClone();
        string text = schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(text), new SchemaOptions { AssertFormats = true, PatternTimeout = TimeSpan.FromSeconds(30) }, out JsonSchema? compiled, out IReadOnlyList<SchemaProblem> faults), Is.True, string.Join('\n', faults));
        List<InstanceProblem> problems = [];
        compiled!.Validate(Encoding.UTF8.GetBytes(answer.Body), problems);
        Assert.That(problems, Is.Empty, $"{what}: {answer.Body}");
    }
}
