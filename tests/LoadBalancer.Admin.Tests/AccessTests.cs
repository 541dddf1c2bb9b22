using System.Diagnostics;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>Who is let in, and what for.</summary>
[CancelAfter(30_000)]
public sealed class AccessTests
{
    private const string Token = "0123456789abcdef";
    private const string Right = $"Authorization: Bearer {Token}\r\n";
    private static readonly AdminConfig Tcp = new() { Address = "127.0.0.1:0", Token = Token };

    [TestCase("")]
    [TestCase("Authorization: Bearer 0123456789abcdeF\r\n")]
    [TestCase("Authorization: Bearer 0123456789abcdef0\r\n")]
    [TestCase("Authorization: Bearer\r\n")]
    [TestCase("Authorization: Basic 0123456789abcdef\r\n")]
    [TestCase(Right + Right, Description = "one too many")]
    public async Task WithoutTheTokenNothingIsShown(string fields)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, admin: Tcp);
        foreach (string path in new[] { "/clusters", "/live", "/nothing" })
        {
            Answer answer = await lb.SendAsync("GET", path, fields: fields);
            Assert.That(answer.Status, Is.EqualTo(401));
            Assert.That(answer.Head, Does.Contain("\r\nWWW-Authenticate: Bearer realm=\"lb admin\"\r\n"));
        }
        Assert.That((await lb.SendAsync("GET", "/clusters", fields: Right)).Status, Is.EqualTo(200));
        Assert.That(lb.Proxy.Log.Errors, Is.Empty);
    }

    [Test]
    public async Task AnAddressThatIsWrongTooOftenIsNotLookedAtForAMinute()
    {
        var time = new FakeTimeProvider();
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, time, Tcp);
        for (int i = 0; i < 10; i++) Assert.That((await lb.SendAsync("GET", "/live")).Status, Is.EqualTo(401));
        Answer refused = await lb.SendAsync("GET", "/live", fields: Right);
        Assert.That(refused.Status, Is.EqualTo(429));
        Assert.That(refused.Head, Does.Contain("\r\nRetry-After: 60\r\n"));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.That((await lb.SendAsync("GET", "/live", fields: Right)).Status, Is.EqualTo(200));
    }

    [TestCase("http://evil.example", 403)]
    [TestCase("null", 403)]
    [TestCase("http://lb", 200)]
    public async Task PagesOfOtherSitesAreRefused(string origin, int status)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        Assert.That((await lb.SendAsync("GET", "/clusters", fields: $"Origin: {origin}\r\n")).Status, Is.EqualTo(status));
    }

    [TestCase("cross-site", "no-cors", 403)]
    [TestCase("same-site", "cors", 403)]
    [TestCase("same-origin", "cors", 200)]
    [TestCase("none", "navigate", 200)]
    [TestCase("cross-site", "navigate", 200, Description = "a link to the page that somebody follows")]
    public async Task WhatABrowserSaysOfAnotherSiteIsHeeded(string site, string mode, int status)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        Assert.That((await lb.SendAsync("GET", "/clusters", fields: $"Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\n")).Status, Is.EqualTo(status));
    }

    // DNS rebinding: to the browser the page and the listener are of one origin.
    [TestCase("evil.example", 421)]
    [TestCase("evil.example:9900", 421)]
    [TestCase("127.0.0.1.evil.example:9900", 421)]
    [TestCase("lb", 200)]
    [TestCase("localhost:9900", 200)]
    [TestCase("127.0.0.1:9900", 200)]
    [TestCase("[::1]:9900", 200)]
    public async Task WithoutATokenANameOfSomebodyElseIsRefused(string host, int status)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        using RawClient client = await lb.ConnectAsync();
        await client.SendAsync($"GET /clusters HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\r\n", TestContext.CurrentContext.CancellationToken);
        Assert.That(Answer.Parse(await client.ReadToEndAsync(TestContext.CurrentContext.CancellationToken)).Status, Is.EqualTo(status));
    }

    [Test]
    public async Task ThePageNeedsNoTokenAndItsDataDoes()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, admin: Tcp);
        Answer page = await lb.SendAsync("GET", "/");
        Assert.That(page.Status, Is.EqualTo(200));
        Assert.That(page.Head, Does.Match("Content-Security-Policy: default-src 'none'; style-src 'sha256-[^ ']+'; script-src 'sha256-[^ ']+'; connect-src 'self';"));
        Assert.That(page.Body, Does.Not.Contain("127.0.0.1"), "it tells nothing of the server");
        Assert.That((await lb.SendAsync("GET", "/dashboard.json")).Status, Is.EqualTo(401));
        Assert.That((await lb.SendAsync("GET", "/dashboard.json", fields: Right)).Status, Is.EqualTo(200));
        Answer drained = await lb.SendAsync("POST", "/clusters/closed/destinations/fixed:drain", fields: Right);
        Assert.That(drained.Status, Is.EqualTo(200));
        Assert.That(lb.Proxy.Server.Events.Since(1).Single().Actor, Does.StartWith("token from 127.0.0.1:"));
    }

    [TestCase("DELETE", "/clusters", "GET, HEAD, OPTIONS")]
    [TestCase("PATCH", "/clusters/app/destinations/a", "GET, HEAD, PUT, DELETE, OPTIONS")]
    [TestCase("GET", "/clusters/app/destinations/a:drain", "POST, OPTIONS")]
    [TestCase("PUT", "/clusters/app/destinations/a:enable", "POST, OPTIONS")]
    [TestCase("TRACE", "/live", "GET, HEAD, OPTIONS")]
    [TestCase("get", "/live", "GET, HEAD, OPTIONS")]
    public async Task OtherMethodsAreToldWhichThereAre(string method, string path, string allowed)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        Answer refused = await lb.SendAsync(method, path), options = await lb.SendAsync("OPTIONS", path);
        Assert.That((refused.Status, options.Status), Is.EqualTo((405, 204)));
        Assert.That(refused.Head, Does.Contain($"\r\nAllow: {allowed}\r\n"));
        Assert.That(options.Head, Does.Contain($"\r\nAllow: {allowed}\r\n").And.Not.Contain("Content-Length"));
    }

    [Test]
    public async Task TheSocketIsForItsOwnerAndItsUserStandsInTheLog()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(lb.EndPoint.ToString()!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        await lb.SendAsync("PUT", "/clusters/app/destinations/a", """{"address": "127.0.0.1:1"}""");
        string line;
        do line = await lb.Proxy.Log.NextAsync(TestContext.CurrentContext.CancellationToken);
        while (!line.Contains("was registered", StringComparison.Ordinal));
        Assert.That(line, Does.Match("^cluster app: destination a at 127.0.0.1:1 was registered by (user [^ ]+ \\(uid [0-9]+, pid [0-9]+\\)|unix) for 00:00:30$"));
        if (OperatingSystem.IsLinux()) Assert.That(line, Does.Contain("by user "));
    }

    [Test]
    public async Task AnAddressInUseIsFatalWhereItWasAskedFor()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        await using var second = new AdminServer(lb.Proxy.Server, new AdminConfig { Address = $"unix:{lb.EndPoint}" }, lb.Proxy.Log);
        ListenException e = Assert.ThrowsAsync<ListenException>(second.StartAsync)!;
        Assert.That(e.Message, Does.EndWith("the address is in use by another process"));
        Assert.That((await lb.SendAsync("GET", "/live")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task OffIsOffAndTheDefaultIsNeverFatal()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        await using var off = new AdminServer(lb.Proxy.Server, new AdminConfig { Address = AdminConfig.Off }, lb.Proxy.Log);
        await off.StartAsync();
        Assert.That((off.EndPoint, off.Missing), Is.EqualTo(((object?)null, (string?)null)));
        await using var first = new AdminServer(lb.Proxy.Server, new AdminConfig(), lb.Proxy.Log);
        await using var second = new AdminServer(lb.Proxy.Server, new AdminConfig(), lb.Proxy.Log);
        await first.StartAsync();
        await second.StartAsync(); // it is there already, or cannot be made
        Assert.That(second.EndPoint, Is.Null);
        Assert.That(second.Missing, Is.Not.Empty);
    }

    [Test]
    public async Task CurlRegistersAndSees()
    {
        string curl = SystemProgram.Require("curl");
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        CancellationToken token = TestContext.CurrentContext.CancellationToken;
        string[] common = ["-sS", "--fail-with-body", "--unix-socket", lb.EndPoint.ToString()!];
        (int code, string output) = await SystemProgram.RunAsync(curl, token, [.. common, "-X", "PUT", "http://lb/clusters/app/destinations/web-1", "-d", """{"address": "10.0.0.5:8080", "lease": "30s"}"""]);
        Assert.That((code, output), Is.EqualTo((0, output)));
        (code, output) = await SystemProgram.RunAsync(curl, token, [.. common, "http://lb/clusters/app/destinations"]);
        Assert.That((code, output), Is.EqualTo((0, output)));
        Assert.That(output, Does.Contain("\"address\": \"10.0.0.5:8080\""));
        (code, output) = await SystemProgram.RunAsync(curl, token, [.. common, "-X", "DELETE", "http://lb/clusters/app/destinations/web-1"]);
        Assert.That((code, output), Is.EqualTo((0, "")));
        (code, output) = await SystemProgram.RunAsync(curl, token, [.. common, "-X", "PUT", "http://lb/clusters/closed/destinations/web-1", "-d", "{}"]);
        Assert.That(code, Is.EqualTo(22), output);
    }

    [Test]
    public async Task TheScriptOfTheDocumentRegistersAndRemovesItself()
    {
        SystemProgram.Require("curl");
        string bash = SystemProgram.Require("bash");
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        string script = Repository.Read("docs/admin.md").Split("```sh\n")[1].Split("```")[0].Replace("/run/lb/admin.sock", lb.EndPoint.ToString(), StringComparison.Ordinal);
        using Process process = Process.Start(new ProcessStartInfo(bash, ["-c", $"hostname() {{ echo web-1; }}\n{script}"]))!;
        CancellationToken token = TestContext.CurrentContext.CancellationToken;
        Assert.That(await lb.Proxy.Log.NextAsync(token), Does.StartWith("cluster app: destination web-1 at 10.0.0.5:8080 was registered by "));
        await SystemProgram.RunAsync(SystemProgram.Require("kill"), token, $"{process.Id}");
        Assert.That(await lb.Proxy.Log.NextAsync(token), Does.StartWith("cluster app: destination web-1 was removed by "));
        await process.WaitForExitAsync(token);
    }
}
