using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ForwardingTests(TransportKind transport)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task GetIsForwardedAndAnsweredOnAKeptConnection()
    {
        var heads = new List<string>();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                heads.Add(await c.ReadUntilAsync("\r\n\r\n", t));
                await c.SendAsync(Ok, t);
            }
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync($"GET /a?b={i} HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 6.6.6.6\r\nKeep-Alive: x\r\nConnection: x-drop\r\nX-Drop: 1\r\n\r\n", Token);
            string response = await client.ReadResponseAsync(Token);
            Assert.That(response, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndsWith("\r\n\r\nok").And.Contains("\r\nDate: ").And.Contains("\r\nVia: 1.1 lb\r\n"));
        }
        Assert.That(origin.Connections, Is.EqualTo(1));
        Assert.That(heads[2], Is.EqualTo(
            "GET /a?b=2 HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\nVia: 1.1 lb\r\n\r\n"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That(completion, Is.EqualTo(new Completion(EndReason.Completed, 200, "GET", "/a?b=0", "all", "d0", 1, false, 0, 2)
        {
            Client = client.LocalEndPoint.ToString()!, RequestId = completion.RequestId, HttpMinorVersion = 1, Balance = "latency-weighted", Policies = completion.Policies, Tries = completion.Tries,
        }));
    }

    [Test]
    public async Task PipelinedRequestsAreAnsweredInOrder()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                string head = await c.ReadUntilAsync("\r\n\r\n", t);
                string path = head.Split(' ')[1];
                await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {path.Length}\r\n\r\n{path}", t);
            }
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(string.Concat(Enumerable.Range(0, 20).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n")), Token);
        for (int i = 0; i < 20; i++) Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n/{i}"));
    }

    [Test]
    public async Task ARequestArrivingByteByByteIsAnswered()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (char c in "GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n") await client.SendAsync(c.ToString(), Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }

    [TestCase(10)]
    [TestCase(200_000)]
    [TestCase(3_000_000)]
    public async Task BodiesWithALengthGoBothWays(int size)
    {
        await using ScriptedOrigin origin = Origins.EchoingBody();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        string body = Origins.Pattern(size);
        for (int i = 0; i < 2; i++)
        {
            Task sending = client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n{body}", Token);
            string response = await client.ReadResponseAsync(Token);
            await sending;
            Assert.That(response.EndsWith("\r\n\r\n" + body, StringComparison.Ordinal), Is.True);
        }
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RequestBytes, completion.ResponseBytes), Is.EqualTo((EndReason.Completed, (long)size, (long)size)));
    }

    [Test]
    public async Task ChunksAndTrailersGoBothWays()
    {
        string? seen = null;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            seen = await c.ReadUntilAsync("\r\n\r\n", t) + await c.ReadUntilAsync("0\r\nX-Sum: 1\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-End: 2\r\nContent-Length: 5\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", Token);
        string response = await client.ReadResponseAsync(Token);
        Assert.That(response, Does.EndWith("\r\n\r\nabcde\nX-End: 2\r\n"));
        Assert.That(seen, Does.EndWith("\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
    }

    [Test]
    public async Task ACloseDelimitedResponseBecomesChunkedForHttp11AndIsClosedForHttp10()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.0 200 OK\r\n\r\nuntil the end", t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using (RawClient client = await proxy.ConnectAsync(Token))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            string response = await client.ReadResponseAsync(Token);
            Assert.That(response, Does.Contain("Transfer-Encoding: chunked\r\n").And.Contains("Via: 1.0 lb\r\n").And.EndsWith("until the end"));
        }
        using (RawClient client = await proxy.ConnectAsync(Token))
        {
            await client.SendAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Token);
            string response = await client.ReadToEndAsync(Token);
            Assert.That(response, Does.Not.Contain("chunked").And.Contains("Connection: close\r\n").And.EndsWith("\r\n\r\nuntil the end"));
            Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
        }
    }

    [Test]
    public async Task ExpectContinueGoesEndToEnd()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            Assert.That(await c.ReadUntilAsync("\r\n\r\n", t), Does.Contain("Expect: 100-continue"));
            await c.SendAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", t);
            await c.ReadAsync(5, t);
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 100 Continue"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"));
        await client.SendAsync("hello", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }

    [Test]
    public async Task AnUpgradedConnectionIsRelayedWithHalfClose()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            Assert.That(await c.ReadUntilAsync("\r\n\r\n", t), Does.Contain("Connection: Upgrade\r\nUpgrade: echo\r\n"));
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi", t);
            string all = await c.ReadToEndAsync(t);
            await c.SendAsync("got " + all, t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c, echo\r\n\r\nearly ", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\nhi", Token), Does.StartWith("HTTP/1.1 101"));
        await client.SendAsync("bytes", Token);
        client.HalfClose();
        Assert.That(await client.ReadToEndAsync(Token), Is.EqualTo("got early bytes"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
    }

    [Test]
    public async Task AKeptConnectionThatTheServerClosedIsRetriedOnAFreshOne()
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            if (number > 1) await c.ReadToEndAsync(t);
            else await c.ReadUntilAsync("\r\n\r\n", t); // the second request is read, and the connection closed in its face
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        }
        await proxy.Completions.NextAsync(Token);
        Assert.That(await proxy.Completions.NextAsync(Token), Has.Property("Attempts").EqualTo(2).And.Property("Reason").EqualTo(EndReason.Completed));
    }

    [Test]
    public async Task APostIsNeverRepeated()
    {
        int requests = 0;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            Interlocked.Increment(ref requests);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502"));
        Assert.That(requests, Is.EqualTo(1));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", EndReason.UpstreamTruncated)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", EndReason.UpstreamTruncated)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", EndReason.BadResponseBody)]
    public async Task ABrokenResponseBodyIsVisiblyBrokenForTheClient(string answer, EndReason reason)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(answer, t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        string got = await client.ReadToEndAsync(Token);
        Assert.That(got, Does.Not.Contain("0\r\n\r\n"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
    }

    [Test]
    public async Task BytesAfterAResponseNeverReachAnotherRequest()
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            while (true)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                await c.SendAsync(Ok + (number == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : ""), t);
            }
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nok"));
        }
    }

    [Test]
    public async Task ARefusedDestinationIsSkippedAndAloneGives502()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        string dead = Origins.ClosedAddress();
        await using (ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, dead, origin.Address)))
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            for (int i = 0; i < 4; i++)
            {
                await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", Token);
                Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200"));
            }
        }
        await using (ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, dead)))
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502"));
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamConnectFailed));
        }
    }

    [Test]
    public async Task RoutesThatAnswerThemselvesAndNoRouteHaveTheirAnswers()
    {
        ProxyConfig config = ProxyFixture.Config(transport, Origins.ClosedAddress()) with
        {
            Routes = new Dictionary<string, RouteConfig>
            {
                ["app"] = new() { Path = "/app", Cluster = "app" },
                ["old"] = new() { Path = "/old/**", Redirect = new() { To = "https://{host}{path}{query}" } },
                ["fixed"] = new() { Path = "/fixed", Respond = new() { Status = 418, Body = "short and stout" } },
            },
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach ((string path, string expected, EndReason reason) in new[]
        {
            ("/none", "HTTP/1.1 404 ", EndReason.NoRoute),
            ("/old/a/../b?c", "Location: https://h/old/b?c\r\n", EndReason.Responded), ("/fixed", "short and stout", EndReason.Responded),
        })
        {
            await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.Contain(expected));
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
        }
    }

    [Test]
    public async Task UnixSocketsWorkOnBothSides()
    {
        string folder = Directory.CreateTempSubdirectory("lb").FullName;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
        }, new System.Net.Sockets.UnixDomainSocketEndPoint(folder + "/origin"));
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = $"unix:{folder}/front" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }

    [Test]
    public async Task StoppingLetsARequestInFlightFinish()
    {
        var arrived = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            arrived.SetResult();
            await go.Task.WaitAsync(t);
            await c.SendAsync(Ok, t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient idle = await proxy.ConnectAsync(Token);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await arrived.Task.WaitAsync(Token);
        Task stopping = proxy.Server.StopAsync(Token);
        Assert.That(await idle.ReadToEndAsync(Token), Is.Empty);
        Assert.That(async () => await proxy.ConnectAsync(Token), Throws.InstanceOf<System.Net.Sockets.SocketException>(), "nobody can connect any more");
        go.SetResult();
        Assert.That(await client.ReadToEndAsync(Token), Does.Contain("Connection: close\r\n").And.EndsWith("ok"));
        await stopping;
    }

    [Test]
    public async Task ASuccessorOnTheSameUnixSocketOutlivesTheDrain()
    {
        var arrived = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            if (number == 1)
            {
                arrived.SetResult();
                await go.Task.WaitAsync(t);
            }
            await c.SendAsync(Ok, t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = $"unix:{Directory.CreateTempSubdirectory("lb").FullName}/front" } } };
        await using ProxyFixture first = await ProxyFixture.StartAsync(config);
        using RawClient idle = await first.ConnectAsync(Token);
        using RawClient client = await first.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await arrived.Task.WaitAsync(Token);
        Task stopping = first.Server.StopAsync(Token);
        await idle.ReadToEndAsync(Token); // the drain has begun, so the address is free

        await using ProxyFixture second = await ProxyFixture.StartAsync(config);
        go.SetResult();
        await client.ReadToEndAsync(Token);
        await stopping;
        using RawClient next = await second.ConnectAsync(Token);
        await next.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await next.ReadResponseAsync(Token), Does.EndWith("ok"));
    }
}
