using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Transport.Tests;

[CancelAfter(20_000)]
internal sealed class LoopTests(string transport) : TransportTests(transport)
{
    [Test]
    public async Task Post_FromManyThreads_RunsOnTheLoopInEachThreadsOrder()
    {
        const int Threads = 4, Count = 2000;
        using TransportHost host = NewHost();
        var recorder = new Recorder(host.Loop, Threads, Threads * Count);
        var threads = Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < Count; i++) host.Loop.Post(new Numbered(recorder, thread, i));
        })).ToList();
        threads.ForEach(thread => thread.Start());
        await recorder.Done.Task.WaitAsync(Token);
        threads.ForEach(thread => thread.Join());
        Assert.That(recorder.Faults, Is.Zero);
    }

    [Test]
    public async Task Post_SameItemAgainWhileItExecutes_RunsAgain()
    {
        using TransportHost host = NewHost();
        var repeated = new Repeated(host.Loop, times: 100);
        host.Loop.Post(repeated);
        await repeated.Done.Task.WaitAsync(Token);
    }

    [Test]
    public async Task ExceptionInWorkIsReportedAndTheLoopGoesOn()
    {
        using TransportHost host = NewHost();
        host.Loop.Post(new Throwing());
        Assert.That(await host.On(() => 42), Is.EqualTo(42));
        Assert.That(host.TakeUnhandled(), Has.One.TypeOf<InvalidOperationException>());
    }

    [Test]
    public async Task Timers_InjectedTime_FireOnlyWhenItHasPassed()
    {
        var time = new FakeTimeProvider();
        using TransportHost host = NewHost(time);
        var timer = new Signal();
        await host.On(() => host.Loop.Timers.Set(timer, host.Loop.NowMilliseconds + 1000));
        time.Advance(TimeSpan.FromMilliseconds(950));
        await host.On(() => { });
        Assert.That(timer.Fired.Task.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(100));
        await timer.Fired.Task.WaitAsync(Token);
        Assert.That(await host.On(() => host.Loop.NowMilliseconds), Is.EqualTo(1050));
    }

    [Test]
    public async Task IdleTicks_WhileTheLoopSleeps_Grow()
    {
        var time = new FakeTimeProvider();
        using TransportHost host = NewHost(time);
        await host.On(() => { });
        long before = host.Loop.IdleTicks;
        while (host.Loop.IdleTicks == before) // until it sleeps: nothing wakes it any more
        {
            Token.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(1));
        }
        long asleep = host.Loop.IdleTicks;
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(host.Loop.IdleTicks - asleep, Is.EqualTo(5 * time.TimestampFrequency));
        long awake = await host.On(() =>
        {
            long then = host.Loop.IdleTicks;
            time.Advance(TimeSpan.FromSeconds(5));
            return host.Loop.IdleTicks - then;
        });
        Assert.That(awake, Is.Zero);
        Assert.That(host.Loop.IdleTicks - asleep, Is.EqualTo(5 * time.TimestampFrequency));
    }

    [Test]
    public async Task IdleTicks_WhileTheLoopTurns_NeverGoBackwards()
    {
        using TransportHost host = NewHost();
        var turning = new Repeated(host.Loop, times: 20_000);
        host.Loop.Post(turning);
        for (long last = 0; !turning.Done.Task.IsCompleted;)
        {
            long now = host.Loop.IdleTicks;
            Assert.That(now, Is.GreaterThanOrEqualTo(last));
            last = now;
        }
        await turning.Done.Task.WaitAsync(Token);
    }

    [Test]
    public async Task Timers_InjectedTimeJumpsFar_Fire()
    {
        var time = new FakeTimeProvider();
        using TransportHost host = NewHost(time);
        var timer = new Signal();
        await host.On(() => host.Loop.Timers.Set(timer, host.Loop.NowMilliseconds + 3_600_000));
        time.Advance(TimeSpan.FromMinutes(59));
        await host.On(() => { });
        Assert.That(timer.Fired.Task.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromMinutes(2));
        await timer.Fired.Task.WaitAsync(Token);
    }

    [Test]
    public async Task Timers_SystemTime_WakeASleepingLoop()
    {
        using TransportHost host = NewHost();
        var timer = new Signal();
        long start = Environment.TickCount64;
        await host.On(() => host.Loop.Timers.Set(timer, host.Loop.NowMilliseconds + 120));
        await timer.Fired.Task.WaitAsync(Token);
        Assert.That(Environment.TickCount64 - start, Is.GreaterThanOrEqualTo(100));
    }

    [Test]
    public async Task StopAbortsConnections()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        (Socket idle, TransportConnection _) = await host.PairAsync(Token);
        Task<ReadResult> reading = host.On(async () =>
        {
            ReadResult read = await server.Input.ReadAsync();
            server.Close();
            return read;
        });
        await host.On(() => { });
        host.Stop();
        Assert.That((await reading).IsCompleted);
        Assert.That(server.Fault, Is.EqualTo(TransportFault.Aborted));
        foreach (Socket socket in new[] { client, idle })
        {
            SocketException? e = Assert.ThrowsAsync<SocketException>(() => socket.ReceiveToEndAsync(Token));
            Assert.That(e!.SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
            socket.Dispose();
        }
    }

    [Test]
    [NonParallelizable]
    public async Task Echo_SteadyState_AllocatesNothing()
    {
        const int Warm = 2000, Measured = 2000;
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task<long> serving = host.On(async () =>
        {
            long before = 0;
            for (int i = 0; i < Warm + Measured; i++)
            {
                if (i == Warm) before = GC.GetAllocatedBytesForCurrentThread();
                ReadResult read = await server.Input.ReadAsync();
                await server.Output.WriteAsync(read.Buffer.First);
                server.Input.AdvanceTo(read.Buffer.End);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        var clientThread = Task.Run(() =>
        {
            byte[] buffer = new byte[64];
            for (int i = 0; i < Warm + Measured; i++)
            {
                client.Send("0123456789"u8);
                for (int at = 0; at < 10;) at += client.Receive(buffer);
            }
        });
        Assert.That(await serving, Is.LessThan(Measured)); // not even a byte a message: what a tier-up or a list's growth costs once
        await clientThread;
    }

    private sealed class Signal : LoopTimer
    {
        internal readonly TaskCompletionSource Fired = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void OnTimeout() => Fired.TrySetResult();
    }

    // A descriptor's number is used again at once: a wake-up sent to that of a loop that has ended would be data in the midst of somebody's stream.
    [Test, NonParallelizable]
    public async Task Post_AfterStop_WritesIntoNoDescriptor()
    {
        const int Pairs = 32;
        TransportHost host = NewHost();
        host.Stop();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(Pairs);
        var sockets = new List<Socket>();
        for (int i = 0; i < Pairs; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(socket);
            await socket.ConnectAsync(listener.LocalEndPoint!, Token);
            sockets.Add(await listener.AcceptAsync(Token));
        }
        host.Loop.Post(new Throwing());
        Assert.That(sockets.Select(socket => socket.Available), Is.All.Zero);
        sockets.ForEach(socket => socket.Dispose());
        host.Dispose();
    }

    private sealed class Throwing : LoopWork
    {
        protected internal override void Execute() => throw new InvalidOperationException("on purpose");
    }

    private sealed class Repeated(TransportLoop loop, int times) : LoopWork
    {
        internal readonly TaskCompletionSource Done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = times;

        protected internal override void Execute()
        {
            if (--_left == 0) Done.SetResult();
            else loop.Post(this);
        }
    }

    private sealed class Recorder(TransportLoop loop, int threads, int total)
    {
        internal readonly TaskCompletionSource Done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        internal int Faults;
        private readonly int[] _next = new int[threads];
        private int _count;

        internal void Record(int thread, int number)
        {
            if (!loop.IsCurrent || _next[thread]++ != number) Faults++;
            if (++_count == total) Done.SetResult();
        }
    }

    private sealed class Numbered(Recorder recorder, int thread, int number) : LoopWork
    {
        protected internal override void Execute() => recorder.Record(thread, number);
    }
}
