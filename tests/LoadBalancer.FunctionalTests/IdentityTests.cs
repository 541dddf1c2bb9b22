using System.Globalization;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Many clients, a server that breaks connections at random: an answer is never given to another request.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(120_000)]
public sealed class IdentityTests(TransportKind transport)
{
    private const int Clients = 64, RequestsPerClient = 500;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task EachAnswerCarriesTheIdOfItsRequest()
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            var random = new Random(number);
            while (true)
            {
                string head = await c.ReadUntilAsync("\r\n\r\n", t);
                string id = head.Split(' ')[1][1..];
                string answer = $"HTTP/1.1 200 OK\r\nContent-Length: {id.Length}\r\n\r\n{id}";
                switch (random.Next(40))
                {
                    case 0: c.Reset(); return;
                    case 1: return;
                    case 2: await c.SendAsync(answer[..random.Next(answer.Length)], t); return;
                    case 3: await c.SendAsync(answer + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", t); break;
                    default: await c.SendAsync(answer, t); break;
                }
            }
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        int answered = 0, failed = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            RawClient connection = await proxy.ConnectAsync(Token);
            for (int i = 0; i < RequestsPerClient; i++)
            {
                string id = (client * RequestsPerClient + i).ToString(CultureInfo.InvariantCulture);
                try
                {
                    await connection.SendAsync($"GET /{id} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                    string response = await connection.ReadResponseAsync(Token);
                    if (response.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                    {
                        Assert.That(response, Does.EndWith($"\r\n\r\n{id}"));
                        Interlocked.Increment(ref answered);
                        continue;
                    }
                    Assert.That(response, Does.StartWith("HTTP/1.1 502"));
                }
                catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
                {
                    connection.Dispose();
                    connection = await proxy.ConnectAsync(Token);
                }
                Interlocked.Increment(ref failed);
            }
            connection.Dispose();
        }));
        Assert.That(answered, Is.GreaterThan(Clients * RequestsPerClient * 9 / 10));
        Assert.That(answered + failed, Is.EqualTo(Clients * RequestsPerClient));
    }
}
