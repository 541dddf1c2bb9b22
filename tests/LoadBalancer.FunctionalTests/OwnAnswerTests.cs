using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §6.6.1, §8.3, §15.5.6: what every answer has that comes from us alone.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class OwnAnswerTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("GET /none HTTP/1.1\r\nHost: h\r\n\r\n", 404)]
    [TestCase("GET /moved HTTP/1.1\r\nHost: h\r\n\r\n", 308)]
    [TestCase("GET /fixed HTTP/1.1\r\nHost: h\r\n\r\n", 200)]
    [TestCase("GET / HTTP/1.1\r\n\r\n", 400)]
    [TestCase("GET / HTTP/2.0\r\n\r\n", 505)]
    [TestCase("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 405)]
    [TestCase("OPTIONS /app HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n", 200)]
    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", 502)]
    public async Task OurOwnAnswersHaveDateLengthAndType(string request, int status)
    {
        string got = await AnsweredAsync(request, "nothing like HTTP\r\n", configure: config => config with
        {
            Routes = new Dictionary<string, RouteConfig>
            {
                ["app"] = new() { Path = "/app", Cluster = "app" },
                ["moved"] = new() { Path = "/moved", Redirect = new() { To = "/x" } },
                ["fixed"] = new() { Path = "/fixed", Respond = new() { Body = "hello" } },
            },
        });
        Assert.That(got, Does.StartWith($"HTTP/1.1 {status} ").And.Contains("\r\nDate: ").And.Contains("\r\nContent-Length: "));
        Assert.That(got.Contains("\r\nContent-Type: ", StringComparison.Ordinal), Is.EqualTo(!got.EndsWith("\r\n\r\n", StringComparison.Ordinal)), "a type where there is content");
        Assert.That(got.Contains("\r\nAllow: GET, ", StringComparison.Ordinal), Is.EqualTo(status == 405 || request.StartsWith("OPTIONS", StringComparison.Ordinal)));
    }

    [Test]
    public async Task AFixedAnswerMayBeLongerThanAnyBuffer()
    {
        string body = Origins.Pattern(600_000);
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Ok, configure: Route(new() { Respond = new() { Body = body } }));
        Assert.That(got[^body.Length..], Is.EqualTo(body));
    }
}
