using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Redirects that we answer ourselves (RFC 9110 §10.2.2, §15.4).</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class RedirectTests(TransportKind transport) : ExchangeTests(transport)
{
    private static Func<ProxyConfig, ProxyConfig> To(string to) => Route(new() { Redirect = new() { To = to } });

    [TestCase("/a?b=c", "https://h:80/a?b=c")]
    [TestCase("/x/{query}?a={host}&{path}", "https://h:80/x/%7Bquery%7D?a=%7Bhost%7D&%7Bpath%7D")]
    [TestCase("/a|b[0]?c[]=1|2", "https://h:80/a%7Cb%5B0%5D?c%5B%5D=1%7C2")]
    public async Task PlaceholdersAreReplacedOnceAndTheResultIsAUri(string target, string location)
    {
        string got = await AnsweredAsync($"GET {target} HTTP/1.1\r\nHost: h:80\r\n\r\n", Ok, configure: To("https://{host}{path}{query}"));
        Assert.That(got, Does.StartWith("HTTP/1.1 308 Permanent Redirect\r\n").And.Contains($"\r\nLocation: {location}\r\n"));
    }

    [Test]
    public async Task AnIPv6HostKeepsItsBrackets() =>
        Assert.That(await AnsweredAsync("GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Ok, configure: To("https://{host}{path}")), Does.Contain("\r\nLocation: https://[::1]:80/a\r\n"));

    [TestCase("https://{host}{path}", "HTTP/1.1 400 ")]
    [TestCase("https://fixed{path}", "HTTP/1.1 308 ")]
    public async Task AHostThatNobodyNamedIsNotPutIntoAUri(string to, string expected) =>
        Assert.That(await AnsweredAsync("GET /a HTTP/1.0\r\n\r\n", Ok, configure: To(to)), Does.StartWith(expected));

    [TestCase("OPTIONS *")]
    [TestCase("OPTIONS http://h")]
    public async Task OptionsOfTheWholeServerHasNoPathToAdd(string line) =>
        Assert.That(await AnsweredAsync($"{line} HTTP/1.1\r\nHost: h\r\n\r\n", Ok, configure: To("https://{host}{path}")), Does.Contain("\r\nLocation: https://h\r\n"));
}
