using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>Runs samples/EmbeddedProxy as its reader would.</summary>
[TestFixture]
public sealed class EmbeddedProxySampleTests
{
    [Test, CancelAfter(60_000)]
    public async Task ARequestThroughTheBalancerReachesTheApplication(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(TestContext.CurrentContext.TestDirectory, "EmbeddedProxy.dll"), "--application", $"127.0.0.1:{FreePort()}", "--balancer", "127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        try
        {
            string? url = null;
            while (url is null && await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
                if (line.StartsWith("balancer: ", StringComparison.Ordinal)) url = line["balancer: ".Length..];
            Assert.That(url, Is.Not.Null, "the sample prints where its balancer is");
            using var client = new HttpClient();
            Assert.That(await client.GetStringAsync(new Uri(url + "/api/hello"), cancellationToken), Is.EqualTo("hello, 127.0.0.1\n"));
            Assert.That(await client.GetStringAsync(new Uri(url + "/health"), cancellationToken), Is.EqualTo("ok\n"));
        }
        finally
        {
            process.Kill();
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
