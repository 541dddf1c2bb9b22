using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What a message of a TCP connection costs the loop.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000), NonParallelizable]
public sealed class TcpAllocationTests(TransportKind transport) : TcpFixtureTests(transport)
{
    [Test]
    public async Task AMessage_SteadyState_AllocatesNothing()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true) await c.SendAsync(await c.ReadAsync(10, t), t);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        async Task<long> ExchangeAsync(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                await client.SendAsync("0123456789", Token);
                await client.ReadAsync(10, Token);
            }
            var meter = new Meter();
            proxy.Server.Contexts[0].Loop.Post(meter);
            return await meter.Allocated.Task.WaitAsync(Token);
        }

        long before = await ExchangeAsync(2000), allocated = 0; // tiered compilation settles
        for (int window = 0; window < 3; window++)
        {
            long after = await ExchangeAsync(2000);
            allocated = after - before;
            before = after;
            if (allocated < 2000) break; // the meter's own, not one byte a message
        }
        Assert.That(allocated, Is.LessThan(2000));
        Assert.That(proxy.Server.Contexts[0].Loop.Slabs.Leased, Is.LessThanOrEqualTo(Transport == TransportKind.Epoll ? 0 : 2), "a connection that waits holds no buffer");
    }

    private sealed class Meter : LoopWork
    {
        internal TaskCompletionSource<long> Allocated { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => Allocated.SetResult(GC.GetAllocatedBytesForCurrentThread());
    }
}
