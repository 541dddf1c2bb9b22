using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Transport.Tests;

/// <summary>What runs in the child process.</summary>
internal abstract class ExhaustedServer
{
    internal abstract int Port { get; }

    /// <summary>Carries out a command of the test and answers it with one line.</summary>
    internal abstract string Execute(string command);
}

/// <summary>An echo server on one loop. Its time stands still but for the command "advance", so that back-offs end when the test says so.</summary>
internal sealed class ExhaustedEcho : ExhaustedServer, IConnectionHandler
{
    private readonly FakeTimeProvider _time = new();
    private readonly TransportLoop _loop;
    private readonly TransportListener _listener;

    internal ExhaustedEcho(string transport)
    {
        TransportFactory factory = TransportHost.Factories.Single(factory => factory.Name == transport);
        _loop = factory.CreateLoop(0, _time);
        _loop.UnhandledException = e => Environment.FailFast(e.ToString());
        _listener = factory.Bind(TransportHost.Options(), 1);
        _loop.Start();
        Run(() => _loop.StartAccepting(_listener, this));
    }

    internal override int Port => ((IPEndPoint)_listener.LocalEndPoint).Port;

    internal override string Execute(string command)
    {
        if (command == "advance") _time.Advance(TimeSpan.FromSeconds(1));
        if (command == "hold") Run(HoldAndStop);
        // Two turns of the loop: what the first began to do is done.
        Run(() => { });
        Run(() => { });
        return Interlocked.Read(ref _listener.AcceptErrorCount).ToString(CultureInfo.InvariantCulture);
    }

    // Stops accepting before the loop can look at what has happened meanwhile.
    private void HoldAndStop()
    {
        Console.Out.WriteLine("holding");
        Console.In.ReadLine();
        _loop.StopAccepting(_listener);
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

    private void Run(Action action)
    {
        using var done = new ManualResetEventSlim();
        _loop.Post(new Call(() =>
        {
            action();
            done.Set();
        }));
        done.Wait();
    }

    private sealed class Call(Action action) : LoopWork
    {
        protected internal override void Execute() => action();
    }
}

/// <summary>The whole balancer before one destination, whose connections it does not keep. Any command is answered with how the next request ended.</summary>
internal sealed class ExhaustedProxy : ExhaustedServer, ICompletionObserver
{
    private readonly Queue<string> _records = new(); // under its lock; nothing here may use the thread pool

    internal ExhaustedProxy(string transport, string destination)
    {
        var server = new ProxyServer( // lives as long as the process
            new ProxyConfig
            {
                Transport = new() { Kind = Enum.Parse<TransportKind>(transport, ignoreCase: true), Loops = 1 },
                Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" } },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" }, ["own"] = new() { Path = "/own", Respond = new() } },
                Clusters = new Dictionary<string, ClusterConfig>
                {
                    ["app"] = new()
                    {
                        Pool = new() { IdleTimeout = TimeSpan.Zero },
                        Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = destination } },
                    },
                },
            },
            NullLoggerFactory.Instance,
            this);
        server.StartAsync().GetAwaiter().GetResult();
        Port = ((IPEndPoint)server.Endpoints["main"]).Port;
    }

    internal override int Port { get; }

    internal override string Execute(string command)
    {
        lock (_records)
        {
            while (_records.Count == 0) Monitor.Wait(_records);
            return _records.Dequeue();
        }
    }

    public void OnCompleted(CompletionRecord record)
    {
        lock (_records)
        {
            _records.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{Encoding.ASCII.GetString(record.Target.Span)} {record.Status} {record.Reason}"));
            Monitor.Pulse(_records);
        }
    }
}
