using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>Whatever comes, it is answered by a refusal or done: never by 500, and never by silence before the client has ended.</summary>
[CancelAfter(60_000)]
public sealed class FuzzTests
{
    private static readonly string[] Samples =
    [
        "GET /clusters/app/destinations/d0 HTTP/1.1\r\nHost: lb\r\n\r\n",
        "POST /clusters/app/destinations/d0:drain HTTP/1.1\r\nHost: lb\r\n\r\n",
        "PUT /clusters/app/destinations/w%31 HTTP/1.1\r\nHost: lb\r\nContent-Length: 63\r\n\r\n{\"address\":\"127.0.0.1:9\",\"weight\":2,\"lease\":\"30s\",\"tier\":[1,2]}",
        "PUT /clusters/app/destinations/w HTTP/1.1\r\nHost: lb\r\nTransfer-Encoding: chunked\r\n\r\n18\r\n{\"address\":\"127.0.0.1:9\"\r\n1\r\n}\r\n0\r\n\r\n",
    ];

    [Test]
    public async Task ChangedRequestsAreRefusedOrDone([Values(1, 2, 3)] int seed)
    {
        CancellationToken token = TestContext.CurrentContext.CancellationToken;
        var random = new Random(seed);
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, destinations: "127.0.0.1:1");
        for (int i = 0; i < 400; i++)
        {
            byte[] request = Change(Encoding.Latin1.GetBytes(Samples[random.Next(Samples.Length)]), random);
            using RawClient client = await lb.ConnectAsync();
            await client.SendAsync(request, token);
            client.HalfClose();
            string answer = await client.ReadToEndAsync(token);
            Assert.That(answer, Does.Not.Contain("HTTP/1.1 500"), $"seed {seed}, request {i}: {Encoding.Latin1.GetString(request)}");
            Assert.That(answer, Is.Empty.Or.StartsWith("HTTP/1.1 "));
        }
        Assert.That((await lb.SendAsync("GET", "/live")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task ChangedBodiesAreRefusedOrTaken([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        for (int i = 0; i < 400; i++)
        {
            byte[] body = Change(Encoding.UTF8.GetBytes("""{"address":"127.0.0.1:9","weight":2,"lease":"30s","tier":1,"requestsMax":5}"""), random);
            using RawClient client = await lb.ConnectAsync();
            await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"PUT /clusters/app/destinations/a HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n"), .. body], TestContext.CurrentContext.CancellationToken);
            Answer answer = Answer.Parse(await client.ReadToEndAsync(TestContext.CurrentContext.CancellationToken));
            Assert.That(answer.Status, Is.AnyOf(200, 201, 400), $"seed {seed}, body {i}: {Encoding.Latin1.GetString(body)}");
            Assert.That(() => answer.Json, Throws.Nothing, answer.Body);
        }
    }

    private static byte[] Change(byte[] sample, Random random)
    {
        List<byte> bytes = [.. sample];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.Insert(at, (byte)random.Next(256)); break;
                case 2: bytes.RemoveAt(at); break;
                default: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count), 1)); break;
            }
        }
        return [.. bytes];
    }
}
