using System.IO.Pipelines;
using System.Net;
using System.Runtime.InteropServices;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Transport.Tests;

/// <summary>The child process: an echo server that takes its own descriptors away when told to.</summary>
internal static partial class Program
{
    private const int RLimitNoFile = 7; // Linux

    private static int Main(string[] args)
    {
        if (args is not ["descriptors", var transport]) return 2;
        TransportFactory factory = TransportHost.Factories.Single(factory => factory.Name == transport);
        TransportLoop loop = factory.CreateLoop(0, TimeProvider.System);
        TransportListener listener = factory.Bind(TransportHost.Options(), 1);
        loop.UnhandledException = e => Environment.FailFast(e.ToString());
        loop.Start();
        loop.Post(new Begin(loop, listener));
        Console.Out.WriteLine($"port {((IPEndPoint)listener.LocalEndPoint).Port}");
        Console.In.ReadLine();

        int highest = Directory.GetFiles("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path)));
        var limit = new ResourceLimit { Soft = (ulong)highest + 1, Hard = (ulong)highest + 1 };
        if (SetResourceLimit(RLimitNoFile, limit) != 0) return 3;
        var holes = new List<FileStream>();
        try
        {
            while (true) holes.Add(File.OpenRead("/dev/null"));
        }
        catch (IOException)
        {
        }
        Console.Out.WriteLine("limited");
        Console.In.ReadLine(); // until the test ends us
        GC.KeepAlive(holes);
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    private struct ResourceLimit
    {
        internal ulong Soft, Hard;
    }

    private sealed class Begin(TransportLoop loop, TransportListener listener) : LoopWork, IConnectionHandler
    {
        protected internal override void Execute()
        {
            loop.StartAccepting(listener, this);
            new Watch(loop, listener).OnTimeout();
        }

        public void OnAccepted(TransportConnection connection) => _ = EchoAsync(connection);

        private static async Task EchoAsync(TransportConnection connection)
        {
            while (true)
            {
                ReadResult read = await connection.Input.ReadAsync();
                if (!read.Buffer.IsEmpty) await connection.Output.WriteAsync(read.Buffer.First);
                connection.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
            connection.Close();
        }
    }

    private sealed class Watch(TransportLoop loop, TransportListener listener) : LoopTimer
    {
        protected internal override void OnTimeout()
        {
            if (Interlocked.Read(ref listener.AcceptErrorCount) > 0) Console.Out.WriteLine("accept failed");
            else loop.Timers.Set(this, loop.NowMilliseconds + 50);
        }
    }
}
