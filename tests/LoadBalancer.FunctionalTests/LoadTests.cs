using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Many connections and many requests: what must not get lost, mixed up or left behind.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[Category("Slow")]
[NonParallelizable]
[CancelAfter(180_000)]
public sealed class LoadTests(TransportKind transport)
{
    private const int Seed = 4711;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task ThousandsOfIdleConnectionsHoldNoBufferAndAreServedAgain()
    {
        const int Connections = 5000;
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        var clients = new RawClient[Connections];
        try
        {
            for (int round = 0; round < 2; round++)
            {
                await Parallel.ForAsync(0, Connections, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Token }, async (i, token) =>
                {
                    clients[i] ??= await proxy.ConnectAsync(token);
                    await clients[i].SendAsync($"GET /id HTTP/1.1\r\nHost: h\r\nX-Id: {round}-{i}\r\n\r\n", token);
                    Assert.That(await clients[i].ReadResponseAsync(token), Does.EndWith($"\r\n\r\n{round}-{i}"));
                });
            }
            for (int i = 0; i < 2 * Connections; i++) await proxy.Completions.NextAsync(Token);
            Assert.That(proxy.Server.Contexts.Sum(context => context.ConnectionCount), Is.EqualTo(Connections));
            Assert.That(await proxy.Server.Contexts[0].LeasedSlabsAsync(Token), Is.Zero);
        }
        finally
        {
            foreach (RawClient? client in clients) client?.Dispose();
        }
    }

    [Test]
    public async Task EachOfAHundredThousandRequestsGetsItsOwnAnswerThoughDestinationsAbort()
    {
        const int Requests = 100_000, Concurrency = 64;
        await using var first = new EchoOrigin(abortShare: 0.01, seed: Seed);
        await using var second = new EchoOrigin(abortShare: 0.01, seed: Seed + 1);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, first.Address, second.Address));
        int next = 0, answered = 0, refused = 0, cut = 0;
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(worker => Task.Run(async () =>
        {
            var random = new Random(Seed + worker);
            RawClient? client = null;
            try
            {
                for (int id; (id = Interlocked.Increment(ref next)) <= Requests;)
                {
                    client ??= await proxy.ConnectAsync(Token);
                    // A body that arrives with its head, one that does not, and none.
                    string body = random.Next(4) != 0 ? "" : string.Concat(Enumerable.Repeat($"{id} ", random.Next(1, random.Next(10) == 0 ? 8000 : 100)));
                    string request = body.Length == 0
                        ? $"GET /id HTTP/1.1\r\nHost: h\r\nX-Id: {id}\r\n\r\n"
                        : $"POST /echo HTTP/1.1\r\nHost: h\r\nX-Id: {id}\r\nContent-Length: {body.Length}\r\n\r\n{body}";
                    string response;
                    try
                    {
                        await client.SendAsync(request, Token);
                        response = await client.ReadResponseAsync(Token);
                    }
                    catch (Exception e) when (e is IOException or SocketException)
                    {
                        Interlocked.Increment(ref cut);
                        client.Dispose();
                        client = null;
                        continue;
                    }
                    if (response.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
                    {
                        if (!response.Contains($"\r\nX-Id: {id}\r\n", StringComparison.Ordinal) || !response.EndsWith($"\r\n\r\n{(body.Length == 0 ? $"{id}" : body)}", StringComparison.Ordinal))
                            Assert.Fail($"seed {Seed}: request {id} was answered with {response[..Math.Min(response.Length, 500)]}");
                        Interlocked.Increment(ref answered);
                    }
                    else
                    {
                        Assert.That(response, Does.StartWith("HTTP/1.1 502 "));
                        Interlocked.Increment(ref refused);
                    }
                    if (!response.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal)) continue;
                    client.Dispose();
                    client = null;
                }
            }
            finally
            {
                client?.Dispose();
            }
        })));
        TestContext.Out.WriteLine($"{answered} answered, {refused} refused, {cut} cut; {first.Aborts + second.Aborts} aborted by the destinations");
        Assert.That(answered + refused + cut, Is.EqualTo(Requests));
        Assert.That(first.Aborts + second.Aborts, Is.GreaterThan(500));
        Assert.That(answered, Is.GreaterThan(Requests * 98 / 100));
        for (int i = 0; i < Requests; i++) await proxy.Completions.NextAsync(Token); // one record each
        Assert.That(proxy.Completions.IsEmpty);
    }
}
