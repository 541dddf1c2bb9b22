using System.Net;
using LoadBalancer.Samples;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>samples/BalancedHttpClient: the balancing library under a plain <see cref="HttpClient"/>.</summary>
[TestFixture]
public sealed class BalancedHttpClientSampleTests
{
    [Test, CancelAfter(30_000)]
    public async Task RequestsAreSpreadAndAServerThatFailsIsLeftAlone(CancellationToken cancellationToken)
    {
        const int Requests = 200;
        int well = 0, sick = 0;
        await using ScriptedOrigin one = Origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", () => well++);
        await using ScriptedOrigin two = Origin("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", () => sick++);
        using var client = new HttpClient(new BalancingHandler(new Uri($"http://{one.Address}"), new Uri($"http://{two.Address}")));
        for (int i = 0; i < Requests; i++)
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri("http://balanced/"), cancellationToken);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK).Or.EqualTo(HttpStatusCode.InternalServerError));
        }
        Assert.That(well + sick, Is.EqualTo(Requests));
        Assert.That(sick, Is.LessThan(Requests / 10));
    }

    [Test]
    public void WithNoServerThereTheRequestFailsAndIsCompleted()
    {
        using var client = new HttpClient(new BalancingHandler(new Uri("http://127.0.0.1:1")));
        for (int i = 0; i < 20; i++) Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://balanced/")));
    }

    private static ScriptedOrigin Origin(string answer, Action count) => new(async (connection, _, token) =>
    {
        while (true)
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            count();
            await connection.SendAsync(answer, token);
        }
    });
}
