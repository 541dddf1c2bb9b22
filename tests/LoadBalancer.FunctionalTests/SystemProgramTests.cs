using System.Net;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Other people's clients and servers: what we and our own tests might both have misunderstood.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class SystemProgramTests(TransportKind transport)
{
    private string _folder = "";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void MakeFolder()
    {
        Transports.Require(transport);
        _folder = Directory.CreateTempSubdirectory("lb").FullName;
    }

    [TearDown]
    public void RemoveFolder()
    {
        if (_folder.Length > 0) Directory.Delete(_folder, recursive: true);
    }

    [TestCase("/bytes/0", 0)]
    [TestCase("/bytes/1000000", 1_000_000)]
    [TestCase("/chunked/300000", 300_000)]
    [TestCase("/close/300000", 300_000)]
    public async Task CurlDownloads(string path, int size)
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        foreach (string version in new[] { "--http1.1", "--http1.0" })
        {
            (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", version, "-o", $"{_folder}/out", $"http://{proxy.EndPoint}{path}");
            Assert.That(exitCode, Is.Zero, output);
            Assert.That(await File.ReadAllBytesAsync($"{_folder}/out", Token), Is.EqualTo(EchoOrigin.Pattern(size)).AsCollection, version);
        }
    }

    [TestCase("X-A: b")]
    [TestCase("Transfer-Encoding: chunked")]
    [TestCase("Expect: 100-continue")]
    [TestCase("Expect:")]
    public async Task CurlUploads(string field)
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        byte[] body = EchoOrigin.Pattern(2_000_000);
        await File.WriteAllBytesAsync($"{_folder}/in", body, Token);
        // The origin does not answer Expect: curl sends the body after its own time-out.
        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "--expect100-timeout", "0.2", "--data-binary", $"@{_folder}/in", "-H", field,
            "-o", $"{_folder}/out", $"http://{proxy.EndPoint}/echo");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That((await File.ReadAllBytesAsync($"{_folder}/out", Token)).AsSpan().SequenceEqual(body));
    }

    [Test]
    public async Task CurlReusesItsConnection()
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        string url = $"http://{proxy.EndPoint}";
        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
            $"{url}/bytes/5", $"{url}/chunked/5000", $"{url}/close/50");
        Assert.That((exitCode, output), Is.EqualTo((0, "1 0 0 ")));
    }

    [Test]
    public async Task CurlSeesATruncatedBodyAsAnError()
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            string head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\n" + (head.Contains("/chunked", StringComparison.Ordinal) ? "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" : "Content-Length: 100\r\n\r\nhello"), t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        foreach (string path in new[] { "/chunked", "/length" })
        {
            (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", $"http://{proxy.EndPoint}{path}");
            Assert.That(exitCode, Is.AnyOf(18, 56), output); // partial file; failure in receiving
        }
    }

    [Test]
    public async Task NginxServesFilesBehindUs()
    {
        string curl = SystemProgram.Require("curl");
        byte[] file = EchoOrigin.Pattern(3_000_000);
        Directory.CreateDirectory($"{_folder}/www");
        await File.WriteAllBytesAsync($"{_folder}/www/file", file, Token);
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await StartNginxAsync(port, $"root {_folder}/www; gzip on; gzip_types *; gzip_proxied any;");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, $"127.0.0.1:{port}"));
        string url = $"http://{proxy.EndPoint}/file";

        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "-o", $"{_folder}/out", url);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That((await File.ReadAllBytesAsync($"{_folder}/out", Token)).AsSpan().SequenceEqual(file));

        // nginx compresses as it goes: chunked.
        (exitCode, output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "--compressed", "-D", $"{_folder}/head", "-o", $"{_folder}/out", url);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(await File.ReadAllTextAsync($"{_folder}/head", Token), Does.Contain("Transfer-Encoding: chunked"));
        Assert.That((await File.ReadAllBytesAsync($"{_folder}/out", Token)).AsSpan().SequenceEqual(file));

        (exitCode, output) = await SystemProgram.RunAsync(curl, Token, "-sS", "-r", "100-199", "-w", "%{http_code}", "-o", $"{_folder}/out", url);
        Assert.That((exitCode, output), Is.EqualTo((0, "206")));
        Assert.That((await File.ReadAllBytesAsync($"{_folder}/out", Token)).AsSpan().SequenceEqual(file.AsSpan(100, 100)));

        (exitCode, output) = await SystemProgram.RunAsync(curl, Token, "-sS", "-I", url);
        Assert.That(output, Does.Contain("HTTP/1.1 200 OK").And.Contains($"Content-Length: {file.Length}"));
    }

    [Test]
    public async Task NginxForwardsToUs()
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await StartNginxAsync(port,
            "proxy_http_version 1.1; proxy_set_header Connection \"\"; location / { proxy_pass http://lb; }", $"upstream lb {{ server {proxy.EndPoint}; keepalive 4; }}");
        foreach (string path in new[] { "/bytes/200000", "/chunked/200000", "/close/200000" })
        {
            (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "-o", $"{_folder}/out", $"http://127.0.0.1:{port}{path}");
            Assert.That(exitCode, Is.Zero, output);
            Assert.That((await File.ReadAllBytesAsync($"{_folder}/out", Token)).AsSpan().SequenceEqual(EchoOrigin.Pattern(200_000)), path);
        }
    }

    [Test]
    public async Task WrkSeesNoErrors()
    {
        string wrk = SystemProgram.Require("wrk");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        (int exitCode, string output) = await SystemProgram.RunAsync(wrk, Token, "-t1", "-c32", "-d1s", $"http://{proxy.EndPoint}/bytes/1000");
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("Requests/sec").And.Not.Contain("Non-2xx").And.Not.Contain("Socket errors"));
        while (!proxy.Completions.IsEmpty)
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed).Or.EqualTo(EndReason.ClientAborted)); // wrk leaves without waiting
    }

    private Task<RunningProgram> StartNginxAsync(int port, string server, string http = "") => PeerServers.StartNginxAsync(_folder, port, $$"""
        {{http}}
        server { listen 127.0.0.1:{{port}}; {{server}} }
        """, Token);
}
