using System.IO.Compression;
using System.Text;
using System.Text.Json;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Validation;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>What a client and a destination see of requests that are held against a document or a list of requirements.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class ValidationTests(TransportKind transport) : IAsyncDisposable
{
    private const string Document = """
        openapi: 3.1.0
        info: { title: Orders, version: "1" }
        servers: [{ url: https://api.example.com/v1 }]
        paths:
          /orders:
            get:
              parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 1 } }]
              responses: { "200": { description: all, content: { application/json: { schema: { type: array } } } } }
            post:
              requestBody: { required: true, content: { application/json: { schema: { $ref: "parts.json#/$defs/order" } } } }
              responses: { "201": { description: made } }
          /orders/{id}/scan:
            put:
              requestBody: { content: { image/*: {} } }
              responses: { "204": { description: kept } }
        """;

    private const string Parts = """{ "$defs": { "order": { "type": "object", "required": ["item"], "properties": { "item": { "type": "string", "maxLength": 5 }, "count": { "type": "integer" } } } } }""";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-01-02T03:04:05Z", null));
    private readonly HeldOrigin _origin = new();
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly List<RawClient> _clients = [];
    private ProxyFixture _proxy = null!;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<RawClient> StartAsync(Func<ValidateConfig, ValidateConfig>? change = null)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "api.yaml"), Document, Token);
        await File.WriteAllTextAsync(Path.Combine(_folder, "parts.json"), Parts, Token);
        var valid = new ValidateConfig { OpenApi = Path.Combine(_folder, "api.yaml") };
        ProxyConfig config = ProxyFixture.Config(transport, _origin.Address);
        config = config with
        {
            Policies = new Dictionary<string, PolicyConfig> { ["valid"] = change?.Invoke(valid) ?? valid },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Policies = ["valid"] } },
        };
        Assert.That(ConfigValidator.Validate(config), Is.Empty);
        _proxy = await ProxyFixture.StartAsync(config, _time);
        return await ConnectAsync();
    }

    private async Task<RawClient> ConnectAsync()
    {
        RawClient client = await _proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    private static string Post(string body, string fields = "Content-Type: application/json") =>
        $"POST /v1/orders HTTP/1.1\r\nHost: h\r\n{fields}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    private async Task<string> RefusedAsync(RawClient client, string request)
    {
        await client.SendAsync(request, Token);
        string answer = await client.ReadResponseAsync(Token);
        Assert.That(_origin.Requests, Is.Zero, "nothing reaches the destination");
        return answer;
    }

    private async Task<string> ForwardedAsync(RawClient client, string request, string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    {
        await client.SendAsync(request, Token);
        string arrived = await _origin.ArrivedAsync(Token);
        _origin.Answer(answer);
        await client.ReadResponseAsync(Token);
        return arrived;
    }

    private static JsonElement Body(string answer)
    {
        Assert.That(answer, Does.Contain("\r\nContent-Type: application/problem+json\r\n"));
        return JsonDocument.Parse(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).RootElement;
    }

    [Test]
    public async Task ARequestAsDescribedIsForwardedAsItCame()
    {
        RawClient client = await StartAsync();
        Assert.That(await ForwardedAsync(client, "GET /v1/orders?limit=5&other=1 HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("GET /v1/orders?limit=5&other=1 HTTP/1.1\r\n"));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
        Assert.That(await ForwardedAsync(client, Post("""{"item":"pen","count":2}""")), Does.Contain("\r\nContent-Length: 24\r\n"));
        Assert.That((await _proxy.Completions.NextAsync(Token)).RequestBytes, Is.EqualTo(24));
    }

    [Test]
    public async Task APathThatIsNotDescribedGets404()
    {
        RawClient client = await StartAsync();
        string answer = await RefusedAsync(client, "GET /v2/orders HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 404 Not Found\r\n"));
        Assert.That(Body(answer).GetProperty("status").GetInt32(), Is.EqualTo(404));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RefusedBy, record.Detail), Is.EqualTo((EndReason.RequestInvalid, "valid", "NoPath")));
    }

    [Test]
    public async Task AMethodThatIsNotDescribedGets405WithThoseThatAre()
    {
        RawClient client = await StartAsync();
        Assert.That(await RefusedAsync(client, "DELETE /v1/orders HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("HTTP/1.1 405 Method Not Allowed\r\n").And.Contain("\r\nAllow: GET, HEAD, POST\r\n"));
    }

    [Test]
    public async Task ABadParameterGets400ThatNamesIt()
    {
        RawClient client = await StartAsync();
        string answer = await RefusedAsync(client, "GET /v1/orders?limit=evil%3Cscript%3E HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 400 Bad Request\r\n").And.Not.Contain("evil"), "what came is not sent back");
        JsonElement error = Body(answer).GetProperty("errors")[0];
        Assert.That((error.GetProperty("in").GetString(), error.GetProperty("parameter").GetString(), error.GetProperty("rule").GetString(), error.GetProperty("message").GetString()),
            Is.EqualTo(("query", "limit", "#/paths/~1orders/get/parameters/0/schema/type", "is a string; expected integer")));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Detail, Does.StartWith("Query limit: is a string"));
    }

    [TestCase("""{"item":"pencil"}""", "#/item", "parts.json#/$defs/order/properties/item/maxLength")]
    [TestCase("""{"count":1}""", "#", "parts.json#/$defs/order/required")]
    [TestCase("""{"item":"pen","item":"ink"}""", "#/item", "json")]
    [TestCase("""{"item":""", "#", "json")]
    public async Task ABadBodyGets400ThatNamesPointerAndRule(string body, string pointer, string rule)
    {
        RawClient client = await StartAsync();
        string answer = await RefusedAsync(client, Post(body));
        Assert.That(answer, Does.StartWith("HTTP/1.1 400 "));
        JsonElement error = Body(answer).GetProperty("errors")[0];
        Assert.That((error.GetProperty("pointer").GetString(), error.GetProperty("rule").GetString()), Is.EqualTo((pointer, rule)));
        Assert.That(await ForwardedAsync(client, Post("""{"item":"pen"}""")), Does.StartWith("POST "), "the connection goes on");
    }

    [Test]
    public async Task ABadBodyGets422ByChoice()
    {
        RawClient client = await StartAsync(c => c with { InvalidBodyStatus = 422 });
        Assert.That(await RefusedAsync(client, Post("{}")), Does.StartWith("HTTP/1.1 422 "));
    }

    [Test]
    public async Task AMissingBodyGets400()
    {
        RawClient client = await StartAsync();
        Assert.That(await RefusedAsync(client, Post("", "X: y")), Does.StartWith("HTTP/1.1 400 "));
    }

    [Test]
    public async Task ATypeThatIsNotDescribedGets415()
    {
        RawClient client = await StartAsync();
        string answer = await RefusedAsync(client, Post("<a/>", "Content-Type: text/xml"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 415 "));
        Assert.That(Body(answer).GetProperty("errors")[0].GetProperty("message").GetString(), Is.EqualTo("expected application/json"));
    }

    [Test]
    public async Task ABodyThatIsTooLongGets413()
    {
        RawClient client = await StartAsync(c => c with { BodyBytesMax = 20 });
        Assert.That(await RefusedAsync(client, Post("""{"item":"pen","count":2}""")), Does.StartWith("HTTP/1.1 413 "));
        RawClient other = await ConnectAsync();
        Assert.That(await RefusedAsync(other, $"POST /v1/orders HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n18\r\n{"""{"item":"pen","count":2}"""}\r\n0\r\n\r\n"),
            Does.StartWith("HTTP/1.1 413 "));
    }

    [Test]
    public async Task ABodyInChunksIsForwardedWhole()
    {
        RawClient client = await StartAsync();
        await client.SendAsync("POST /v1/orders HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"item\"\r\n7\r\n:\"pen\"}", Token);
        Assert.That(_origin.Requests, Is.Zero);
        Assert.That(await ForwardedAsync(client, "\r\n0\r\n\r\n"), Does.StartWith("POST "));
        Assert.That((await _proxy.Completions.NextAsync(Token)).RequestBytes, Is.EqualTo(14));
    }

    [Test]
    public async Task ABodyWithoutSchemaStreamsBy()
    {
        RawClient client = await StartAsync();
        await client.SendAsync("PUT /v1/orders/7/scan HTTP/1.1\r\nHost: h\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n", Token);
        Assert.That(await _origin.ArrivedAsync(Token), Does.StartWith("PUT "), "its head is forwarded before its body has come");
        await client.SendAsync("abcd", Token);
        _origin.Answer("HTTP/1.1 204 No Content\r\n\r\n");
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 204 "));
    }

    [TestCase("""{"item":"pen"}""", "forwarded")]
    [TestCase("""{"item":"pencil"}""", "HTTP/1.1 400 ")]
    public async Task ACompressedBodyIsLookedAtDecoded(string body, string expected)
    {
        RawClient client = await StartAsync();
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(body));
        await client.SendAsync($"POST /v1/orders HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {compressed.Length}\r\n\r\n", Token);
        await client.SendAsync(compressed.ToArray(), Token);
        if (expected != "forwarded")
        {
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith(expected));
            return;
        }
        Assert.That(await _origin.ArrivedAsync(Token), Does.Contain($"\r\nContent-Length: {compressed.Length}\r\n").And.Contain("\r\nContent-Encoding: gzip\r\n"), "as it came");
        _origin.Answer(HeldOrigin.Ok("ok"));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [TestCase("gzip", CompressedBodies.Decode, "HTTP/1.1 400 ")]
    [TestCase("zstd", CompressedBodies.Decode, "HTTP/1.1 415 ")]
    [TestCase("gzip", CompressedBodies.Refuse, "HTTP/1.1 415 ")]
    public async Task ABodyThatCannotBeDecodedIsRefused(string coding, CompressedBodies compressed, string expected)
    {
        RawClient client = await StartAsync(c => c with { Compressed = compressed });
        Assert.That(await RefusedAsync(client, Post("nothing that was compressed", $"Content-Type: application/json\r\nContent-Encoding: {coding}")), Does.StartWith(expected));
    }

    [Test]
    public async Task WhereItOnlyReportsTheRequestGoesOn()
    {
        RawClient client = await StartAsync(c => c with { Mode = ValidationMode.Report });
        Assert.That(await ForwardedAsync(client, Post("""{"item":"pencil"}""")), Does.StartWith("POST "));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That(record.Reason, Is.EqualTo(EndReason.Completed));
        Assert.That(record.Fields!.Single(), Is.EqualTo(KeyValuePair.Create("validation", "Body/item: has 6 characters; expected at most 5 (parts.json#/$defs/order/properties/item/maxLength)")));
        Assert.That(await ForwardedAsync(client, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"), Does.Contain("GET /nothing "));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Fields!.Single().Value, Is.EqualTo("NoPath"));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]", null)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "Body: is an object; expected array")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "Header Content-Type: expected application/json")]
    [TestCase("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", "Status: the status 500 is not described")]
    public async Task AResponseThatIsNotAsDescribedIsReportedAndGoesOn(string response, string? expected)
    {
        RawClient client = await StartAsync(c => c with { Responses = ResponseValidation.Report });
        await client.SendAsync("GET /v1/orders HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _origin.ArrivedAsync(Token);
        _origin.Answer(response);
        string answer = await client.ReadResponseAsync(Token);
        Assert.That(answer[..12] + answer[^2..], Is.EqualTo(response[..12] + response[^2..]));
        IReadOnlyList<KeyValuePair<string, string>> fields = (await _proxy.Completions.NextAsync(Token)).Fields ?? [];
        if (expected is null) Assert.That(fields, Is.Empty);
        else Assert.That(fields.Single().Value, Does.StartWith(expected));
    }

    [Test]
    public async Task AnEditedFileIsUsedAndABrokenOneIsNot()
    {
        RawClient client = await StartAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "parts.json"), Parts.Replace("\"maxLength\": 5", "\"maxLength\": 2", StringComparison.Ordinal), Token);
        _time.Advance(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await RefusedAsync(client, Post("""{"item":"pen"}""")), Does.StartWith("HTTP/1.1 400 "));
        await File.WriteAllTextAsync(Path.Combine(_folder, "parts.json"), "{", Token);
        _time.Advance(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await RefusedAsync(client, Post("""{"item":"pen"}""")), Does.StartWith("HTTP/1.1 400 "), "the last good one stays");
        Assert.That(await ForwardedAsync(client, Post("""{"item":"ok"}""")), Does.StartWith("POST "));
    }

    [Test]
    public async Task AListOfRequirementsNeedsNoDocument()
    {
        RawClient client = await StartAsync(_ => new ValidateConfig
        {
            Methods = ["GET"],
            RequiredHeaders = ["X-Key"],
            UnknownQuery = UnknownQuery.Refuse,
            Query = new Dictionary<string, QueryParameterConfig> { ["page"] = new() { Type = "integer", Required = true, Max = "9" } },
        });
        Assert.That(await ForwardedAsync(client, "GET /any?page=1 HTTP/1.1\r\nHost: h\r\nX-Key: k\r\n\r\n"), Does.StartWith("GET /any?page=1 "));
        RawClient other = await ConnectAsync();
        await other.SendAsync("GET /any?page=10&more=1 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        string answer = await other.ReadResponseAsync(Token);
        Assert.That(Body(answer).GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("parameter").GetString()), Is.EqualTo((string[])["page", "X-Key", "more"]));
    }
}
