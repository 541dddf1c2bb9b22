using System.IO.Compression;
using System.Text;
using System.Threading.Channels;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Versioning;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>Clients of one version before destinations of another, on sockets.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class TranslateTests : IAsyncDisposable
{
    private const string Map = """
        {
          "routes": [
            { "v1": "GET /v1/users/{id}", "v2": "GET /v2/accounts/{id}",
              "query": ["q <-> search", { "v2": "expand", "constant": "none" }],
              "request": { "headers": ["X-User <-> X-Account"] },
              "response": { "type": "User", "headers": ["X-Kind <-> X-Type", { "v2": "X-Internal", "lossy": true }], "status": { "200": 203 } },
              "errors": { "fields": ["error <-> problem.title"] } },
            { "v1": "POST /v1/users", "v2": "PUT /v2/accounts", "request": { "type": "User" }, "response": { "type": "User" } },
            { "v1": "/v1/files/**", "v2": "/v2/blobs/**" }
          ],
          "types": { "User": ["name <-> fullName", "street <-> address.street", { "path": "created", "convert": { "v1": "unix-seconds", "v2": "rfc3339" } }] }
        }
        """;

    private const string V1 = "{\"name\":\"Ann\",\"street\":\"x\",\"created\":0}", V2 = "{\"fullName\":\"Ann\",\"address\":{\"street\":\"x\"},\"created\":\"1970-01-01T00:00:00Z\"}";

    private readonly TransportKind _transport;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly Channel<string> _arrived = Channel.CreateUnbounded<string>(), _answers = Channel.CreateUnbounded<string>();
    private readonly ScriptedOrigin _origin;
    private readonly List<RawClient> _clients = [];
    private ProxyFixture _proxy = null!;

    public TranslateTests(TransportKind transport)
    {
        _transport = transport;
        _origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            while (true)
            {
                string head = await connection.ReadUntilAsync("\r\n\r\n", token);
                string? length = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
                _arrived.Writer.TryWrite(head + (length is null ? "" : await connection.ReadAsync(int.Parse(length[16..]), token)));
                await connection.SendAsync(await _answers.Reader.ReadAsync(token), token);
            }
        });
    }

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(_transport);

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
    }

    private async Task<RawClient> StartAsync(Func<TranslateConfig, TranslateConfig>? change = null, bool caches = false, string map = Map)
    {
        ProxyConfig config = ProxyFixture.Config(_transport, _origin.Address);
        var translate = new TranslateConfig { Inline = Encoding.UTF8.GetBytes(map) };
        _proxy = await ProxyFixture.StartAsync(config with
        {
            Policies = new Dictionary<string, PolicyConfig> { ["v1"] = change?.Invoke(translate) ?? translate },
            Caches = caches ? new Dictionary<string, CacheConfig> { ["memory"] = new() } : config.Caches,
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Policies = ["v1"], Cache = caches ? new() : null } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Ejection = new() { Enabled = false } } },
        }, _time);
        RawClient client = await _proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    private static string Get(string target, string lines = "", string method = "GET") => $"{method} {target} HTTP/1.1\r\nHost: h\r\n{lines}\r\n";

    private static string Post(string body, string lines = "Content-Type: application/json\r\n") => $"POST /v1/users HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: {body.Length}\r\n\r\n{body}";

    private static string Ok(string body, string lines = "Content-Type: application/json\r\n", string status = "200 OK") => $"HTTP/1.1 {status}\r\n{lines}Content-Length: {body.Length}\r\n\r\n{body}";

    private static async Task<string> AskAsync(RawClient client, string request)
    {
        await client.SendAsync(request, Token);
        return await client.ReadResponseAsync(Token, request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    private async Task<(string Forwarded, string Answer)> ForwardAsync(RawClient client, string request, string answer)
    {
        Task<string> asking = AskAsync(client, request);
        string forwarded = await _arrived.Reader.ReadAsync(Token);
        _answers.Writer.TryWrite(answer);
        return (forwarded, await asking);
    }

    private static string BodyOf(string message) => message[(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    private static string Compress(string text, string coding)
    {
        using var output = new MemoryStream();
        using (Stream stream = coding switch { "gzip" => new GZipStream(output, CompressionLevel.Optimal), "br" => new BrotliStream(output, CompressionLevel.Optimal), _ => new ZLibStream(output, CompressionLevel.Optimal) })
            stream.Write(Encoding.UTF8.GetBytes(text));
        return Encoding.Latin1.GetString(output.ToArray());
    }

    [Test]
    public async Task AnOperationIsTranslatedThereAndBack()
    {
        RawClient client = await StartAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v1/users/a%2Fb?q=x%20y&page=2&expand=all", "X-User: 7\r\nX-Account: forged\r\nAccept-Encoding: gzip\r\nRange: bytes=0-1\r\n"),
            Ok(V2, "Content-Type: application/vnd.user+json; charset=utf-8\r\nX-Type: person\r\nX-Internal: 1\r\nVary: X-Account, Accept\r\nAccept-Ranges: bytes\r\nETag: W/\"abc\"\r\nContent-MD5: x\r\nDigest: y\r\nContent-Digest: z\r\nRepr-Digest: z\r\n", "203 Other"));
        Assert.Multiple(() =>
        {
            Assert.That(forwarded, Does.StartWith("GET /v2/accounts/a%2Fb?search=x%20y&page=2&expand=none HTTP/1.1\r\n"));
            Assert.That(forwarded, Does.Contain("X-Account: 7\r\n").And.Not.Contain("X-User").And.Not.Contain("forged").And.Not.Contain("Range").And.Contain("Accept-Encoding: identity\r\n"));
            Assert.That(answer, Does.StartWith("HTTP/1.1 200 "));
            Assert.That(BodyOf(answer), Is.EqualTo("{\"name\":\"Ann\",\"street\":\"x\",\"created\":0}"));
            Assert.That(answer, Does.Contain($"\r\nContent-Length: {BodyOf(answer).Length}\r\n").And.Contain("application/vnd.user+json; charset=utf-8").And.Contain("X-Kind: person").And.Contain("Vary: X-User, Accept\r\n").And.Contain("ETag: W/\"abc;v1\""));
            Assert.That(answer, Does.Not.Contain("X-Internal").And.Not.Contain("Accept-Ranges").And.Not.Contain("MD5").And.Not.Contain("Digest").And.Not.Contain("X-Type"));
        });
    }

    [Test]
    public async Task ARequestsDocumentAndMethodAreTranslated()
    {
        RawClient client = await StartAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Post(V1, "Content-Type: application/json\r\nContent-Digest: x\r\n"),
            Ok(V2, "Content-Type: application/json\r\nLocation: /v2/accounts/7?search=a#top\r\nContent-Location: http://h/v2/accounts/7\r\n", "201 Created"));
        Assert.Multiple(() =>
        {
            Assert.That(forwarded, Does.StartWith("PUT /v2/accounts HTTP/1.1\r\n").And.Contain($"\r\nContent-Length: {BodyOf(forwarded).Length}\r\n").And.Not.Contain("Digest"));
            Assert.That(BodyOf(forwarded), Is.EqualTo(V2));
            Assert.That(answer, Does.StartWith("HTTP/1.1 201 ").And.Contain("Location: /v1/users/7?q=a#top\r\n").And.Contain("Content-Location: http://h/v1/users/7\r\n"));
            Assert.That(BodyOf(answer), Is.EqualTo(V1));
        });
    }

    [Test]
    public async Task TheMapServesTheOtherDirectionToo()
    {
        RawClient client = await StartAsync(c => c with { Direction = TranslateDirection.V2ToV1 });
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v2/accounts/7?search=x&expand=none"), Ok(V1, "Content-Type: application/json\r\nETag: \"a\"\r\n"));
        Assert.That(forwarded, Does.StartWith("GET /v1/users/7?q=x HTTP/1.1\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 203 ").And.Contain("ETag: \"a;v2\""));
        Assert.That(BodyOf(answer), Is.EqualTo(V2));
    }

    [TestCase("gzip")]
    [TestCase("br")]
    [TestCase("deflate")]
    public async Task CompressedDocumentsAreDecompressed(string coding)
    {
        RawClient client = await StartAsync();
        string lines = $"Content-Type: application/json\r\nContent-Encoding: {coding}\r\n";
        (string forwarded, string answer) = await ForwardAsync(client, Post(Compress(V1, coding), lines), Ok(Compress(V2, coding), lines));
        Assert.That(BodyOf(forwarded), Is.EqualTo(V2));
        Assert.That(forwarded, Does.Not.Contain("Content-Encoding"));
        Assert.That(BodyOf(answer), Is.EqualTo(V1));
        Assert.That(answer, Does.Not.Contain("Content-Encoding"));
    }

    [Test]
    public async Task WhatExpandsTooFarIsRefused()
    {
        RawClient client = await StartAsync(c => c with { BodyBytesMax = 64 * 1024 });
        string bomb = Compress($"{{\"name\":\"{new string('x', 1_000_000)}\"}}", "gzip");
        Assert.That(await AskAsync(client, Post(bomb, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n")), Does.StartWith("HTTP/1.1 413 "));
        (_, string answer) = await ForwardAsync(client, Get("/v1/users/1"), Ok(bomb, "Content-Type: application/json\r\nContent-Encoding: gzip\r\nX-Type: t\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 502 ").And.Not.Contain("X-Type").And.Not.Contain("xxxx"));
        _proxy.Log.TakeErrors();
    }

    [TestCase("", "compress", 415)]
    [TestCase("x", "gzip", 400)]
    [TestCase("", "gzip, gzip, gzip", 415)]
    public async Task WhatIsNotWhatItsCodingSaysIsRefused(string before, string coding, int status)
    {
        RawClient client = await StartAsync();
        string answer = await AskAsync(client, Post(before + Compress(V1, "gzip"), $"Content-Type: application/json\r\nContent-Encoding: {coding}\r\n"));
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} "));
    }

    [Test]
    public async Task ByChoiceCompressedAndOtherContentIsRefused()
    {
        RawClient client = await StartAsync(c => c with { RefusesCompressed = true, RefusesOtherContent = true });
        Assert.That(await AskAsync(client, Post(Compress(V1, "gzip"), "Content-Type: application/json\r\nContent-Encoding: gzip\r\n")), Does.StartWith("HTTP/1.1 415 ").And.Contain("Accept-Encoding: identity"));
        Assert.That(await AskAsync(client, Post("a=1", "Content-Type: application/x-www-form-urlencoded\r\n")), Does.StartWith("HTTP/1.1 415 "));
        Assert.That((await ForwardAsync(client, Get("/v1/users/1"), Ok(Compress(V2, "gzip"), "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"))).Answer, Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await ForwardAsync(client, Get("/v1/users/1"), Ok("<a/>", "Content-Type: text/xml\r\n"))).Answer, Does.StartWith("HTTP/1.1 502 ").And.Not.Contain("<a/>"));
        _proxy.Log.TakeErrors();
    }

    [Test]
    public async Task OtherContentPassesAsItIs()
    {
        RawClient client = await StartAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Post("a=1", "Content-Type: application/x-www-form-urlencoded\r\n"), Ok("<a/>", "Content-Type: text/xml\r\nETag: \"x\"\r\n"));
        Assert.That(BodyOf(forwarded), Is.EqualTo("a=1"));
        Assert.That(BodyOf(answer), Is.EqualTo("<a/>"));
    }

    [TestCase("{\"name\":1", 400)]
    [TestCase("{\"name\":\"a\",\"name\":\"b\"}", 400)]
    [TestCase("{\"created\":\"x\"}", 400)]
    [TestCase("[]", 400)]
    public async Task ADocumentThatCannotBeTranslatedIsRefused(string body, int status)
    {
        RawClient client = await StartAsync();
        string answer = await AskAsync(client, Post(body));
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} ").And.Not.Contain("accounts").And.Not.Contain("fullName"));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That(record.Reason, Is.EqualTo(EndReason.RequestInvalid));
        // The connection goes on.
        Assert.That((await ForwardAsync(client, Get("/v1/users/1"), Ok(V2))).Answer, Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task AnAnswerThatCannotBeTranslatedIsKeptBack()
    {
        RawClient client = await StartAsync();
        foreach (string body in (string[])["{\"fullName\"", "{\"created\":5}", "[1]"])
        {
            (_, string answer) = await ForwardAsync(client, Get("/v1/users/1"), Ok(body, "Content-Type: application/json\r\nX-Type: t\r\nETag: \"a\"\r\n"));
            Assert.That(answer, Does.StartWith("HTTP/1.1 502 ").And.Contain("Cache-Control: no-store").And.Not.Contain("fullName").And.Not.Contain("ETag").And.Not.Contain("X-Type"));
        }
        _proxy.Log.TakeErrors();
    }

    [Test]
    public async Task ErrorsAreTranslatedByRulesOfTheirOwn()
    {
        RawClient client = await StartAsync();
        (_, string answer) = await ForwardAsync(client, Get("/v1/users/1"), Ok("{\"problem\":{\"title\":\"gone\"}}", "Content-Type: application/problem+json\r\n", "404 Not Found"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 404 "));
        Assert.That(BodyOf(answer), Is.EqualTo("{\"error\":\"gone\"}"));
        (_, answer) = await ForwardAsync(client, Post(V1), Ok("{\"problem\":1}", "Content-Type: application/json\r\n", "400 Bad Request"));
        Assert.That(BodyOf(answer), Is.EqualTo("{\"problem\":1}"), "without rules they pass");
    }

    [Test]
    public async Task AHeadTellsNoLengthOfTheOtherVersion()
    {
        RawClient client = await StartAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v1/users/1", method: "HEAD"), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"a\"\r\nContent-Length: 42\r\n\r\n");
        Assert.That(forwarded, Does.StartWith("HEAD /v2/accounts/1?expand=none "));
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.Contain("ETag: \"a;v1\"").And.Not.Contain("Content-Length"));
        (_, answer) = await ForwardAsync(client, Get("/v1/files/a", method: "HEAD"), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 42\r\n\r\n");
        Assert.That(answer, Does.Contain("Content-Length: 42"), "what is not translated keeps its length");
    }

    [TestCase("If-None-Match: \"a;v1\"", "If-None-Match: \"a\"")]
    [TestCase("If-None-Match: W/\"a;v1\" , \"b,c;v1\"", "If-None-Match: W/\"a\" , \"b,c\"")]
    [TestCase("If-None-Match: \"a\"", "If-None-Match: \"a;v1\"", Description = "a tag of another version is none of ours")]
    [TestCase("If-None-Match: *", "If-None-Match: *")]
    [TestCase("If-Match: \"a;v1\"", "If-Match: \"a\"")]
    [TestCase("If-None-Match: junk, \"a;v1\", \"b", "If-None-Match: junk, \"a\", \"b")]
    public async Task ConditionsAreThoseOfTheDestination(string sent, string expected)
    {
        RawClient client = await StartAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v1/users/1", sent + "\r\n"), "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
        Assert.That(forwarded, Does.Contain($"\r\n{expected}\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 304 ").And.Contain("ETag: \"a;v1\"").And.Not.Contain("Content-Length"));
    }

    [Test]
    public async Task ACacheBehindServesTranslatedAnswersAndConditions()
    {
        RawClient client = await StartAsync(caches: true);
        const string Lines = "Content-Type: application/json\r\nDate: Mon, 02 Jan 2040 03:04:05 GMT\r\nCache-Control: max-age=60\r\nETag: \"a\"\r\n";
        (_, string answer) = await ForwardAsync(client, Get("/v1/users/1"), Ok(V2, Lines));
        Assert.That(BodyOf(answer), Is.EqualTo(V1));
        answer = await AskAsync(client, Get("/v1/users/1"));
        Assert.That(BodyOf(answer), Is.EqualTo(V1), "what is stored is the destination's, and is translated when it is sent");
        Assert.That(answer, Does.Contain("; hit").And.Contain("ETag: \"a;v1\"").And.Contain($"Content-Length: {V1.Length}\r\n"));
        answer = await AskAsync(client, Get("/v1/users/1", "If-None-Match: \"a;v1\"\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 304 ").And.Contain("ETag: \"a;v1\""));
        answer = await AskAsync(client, Get("/v1/users/1", "If-None-Match: \"a\"\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 "));
        answer = await AskAsync(client, Get("/v1/users/1", "Range: bytes=0-3\r\n"));
        Assert.That(BodyOf(answer), Is.EqualTo(V1));
        answer = await AskAsync(client, Get("/v1/users/1", method: "HEAD"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.Not.Contain("Content-Length"));
    }

    [Test]
    public async Task WhatHasNoRulesForContentStreamsBy()
    {
        RawClient client = await StartAsync(c => c with { BodyBytesMax = 1024 });
        string large = new('x', 200_000);
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v1/files/a/b%2Fc", "Range: bytes=0-9\r\nAccept-Encoding: gzip\r\n"), Ok(large, "Content-Type: application/json\r\nETag: \"a\"\r\nAccept-Ranges: bytes\r\n"));
        Assert.That(forwarded, Does.StartWith("GET /v2/blobs/a/b%2Fc HTTP/1.1\r\n").And.Contain("Range: bytes=0-9").And.Contain("Accept-Encoding: gzip"));
        Assert.That(BodyOf(answer), Is.EqualTo(large));
        Assert.That(answer, Does.Contain("ETag: \"a\"\r\n").And.Contain("Accept-Ranges"));
    }

    [Test]
    public async Task WhatTheMapDoesNotHavePassesOrIsRefused()
    {
        RawClient client = await StartAsync();
        (string forwarded, _) = await ForwardAsync(client, Get("/health?a=1"), Ok("ok"));
        Assert.That(forwarded, Does.StartWith("GET /health?a=1 "));
        await _proxy.DisposeAsync();
        client = await StartAsync(map: Map.Replace("\"routes\"", "\"unmatched\": \"refuse\", \"routes\"", StringComparison.Ordinal));
        Assert.That(await AskAsync(client, Get("/health")), Does.StartWith("HTTP/1.1 404 "));
        Assert.That(await AskAsync(client, Get("/v1/users/1", method: "DELETE")), Does.StartWith("HTTP/1.1 404 "));
    }

    [Test]
    public async Task ClientsAreToldThatTheirVersionGoes()
    {
        RawClient client = await StartAsync(c => c with
        {
            Deprecated = new DateTimeOffset(2023, 6, 30, 23, 59, 59, TimeSpan.Zero),
            Sunset = new DateTimeOffset(2024, 6, 30, 23, 59, 59, TimeSpan.Zero),
            DeprecationLink = "https://example.com/why",
            SuccessorLink = "/v2",
        });
        (_, string answer) = await ForwardAsync(client, Get("/v1/users/1"), Ok(V2));
        Assert.That(answer, Does.Contain("Deprecation: @1688169599\r\n").And.Contain("Sunset: Sun, 30 Jun 2024 23:59:59 GMT\r\n")
            .And.Contain("Link: <https://example.com/why>; rel=\"deprecation\"\r\n").And.Contain("Link: </v2>; rel=\"successor-version\"\r\n").And.Not.Contain("rel=\"sunset\""));
    }

    [TestCase("GET", "/v1/users/..%2F..%2Fadmin", "/v2/accounts/..%2F..%2Fadmin")]
    [TestCase("GET", "/v1/users/%C3%A4%20b", "/v2/accounts/%C3%A4%20b")]
    [TestCase("GET", "/v1/x/../users/7", "/v2/accounts/7")]
    [TestCase("GET", "/v1/users/%37", "/v2/accounts/7")]
    public async Task EncodedSegmentsStayWhatTheyAre(string method, string target, string expected)
    {
        RawClient client = await StartAsync();
        (string forwarded, _) = await ForwardAsync(client, Get(target, method: method), Ok(V2));
        Assert.That(forwarded, Does.StartWith($"{method} {expected}?expand=none HTTP/1.1\r\n"));
    }

    [Test]
    public async Task TagsOfAnOperationWhoseAnswersAreNotTranslatedLoseTheirSuffix()
    {
        RawClient client = await StartAsync();
        (string forwarded, _) = await ForwardAsync(client, Get("/v1/files/a", "If-Match: \"a;v1\", \"b\"\r\n"), Ok("ok"));
        Assert.That(forwarded, Does.Contain("\r\nIf-Match: \"a\", \"b\"\r\n"));
    }

    [Test]
    public async Task TheDocumentedExampleHolds()
    {
        string page = Repository.Read("docs/versioning.md");
        string map = page.Split("```jsonc").Single(b => b.Contains("// v1-v2.json", StringComparison.Ordinal)).Split("```")[0];
        string Sample(string start) => page.Split('\n').Single(l => l.StartsWith($"    {{ \"{start}\"", StringComparison.Ordinal)).Trim();
        RawClient client = await StartAsync(map: map);
        (string forwarded, string answer) = await ForwardAsync(client, Get("/v1/users/7?q=x"), Ok(Sample("email")));
        Assert.That(forwarded, Does.StartWith("GET /v2/accounts/7?search=x&expand=none HTTP/1.1\r\n"));
        Assert.That(Compact(BodyOf(answer)), Is.EqualTo(Compact(Sample("mail"))));
    }

    // Members in the order of their names.
    private static string Compact(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return string.Join(',', document.RootElement.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => $"{p.Name}:{p.Value.GetRawText()}"));
    }

    [Test]
    public void MapsWithProblemsAreTold()
    {
        ProxyConfig config = ProxyFixture.Config(_transport, _origin.Address);
        IReadOnlyList<ConfigProblem> Problems(TranslateConfig translate) => ConfigValidator.Validate(config with { Policies = new Dictionary<string, PolicyConfig> { ["v1"] = translate } });
        Assert.That(Problems(new TranslateConfig { Inline = Encoding.UTF8.GetBytes(Map) }), Is.Empty);
        Assert.That(Problems(new TranslateConfig { Inline = "{ \"routes\": [{ \"v1\": \"GET /a/{id}\", \"v2\": \"GET /b\" }] }"u8.ToArray() }).Select(p => p.ToString()),
            Is.EqualTo(new[] { "policies.v1.translate.map.routes[0]: has \"{id}\" in v1 but not in v2; each variable has to be on both sides" }));
        Assert.That(Problems(new TranslateConfig()).Select(p => p.Path), Is.EqualTo(new[] { "policies.v1.translate.map" }));
        Assert.That(Problems(new TranslateConfig { Map = "/nowhere/map.json" }).Select(p => p.Message), Has.One.Contains("does not exist"));
        Assert.That(Problems(new TranslateConfig { Inline = Encoding.UTF8.GetBytes(Map), ETagSuffix = "a\"", Sunset = DateTimeOffset.UnixEpoch, Deprecated = DateTimeOffset.MaxValue, SuccessorLink = "a b" }).Select(p => p.Path),
            Is.EquivalentTo(new[] { "policies.v1.translate.etagSuffix", "policies.v1.translate.sunset", "policies.v1.translate.successorLink" }));
    }
}
