using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>X-Forwarded-* and Forwarded (RFC 7239): what is said of the client, and whose word is believed.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ForwardedTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Claims = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6;proto=https\r\n";

    private static Func<ProxyConfig, ProxyConfig> With(ForwardedConfig forwarded, params string[] trusted) =>
        Listener(l => l with { Forwarded = forwarded, TrustedProxies = trusted });

    [Test]
    public async Task AClientsOwnClaimsAreReplaced()
    {
        string seen = await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h:8080\r\n{Claims}X: y\r\n\r\n", configure: With(new() { Forwarded = true }, "10.0.0.0/8"));
        Assert.That(seen, Is.EqualTo("GET / HTTP/1.1\r\nHost: h:8080\r\nX: y\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h:8080\r\n"
            + "Forwarded: for=127.0.0.1;host=\"h:8080\";proto=http\r\nVia: 1.1 lb\r\n\r\n"));
    }

    [Test]
    public async Task ClaimsAreDroppedAlsoWhereNoneAreMade() =>
        Assert.That(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Claims}\r\n", configure: With(new() { XForwarded = false })),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 lb\r\n\r\n"));

    [TestCase("10.0.0.0/8")]
    [TestCase("127.0.0.0/8")]
    public async Task WhatCgiTakesForAClaimIsNobodys(string trusted)
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nx_forwarded-host: evil\r\nX: y\r\n\r\n",
            configure: With(new(), trusted));
        Assert.That(seen, Is.EqualTo("GET / HTTP/1.1\r\nHost: h\r\nX: y\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nVia: 1.1 lb\r\n\r\n"));
    }

    [Test]
    public async Task ATrustedProxysClaimsAreExtended()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1;proto=https\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Host: real\r\nForwarded: for=\"[2001:db8::2]\"\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n", configure: With(new() { Forwarded = true }, "127.0.0.0/8"));
        Assert.That(seen, Does.Contain("\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: real\r\n"
            + "Forwarded: for=1.1.1.1;proto=https, for=\"[2001:db8::2]\", for=127.0.0.1;host=\"h\";proto=http\r\n"));
        Assert.That(seen.Split("Forwarded-For"), Has.Length.EqualTo(2), "one line only");
    }

    [Test]
    public async Task ATrustedProxyWithoutClaimsIsAPeerLikeAnyOther() =>
        Assert.That(await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", configure: With(new(), "127.0.0.1/32")),
            Does.Contain("\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"));

    [Test]
    public async Task TheSchemeOfATrustedProxysTargetIsTold() =>
        Assert.That(await ForwardedAsync("GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", configure: With(new() { Forwarded = true }, "127.0.0.1/32")),
            Does.Contain("\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\nForwarded: for=127.0.0.1;host=\"h\";proto=https\r\n"));

    [Test]
    public async Task IPv6AddressesAreBracketedAndQuoted()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
            configure: Listener(l => l with { Address = "[::1]:0", Forwarded = new() { Forwarded = true } }));
        Assert.That(seen, Does.Contain("\r\nX-Forwarded-For: ::1\r\n").And.Contains("\r\nForwarded: for=\"[::1]\";host=\"[::1]:80\";proto=http\r\n"));
    }

    [Test]
    public async Task APeerWithoutAddressIsAnObfuscatedIdentifier()
    {
        string path = Directory.CreateTempSubdirectory("lb").FullName + "/front";
        string seen = await ForwardedAsync("GET / HTTP/1.0\r\n\r\n", configure: Listener(l => l with { Address = $"unix:{path}", Forwarded = new() { Forwarded = true, XForwarded = false } }));
        Assert.That(seen, Does.Contain("\r\nForwarded: for=_unix;proto=http\r\n"));
    }
}
