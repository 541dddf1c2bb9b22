using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Caching;

/// <summary>What is answered from the cache, and what the destination is asked.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class CacheTests(TransportKind transport) : CacheFixture(transport)
{
    [Test]
    public async Task AHitIsAnsweredWithoutTheDestination()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/a?x=1"), Fresh);
        Assert.That(forwarded, Does.StartWith("GET /a?x=1 HTTP/1.1\r\n"));
        Assert.That(answer, Does.EndWith("\r\n\r\nfirst").And.Not.Contain("\r\nAge:"));
        Assert.That(StatusOf(answer), Is.EqualTo("lb; fwd=uri-miss; ttl=60; stored"));
        Assert.That(await RecordAsync(), Is.EqualTo((CacheOutcome.Miss, EndReason.Completed, 200)));

        Time.Advance(TimeSpan.FromSeconds(10));
        string hit = await AskAsync(client, Get("/a?x=1"));
        Assert.That(hit, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\nfirst"));
        Assert.That(hit, Does.Contain("\r\nAge: 10\r\n").And.Contain("\r\nETag: \"v1\"\r\n").And.Contain("\r\nContent-Length: 5\r\n").And.Contain("\r\nVia: 1.1 lb\r\n").And.Contain("\r\nDate: Mon, 02 Jan 2040 03:04:05 GMT\r\n"));
        Assert.That(StatusOf(hit), Is.EqualTo("lb; hit; ttl=50"));
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That((record.Cache, record.Reason, record.Status, record.Destination, record.ResponseBytes, record.Attempts), Is.EqualTo((CacheOutcome.Hit, EndReason.Cached, 200, (string?)null, 5L, 0)));
        Assert.That(Origin.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task AnotherResourceIsAnotherAnswer()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Assert.That((await ForwardAsync(client, Get("/A"), Second)).Answer, Does.EndWith("second"));
        Assert.That((await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: other\r\n\r\n", Second)).Answer, Does.EndWith("second"));
        Assert.That(await AskAsync(client, "GET /x/../%61 HTTP/1.1\r\nHost: H:80\r\n\r\n"), Does.EndWith("first"), "the path that is forwarded, and the host as RFC 9110 §4.2.3 compares it");
    }

    [Test]
    public async Task WhatIsStaleIsRevalidated()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromSeconds(61));
        client = await ConnectAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/a"), "HTTP/1.1 304 Not Modified\r\nDate: Mon, 02 Jan 2040 03:05:06 GMT\r\nCache-Control: max-age=100\r\nETag: \"v1\"\r\nX-New: 1\r\n\r\n");
        Assert.That(forwarded, Does.Contain("\r\nIf-None-Match: \"v1\"\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\nfirst").And.Contain("\r\nX-New: 1\r\n").And.Contain("\r\nAge: 0\r\n"));
        Assert.That(StatusOf(answer), Is.EqualTo("lb; fwd=stale; fwd-status=304; ttl=100; stored"));
        await RecordAsync();
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That((record.Cache, record.Reason, record.Status, record.Destination), Is.EqualTo((CacheOutcome.Revalidated, EndReason.Cached, 200, "d0")));
        Time.Advance(TimeSpan.FromSeconds(99));
        Assert.That(await AskAsync(await ConnectAsync(), Get("/a")), Does.EndWith("first").And.Contain("\r\nX-New: 1\r\n"));
    }

    [Test]
    public async Task WhatHasChangedTakesThePlaceOfWhatIsStale()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.That((await ForwardAsync(client, Get("/a"), Second.Replace("03:04:05", "03:05:06", StringComparison.Ordinal))).Answer, Does.EndWith("second"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("second"));
        Assert.That(Proxy.Server.Snapshot.Stores[0].Memory.GetStatistics().Objects, Is.EqualTo(1));
    }

    [Test]
    public async Task AClientThatHasItIsToldSo()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/a", "If-None-Match: \"v1\"\r\nIf-Modified-Since: Mon, 02 Jan 2040 03:04:05 GMT\r\n"), Fresh);
        Assert.That(forwarded, Does.Not.Contain("If-"), "the answer is for the store");
        Assert.That(answer, Does.StartWith("HTTP/1.1 304 Not Modified\r\n").And.Not.Contain("Content-"));
        Assert.That((await Proxy.Completions.NextAsync(Token)) is { Status: 304, ResponseBytes: 0, Reason: EndReason.Completed, Cache: CacheOutcome.Miss });
        string hit = await AskAsync(client, Get("/a", "If-None-Match: \"v0\", W/\"v1\"\r\n"));
        Assert.That(hit, Does.StartWith("HTTP/1.1 304 Not Modified\r\n").And.Contain("\r\nETag: \"v1\"\r\n").And.Not.Contain("Content-"));
        Assert.That(await AskAsync(client, Get("/a", "If-None-Match: \"v0\"\r\n")), Does.EndWith("first"));
        Assert.That(Origin.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task AHeadIsAnsweredFromAGet()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        string head = await AskAsync(client, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.That(head, Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contain("\r\nContent-Length: 5\r\n").And.EndWith("\r\n\r\n"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("\r\n\r\nfirst"), "nothing of a body stands in the way");
        // One that is not stored is forwarded, and brings nothing for the store.
        Assert.That((await ForwardAsync(client, "HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\n")).Forwarded, Does.StartWith("HEAD /b "));
        await ForwardAsync(client, Get("/b"), Fresh);
    }

    [TestCase("bytes=1-3", "206 Partial Content", "bytes 1-3/5", "irs")]
    [TestCase("bytes=3-", "206 Partial Content", "bytes 3-4/5", "st")]
    [TestCase("bytes=-2", "206 Partial Content", "bytes 3-4/5", "st")]
    [TestCase("bytes=9-", "416 Range Not Satisfiable", "bytes */5", "")]
    [TestCase("bytes=0-1,3-4", "200 OK", null, "first")]
    [TestCase("lines=1-2", "200 OK", null, "first")]
    public async Task APartIsCutOfTheWhole(string range, string status, string? contentRange, string body)
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        string answer = await AskAsync(client, Get("/a", $"Range: {range}\r\n"));
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status}\r\n").And.Contain($"\r\nContent-Length: {body.Length}\r\n").And.EndWith($"\r\n\r\n{body}"));
        Assert.That(answer.Contains("Content-Range", StringComparison.Ordinal), Is.EqualTo(contentRange is not null));
        if (contentRange is not null) Assert.That(answer, Does.Contain($"\r\nContent-Range: {contentRange}\r\n"));
        Assert.That(await AskAsync(client, Get("/a", $"Range: bytes=0-0\r\nIf-Range: \"other\"\r\n")), Does.EndWith("\r\n\r\nfirst"));
        Assert.That(Origin.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task APartOfWhatIsNotStoredIsTheDestinations()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        (string forwarded, string answer) = await ForwardAsync(client, Get("/a", "Range: bytes=0-1\r\n"), "HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\n\r\nfi");
        Assert.That(forwarded, Does.Contain("\r\nRange: bytes=0-1\r\n"));
        Assert.That(answer, Does.EndWith("\r\n\r\nfi"));
        Assert.That((await ForwardAsync(client, Get("/a"), Fresh)).Answer, Does.EndWith("first"), "a part is not stored");
    }

    [Test]
    public async Task VariantsAreToldApart()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string gzip = Fresh.Replace("first", "zippd", StringComparison.Ordinal).Replace("\r\nETag", "\r\nVary: Accept-Encoding\r\nETag", StringComparison.Ordinal), plain = Fresh.Replace("\r\nETag", "\r\nVary: accept-encoding\r\nETag", StringComparison.Ordinal);
        await ForwardAsync(client, Get("/a", "Accept-Encoding: gzip\r\n"), gzip);
        Assert.That(StatusOf((await ForwardAsync(client, Get("/a"), plain)).Answer), Does.StartWith("lb; fwd=vary-miss;"));
        Assert.That(await AskAsync(client, Get("/a", "Accept-Encoding:   gzip\r\n")), Does.EndWith("zippd"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
        Assert.That(Origin.Requests, Is.EqualTo(2));
    }

    [TestCase("Cache-Control: no-store", "NoStore")]
    [TestCase("Cache-Control: private", "Private")]
    [TestCase("Cache-Control: max-age=60\r\nSet-Cookie: a=b", "SetCookie")]
    [TestCase("Cache-Control: max-age=60\r\nVary: *", "VaryAny")]
    [TestCase("X-Nothing: 1", "NoLifetime")]
    public async Task WhatMayNotBeStoredIsAskedForEachTime(string lines, string verdict)
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string answer = $"HTTP/1.1 200 OK\r\n{lines}\r\nContent-Length: 2\r\n\r\nok";
        for (int i = 0; i < 2; i++)
        {
            string got = (await ForwardAsync(client, Get("/a"), answer)).Answer;
            Assert.That(got, Does.EndWith("\r\n\r\nok").And.Contain($"\r\n{lines}\r\n"));
            Assert.That(StatusOf(got), Is.EqualTo($"lb; fwd=uri-miss; detail={verdict}"));
        }
    }

    [Test]
    public async Task ARequestMayWantNoneOfIt()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        Assert.That(await AskAsync(client, Get("/a", "Cache-Control: only-if-cached\r\n")), Does.StartWith("HTTP/1.1 504 "));
        Assert.That((await RecordAsync()).Reason, Is.EqualTo(EndReason.NotCached));
        await ForwardAsync(client, Get("/a", "Cache-Control: no-store\r\n"), Fresh);
        await ForwardAsync(client, Get("/a"), Fresh);
        Assert.That(await AskAsync(client, Get("/a", "Cache-Control: only-if-cached\r\n")), Does.EndWith("first"));
        (string forwarded, string answer) = await ForwardAsync(client, Get("/a", "Cache-Control: no-cache\r\n"), Second);
        Assert.That(forwarded, Does.Contain("\r\nIf-None-Match: \"v1\"\r\n"));
        Assert.That(StatusOf(answer), Does.StartWith("lb; fwd=request;"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("second"));
    }

    [Test]
    public async Task WhatClientsSayMayBeIgnored()
    {
        await StartAsync(new() { ObeysClients = false });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a", "Cache-Control: no-store\r\n"), Fresh);
        Assert.That(await AskAsync(client, Get("/a", "Cache-Control: no-cache, max-age=0\r\nPragma: no-cache\r\n")), Does.EndWith("first"));
    }

    [TestCase("POST", "200 OK", "", true)]
    [TestCase("DELETE", "204 No Content", "", true)]
    [TestCase("PURGE", "302 Found", "", true)]
    [TestCase("POST", "404 Not Found", "", false)]
    [TestCase("OPTIONS", "200 OK", "", false)]
    public async Task WhatIsChangedIsForgotten(string method, string status, string lines, bool isForgotten)
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        string length = status.StartsWith("204", StringComparison.Ordinal) ? "" : "Content-Length: 0\r\n";
        await ForwardAsync(client, $"{method} /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", $"HTTP/1.1 {status}\r\n{lines}{length}\r\n");
        if (isForgotten) Assert.That((await ForwardAsync(client, Get("/a"), Second)).Answer, Does.EndWith("second"));
        else Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
    }

    [Test]
    public async Task WhatAnAnswerNamesIsForgottenToo()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        foreach (string target in new[] { "/items/1", "/items/2", "/items/3" }) await ForwardAsync(client, Get(target), Fresh);
        await ForwardAsync(client, "POST /items/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 201 Created\r\nLocation: http://h/items/1\r\nContent-Location: 2\r\nContent-Length: 0\r\n\r\n");
        await ForwardAsync(client, "POST /items/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 201 Created\r\nLocation: http://other/items/3\r\nContent-Length: 0\r\n\r\n");
        await ForwardAsync(client, Get("/items/1"), Fresh);
        await ForwardAsync(client, Get("/items/2"), Fresh);
        Assert.That(await AskAsync(client, Get("/items/3")), Does.EndWith("first"), "another origin's");
    }

    [TestCase("Content-Length: 9\r\n\r\nfirst")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")]
    [TestCase("\r\nfirst")]
    public async Task AnAnswerThatBreaksOffIsNotStored(string rest)
    {
        await using ScriptedOrigin origin = new(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n{rest}", token);
        });
        await StartAsync();
        Proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = origin.Address } });
        for (int i = 0; i < 2; i++)
        {
            RawClient client = await ConnectAsync();
            await client.SendAsync(Get("/a", "Connection: close\r\n"), Token);
            await client.ReadToEndAsync(Token);
            Assert.That((await Proxy.Completions.NextAsync(Token)).Cache, Is.EqualTo(CacheOutcome.Miss));
        }
    }

    [Test]
    public async Task ChunksAreStoredWhole()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        (_, string answer) = await ForwardAsync(client, Get("/a"), "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nfir\r\n2;x=y\r\nst\r\n0\r\nX-T: 1\r\n\r\n");
        Assert.That(answer, Does.Contain("\r\n\r\nfirst"));
        string hit = await AskAsync(client, Get("/a"));
        Assert.That(hit, Does.Contain("\r\nContent-Length: 5\r\n").And.EndWith("\r\n\r\nfirst").And.Not.Contain("Transfer-Encoding"));
    }

    [Test]
    public async Task WhatIsTooLargePassesUnstored()
    {
        await StartAsync(store: new() { ObjectBytesMax = 1024 });
        RawClient client = await ConnectAsync();
        string large = new('x', 2000), answer = $"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {large.Length}\r\n\r\n{large}";
        string chunked = $"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n{large.Length:x}\r\n{large}\r\n0\r\n\r\n";
        for (int i = 0; i < 2; i++)
        {
            Assert.That((await ForwardAsync(client, Get("/a"), answer)).Answer, Does.EndWith(large).And.Contain("detail=BodyTooLarge"));
            Assert.That((await ForwardAsync(client, Get("/b"), chunked)).Answer, Does.EndWith(large));
        }
    }

    [Test]
    public async Task LargeHitsAreSentPieceByPiece()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string large = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i:D8} ")), answer = $"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n{large.Length:x}\r\n{large}\r\n0\r\n\r\n";
        Assert.That(BodyOf((await ForwardAsync(client, Get("/a"), answer)).Answer), Is.EqualTo(large));
        for (int i = 0; i < 3; i++) Assert.That(BodyOf(await AskAsync(client, Get("/a"))), Is.EqualTo(large));
        Assert.That(BodyOf(await AskAsync(client, Get("/a", "Range: bytes=299997-600000\r\n"))), Is.EqualTo(large[299_997..600_001]));
    }

    [Test]
    public async Task HitsMayComeInARow()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        await client.SendAsync(string.Concat(Enumerable.Repeat(Get("/a"), 50)) + Get("/a", "Connection: close\r\n"), Token);
        for (int i = 0; i < 50; i++) Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("first"));
        Assert.That(await client.ReadToEndAsync(Token), Does.Contain("\r\nConnection: close\r\n").And.EndWith("first"));
    }

    [Test]
    public async Task AClientOfHttp10GetsWhatItUnderstands()
    {
        await StartAsync();
        await ForwardAsync(await ConnectAsync(), Get("/a"), Fresh);
        RawClient client = await ConnectAsync();
        string kept = await AskAsync(client, "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
        Assert.That(kept, Does.Contain("\r\nConnection: keep-alive\r\n").And.EndWith("first"));
        await client.SendAsync("GET /a HTTP/1.0\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.Contain("\r\nConnection: close\r\n").And.EndWith("first"));
    }

    [Test]
    public async Task AnAnswerForOneWhoProvedWhoHeIsIsHisAlone()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string bearer = Get("/a", "Authorization: Bearer t\r\n");
        Assert.That((await ForwardAsync(client, bearer, Fresh)).Answer, Does.Contain("detail=Authorization"));
        await ForwardAsync(client, bearer, Fresh.Replace("max-age", "public, max-age", StringComparison.Ordinal));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
    }

    [Test]
    public async Task TheKeyIsWhatTheRouteSays()
    {
        await StartAsync(new() { Query = CacheKeyQuery.Sorted, QueryIgnored = ["utm_*"], KeyHeaders = ["X-Tenant"], KeyCookies = ["lang"] });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a?b=2&a=1&utm_x=3"), Fresh);
        Assert.That(await AskAsync(client, Get("/a?a=1&utm_y=4&b=2")), Does.EndWith("first"));
        Assert.That((await ForwardAsync(client, Get("/a?a=1&b=2", "X-Tenant: 1\r\n"), Second)).Answer, Does.EndWith("second"));
        Assert.That((await ForwardAsync(client, Get("/a?a=1&b=2", "Cookie: x=y; lang=de\r\n"), Second)).Answer, Does.EndWith("second"));
        Assert.That(await AskAsync(client, Get("/a?a=1&b=2", "Cookie: lang=de\r\n")), Does.EndWith("second"));
        // Every variant by field or cookie is forgotten with the resource.
        await ForwardAsync(client, "DELETE /a?a=1&b=2 HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
        await ForwardAsync(client, Get("/a?a=1&b=2", "Cookie: lang=de\r\n"), Second);
    }

    [Test]
    public async Task TheRouteSaysHowLongWhereTheAnswerDoesNot()
    {
        await StartAsync(new() { Ttl = new Dictionary<string, TimeSpan> { ["200"] = TimeSpan.FromMinutes(1), ["404"] = TimeSpan.FromSeconds(5) }, StatusField = false });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await ForwardAsync(client, Get("/b"), "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
        Time.Advance(TimeSpan.FromSeconds(4));
        Assert.That(await AskAsync(client, Get("/b")), Does.StartWith("HTTP/1.1 404 Not Found\r\n").And.EndWith("no").And.Not.Contain("Cache-Status"));
        Time.Advance(TimeSpan.FromSeconds(2));
        await ForwardAsync(client, Get("/b"), "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("ok").And.Contain("\r\nAge: 6\r\n"));
    }

    // What one client may not have stored is no reason to take it from the others.
    [TestCase("Cache-Control: no-store, max-age=0\r\n")]
    [TestCase("Cache-Control: max-age=0\r\nAuthorization: Bearer t\r\n")]
    public async Task AClientCannotHaveForgottenWhatIsStored(string lines)
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Assert.That((await ForwardAsync(client, Get("/a", lines), "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n\r\n")).Answer, Does.EndWith("first"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
        Assert.That(Origin.Requests, Is.EqualTo(2));
    }

    [TestCase("X-Forwarded-Port: 8443")]
    [TestCase("X-Forwarded-Prefix: /evil")]
    [TestCase("X-Original-URL: /admin")]
    [TestCase("X-Host: evil.test")]
    [TestCase("X-HTTP-Method-Override: POST")]
    public async Task WhatIsNotInTheKeyCannotChangeWhatOthersGet(string line)
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        (_, string answer) = await ForwardAsync(client, Get("/a", line + "\r\n"), Fresh);
        Assert.That(StatusOf(answer), Is.EqualTo("lb; fwd=bypass"));
        await ForwardAsync(client, Get("/a"), Second);
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("second"));
    }

    [Test]
    public async Task TagsAreForTheCache()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string tagged = Fresh.Replace("\r\nETag", "\r\nSurrogate-Key: a b\r\nCache-Tag: c\r\nETag", StringComparison.Ordinal);
        Assert.That((await ForwardAsync(client, Get("/a"), tagged)).Answer, Does.Not.Contain("Surrogate").And.Not.Contain("Cache-Tag"));
        Assert.That(await AskAsync(client, Get("/a")), Does.Not.Contain("Surrogate").And.Not.Contain("Cache-Tag"));
        Assert.That(Proxy.Server.PurgeCache(null, new(null, "b", All: false)), Is.EqualTo(1));
        await ForwardAsync(client, Get("/a"), tagged);
    }
}
