using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9112 §3.2 and RFC 9110 §4.2, §7.1 to §7.4: which resource is meant, and how it is passed on.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class TargetTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("GET http://real.example:8080/p?q", "GET /p?q HTTP/1.1\r\nHost: real.example:8080\r\n")]
    [TestCase("GET http://real.example", "GET / HTTP/1.1\r\nHost: real.example\r\n")]
    [TestCase("GET http://real.example?q", "GET /?q HTTP/1.1\r\nHost: real.example\r\n")]
    [TestCase("GET HTTP://[::1]:80/", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n")]
    [TestCase("OPTIONS http://real.example", "OPTIONS * HTTP/1.1\r\nHost: real.example\r\n")]
    [TestCase("OPTIONS http://real.example:8001", "OPTIONS * HTTP/1.1\r\nHost: real.example:8001\r\n")]
    [TestCase("OPTIONS http://real.example/", "OPTIONS / HTTP/1.1\r\nHost: real.example\r\n")]
    [TestCase("OPTIONS http://real.example?q", "OPTIONS /?q HTTP/1.1\r\nHost: real.example\r\n")]
    public async Task AnAbsoluteTargetBecomesOriginFormAndHost(string line, string expected) =>
        Assert.That(await ForwardedAsync($"{line} HTTP/1.1\r\nHost: other\r\n\r\n"), Does.StartWith(expected).And.Not.Contains("other"));

    [Test]
    public async Task OptionsOfTheServerAsAWholeIsForwarded() =>
        Assert.That(await ForwardedAsync("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("OPTIONS * HTTP/1.1\r\nHost: h\r\n"));

    [TestCase("GET http:///x")]
    [TestCase("GET http://:80/x")]
    [TestCase("GET https:///x")]
    public async Task AnEmptyHostIsRefused(string line) =>
        Assert.That(await AnsweredAsync($"{line} HTTP/1.1\r\nHost: h\r\n\r\n", Ok), Does.StartWith("HTTP/1.1 400 "));

    [Test]
    public async Task AnHttpsTargetIsMisdirectedOnAConnectionThatIsNotSecured()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 421 Misdirected Request\r\n").And.Contains("\r\nConnection: close\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.BadRequest));
        Assert.That(origin.Connections, Is.Zero);
    }

    [Test]
    public async Task AnHttpsTargetFromATrustedProxyIsForwarded() =>
        Assert.That(await ForwardedAsync("GET https://h/a HTTP/1.1\r\nHost: h\r\n\r\n", configure: Listener(l => l with { TrustedProxies = ["127.0.0.1/32"] })), Does.StartWith("GET /a HTTP/1.1\r\nHost: h\r\n"));

    [Test]
    public async Task ARequestLineOf8000OctetsIsForwarded()
    {
        string target = "/" + new string('a', 8000 - "GET / HTTP/1.1".Length);
        Assert.That(await ForwardedAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith($"GET {target} HTTP/1.1\r\n"));
    }

    [TestCase("/a/../b/%7euser/%2fx?q=/../%7e%2F", "/b/~user/%2Fx?q=/../%7e%2F")]
    [TestCase("//a//b", "//a//b")]
    [TestCase("/a;p=1/b:c@d!$&'()*+,=?", "/a;p=1/b:c@d!$&'()*+,=?")]
    public async Task ThePathIsNormalisedAndTheQueryLeftAlone(string sent, string expected) =>
        Assert.That(await ForwardedAsync($"GET {sent} HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith($"GET {expected} HTTP/1.1\r\n"));

    [TestCase("PROPFIND")]
    [TestCase("get")]
    [TestCase("M-SEARCH")]
    [TestCase("!#$%&'*+-.^_`|~09az")]
    public async Task UnknownMethodsAreForwarded(string method) =>
        Assert.That(await ForwardedAsync($"{method} /a HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith($"{method} /a HTTP/1.1\r\n"));

    [TestCase("CONNECT h", 400)]
    [TestCase("CONNECT h:", 400)]
    [TestCase("CONNECT h:70000", 400)]
    [TestCase("CONNECT h:443", 405)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456 /", 501)]
    public async Task WhatIsNotServedHasItsStatus(string line, int status) =>
        Assert.That(await AnsweredAsync($"{line} HTTP/1.1\r\nHost: h\r\n\r\n", Ok), Does.StartWith($"HTTP/1.1 {status} "));

    [Test]
    public async Task ARequestLineAfterOneEmptyLineIsServed() =>
        Assert.That(await ForwardedAsync("\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("GET /a HTTP/1.1\r\n"));
}
