using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

[TestFixture]
[NonParallelizable]
[CancelAfter(60_000)]
public sealed class AllocationTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    /// <summary>Counts on the loop's own thread, so that what the test's client and origin allocate does not show.</summary>
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task KeepAliveRequest_SteadyState_AllocatesNothing()
    {
        Transports.Require(TransportKind.Epoll);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        ListenerConfig listener = config.Listeners["main"] with { Limits = new() { RequestsPerConnectionMax = 0 } };
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener } };
        var meter = new LoopThreadMeter();
        await using var server = new Core.ProxyServer(config, new ErrorLog(), meter);
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        async Task RunAsync(int requests)
        {
            for (int i = 0; i < requests; i++)
            {
                await client.SendAsync("GET /path?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", Token);
                await client.ReadResponseAsync(Token);
            }
        }

        await RunAsync(2_000); // tiered compilation and pools settle
        long before = meter.AllocatedBytes;
        await RunAsync(10_000);
        Assert.That(meter.AllocatedBytes - before, Is.Zero);
    }

    private sealed class LoopThreadMeter : Core.AccessLog.ICompletionObserver
    {
        private long _allocatedBytes;

        internal long AllocatedBytes => Volatile.Read(ref _allocatedBytes);

        public void OnCompleted(Core.AccessLog.CompletionRecord record) => Volatile.Write(ref _allocatedBytes, GC.GetAllocatedBytesForCurrentThread());
    }
}
