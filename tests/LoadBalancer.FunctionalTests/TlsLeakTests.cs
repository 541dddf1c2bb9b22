using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>However a hand-shake ends, nothing of it stays in native memory, which no collector looks after.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[NonParallelizable]
[CancelAfter(120_000)]
public sealed class TlsLeakTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const int Handshakes = 100, WindowsMax = 10;
    private const long BytesLeft = 1000; // of one; an SSL object alone is more than ten times that

    private readonly TestCertificate _server = new("site.test");
    private readonly TestAuthority _authority = new(), _stranger = new("Another root");
    private X509Certificate2 _known = null!, _unknown = null!;
    private byte[] _hello = [];

    [OneTimeSetUp]
    public async Task Prepare()
    {
        _known = _authority.Issue(["client.test"], forClients: true);
        _unknown = _stranger.Issue(["client.test"], forClients: true);
        // A hello as a client says it, to a server that only listens.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using RawClient client = await RawClient.ConnectAsync(listener.LocalEndpoint, Token);
        Task handshake = client.StartTlsAsync("site.test", Token);
        using (Socket accepted = await listener.AcceptSocketAsync(Token))
        {
            byte[] heard = new byte[4096];
            _hello = heard[..await accepted.ReceiveAsync(heard, Token)];
        }
        Assert.That(async () => await handshake, Throws.Exception);
    }

    public void Dispose()
    {
        _server.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
    }

    private delegate Task Ending(TlsLeakTests test, RawClient client, int number);

    private static IEnumerable<TestCaseData> Endings()
    {
        yield return Case("served", async (test, client, _) =>
        {
            await client.StartTlsAsync("site.test", Token, test._known);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
            await client.ReadToEndAsync(Token);
        });
        yield return Case("cut while served", async (_, client, _) =>
        {
            await client.StartTlsAsync("site.test", Token);
            await client.SendAsync("GET / HTTP/1.1\r\nHo", Token);
            client.Reset();
        });
        yield return Case("a stranger's certificate", async (test, client, _) =>
        {
            try
            {
                await client.StartTlsAsync("site.test", Token, test._unknown);
                await client.ReadToEndAsync(Token);
            }
            catch (Exception e) when (e is IOException or AuthenticationException)
            {
                // As it should.
            }
        });
        yield return Case("garbage", async (_, client, _) =>
        {
            await client.SendAsync("\u0016\u0003\u0001\u0000\u0005garbage that is no client hello", Token);
            await client.ReadToEndAsync(Token);
        });
        yield return Case("plain HTTP", async (_, client, _) =>
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadToEndAsync(Token);
        });
        yield return Case("a hello cut short", async (test, client, number) =>
        {
            await client.SendAsync(test._hello.AsMemory(0, 1 + number % (test._hello.Length - 1)), Token);
            if (number % 2 == 0) client.Reset();
            else client.HalfClose();
        });
        yield return Case("a client that leaves after its hello", async (test, client, _) =>
        {
            await client.SendAsync(test._hello, Token);
            await client.ReadAsync(1, Token);
            client.Reset();
        });

        static TestCaseData Case(string name, Ending ending) => new TestCaseData(ending).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Endings))]
    public async Task NothingIsLeftOf(object ending)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("mallinfo2 is glibc's");
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with
        {
            Tls = new() { Certificates = [new() { File = _server.Pem }], ClientCertificates = new() { Ca = _authority.Root, Mode = ClientCertificateMode.Optional } },
        }));
        await RunAsync(proxy, (Ending)ending); // fills what is kept on purpose
        var growth = new List<long>();
        do
        {
            // The compiler takes native memory too, as long as it has methods to make better.
            if (growth.Count == WindowsMax) Assert.Fail($"bytes that a connection left, by window: {string.Join(", ", growth)}");
            long before = NativeBytes();
            await RunAsync(proxy, (Ending)ending);
            growth.Add((NativeBytes() - before) / Handshakes);
        }
        while (growth[^1] >= BytesLeft);
    }

    private async Task RunAsync(ProxyFixture proxy, Ending ending)
    {
        for (int i = 0; i < Handshakes; i++)
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await ending(this, client, i);
            client.Dispose();
            await proxy.Completions.NextAsync(Token);
        }
        while (proxy.Server.Contexts[0].ConnectionCount > 0) await proxy.TurnAsync(Token);
    }

    /// <summary>What native code holds, when the collector has let go of all it can.</summary>
    private static long NativeBytes()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        MallocInfo info = MallInfo();
        return (long)(info.InUse + info.Mapped);
    }

    // mallinfo(3): ten counts.
    [StructLayout(LayoutKind.Sequential)]
    private struct MallocInfo
    {
        internal nuint Arena, FreeChunks, FastChunks, MappedCount, Mapped, MaxUsed, FreeFast, InUse, Free, Trimmable;
    }

    [DllImport("libc", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern MallocInfo MallInfo();
}
