using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Through the programs that users have: curl and wrk in front, nginx behind.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class SystemProgramTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task CurlUploadsAndDownloads()
    {
        string curl = SystemProgram.Require("curl");
        await using ScriptedOrigin origin = Origins.EchoingBody();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Origins.Pattern(2_000_000), Token);
        (int exit, string output) = await SystemProgram.RunAsync(curl, Token, "-s", "-S", "--data-binary", "@" + file, $"http://{proxy.EndPoint}/");
        Assert.That(exit, Is.Zero, output);
        Assert.That(output == Origins.Pattern(2_000_000), Is.True);
        File.Delete(file);
    }

    [Test]
    public async Task NginxBehindAndWrkInFrontLoseNothing()
    {
        string nginx = SystemProgram.Require("nginx"), wrk = SystemProgram.Require("wrk"), curl = SystemProgram.Require("curl");
        string folder = Directory.CreateTempSubdirectory("lb-nginx").FullName;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101); // the worker is another user
        int port = FreePort();
        await File.WriteAllTextAsync(folder + "/index.html", Origins.Pattern(20_000), Token);
        await File.WriteAllTextAsync(folder + "/nginx.conf", $$"""
            daemon off; worker_processes 1; pid {{folder}}/pid; error_log stderr crit; events { worker_connections 1000; }
            http { access_log off; client_body_temp_path {{folder}}/b; proxy_temp_path {{folder}}/p; fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
              server { listen 127.0.0.1:{{port}}; root {{folder}}; } }
            """, Token);
        using Process server = Process.Start(new ProcessStartInfo(nginx, ["-p", folder, "-e", "stderr", "-c", folder + "/nginx.conf"]) { RedirectStandardError = true })!;
        try
        {
            await WaitForAsync(port, server);
            await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, $"127.0.0.1:{port}"));
            (int exit, string output) = await SystemProgram.RunAsync(curl, Token, "-s", "-S", "-H", "Range: bytes=5-14", $"http://{proxy.EndPoint}/index.html");
            Assert.That((exit, output), Is.EqualTo((0, Origins.Pattern(20_000)[5..15])));
            (exit, output) = await SystemProgram.RunAsync(wrk, Token, "-t1", "-c50", "-d2s", $"http://{proxy.EndPoint}/index.html");
            Assert.That(exit, Is.Zero, output);
            Assert.That(output, Does.Contain("requests in").And.Not.Contain("Non-2xx").And.Not.Contain("Socket errors"));
            while (!proxy.Completions.IsEmpty)
                Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed).Or.EqualTo(EndReason.ClientAborted)); // wrk leaves without waiting
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(Token);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    // nginx says nothing when it is ready: connecting is the only way to know.
    private static async Task WaitForAsync(int port, Process server)
    {
        while (true)
        {
            Assert.That(server.HasExited, Is.False, "nginx ended");
            try
            {
                using RawClient probe = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Yield();
            }
        }
    }
}
