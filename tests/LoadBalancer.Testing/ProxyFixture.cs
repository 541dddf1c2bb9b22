using System.Net;
using System.Threading.Channels;
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace LoadBalancer.Testing;

/// <summary>A running balancer on a free port, before the given destinations.</summary>
public sealed class ProxyFixture : IAsyncDisposable
{
    private ProxyFixture(ProxyServer server, CompletionCollector completions, ErrorLog log)
    {
        Server = server;
        Completions = completions;
        Log = log;
    }

    public ProxyServer Server { get; }

    public CompletionCollector Completions { get; }

    public ErrorLog Log { get; }

    public EndPoint EndPoint => Server.Endpoints["main"];

    public static ProxyConfig Config(TransportKind transport, params string[] destinations) => new()
    {
        Transport = new() { Kind = transport, Loops = 1 },
        DrainTimeout = TimeSpan.FromSeconds(5),
        Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" } },
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" } },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["app"] = new() { Destinations = destinations.Index().ToDictionary(d => $"d{d.Index}", d => new DestinationConfig { Address = d.Item }) },
        },
    };

    public static async Task<ProxyFixture> StartAsync(ProxyConfig config, TimeProvider? time = null, INameResolver? names = null)
    {
        var completions = new CompletionCollector();
        var log = new ErrorLog();
        var server = new ProxyServer(config, log, completions, time, names);
        await server.StartAsync();
        return new ProxyFixture(server, completions, log);
    }

    /// <summary>Names of the destinations that a cluster has now.</summary>
    public IReadOnlyList<string> MembersOf(string cluster) =>
        [.. Server.Snapshot.Clusters.Single(c => c.Name == cluster).Members.Present.Select(destination => destination.Name)];

    public Task<RawClient> ConnectAsync(CancellationToken token, string? from = null) => RawClient.ConnectAsync(EndPoint, token, from);

    /// <summary>Ends when the first loop has done what it was told before, and what that put off.</summary>
    public async Task TurnAsync(CancellationToken token)
    {
        for (int turn = 0; turn < 3; turn++)
        {
            var mark = new Mark();
            Server.Contexts[0].Loop.Post(mark);
            await mark.Passed.Task.WaitAsync(token);
        }
    }

    private sealed class Mark : LoopWork
    {
        internal TaskCompletionSource Passed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => Passed.SetResult();
    }

    /// <summary>Ends the server and asserts that nothing was left behind: no internal error, buffer, connection or pick without completion.</summary>
    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        // Another failure of the test says more than what it left behind.
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed) return;
        Assert.That(Log.Errors, Is.Empty, "internal errors were logged");
        foreach (LoopContext context in Server.Contexts)
        {
            // The loops are gone: their state can be read from here.
            Assert.That(context.ConnectionCount, Is.Zero, "clients' connections left");
            Assert.That(context.Loop.Slabs.Leased, Is.Zero, "buffers left");
        }
        foreach (ClusterSnapshot cluster in Server.Snapshot.Clusters)
        {
            foreach (DestinationState destination in cluster.Members.Present)
                Assert.That(destination.OpenConnections, Is.Zero, $"connections to {destination.Name} left");
            foreach (Destination destination in cluster.Scheduler.Destinations)
                Assert.That(destination.Outstanding, Is.Zero, $"picks of {destination.Identity} not completed");
        }
    }
}

/// <summary>Keeps what was logged as an error: there must be none. The rest is there to be awaited.</summary>
public sealed class ErrorLog : ILoggerFactory, ILogger
{
    private readonly Channel<string> _notes = Channel.CreateUnbounded<string>();
    private readonly List<string> _errors = [];

    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (_errors) return [.. _errors];
        }
    }

    /// <summary>Those that were expected: they no longer count.</summary>
    public IReadOnlyList<string> TakeErrors()
    {
        lock (_errors)
        {
            string[] taken = [.. _errors];
            _errors.Clear();
            return taken;
        }
    }

    /// <summary>The next message that is no error.</summary>
    public async Task<string> NextAsync(CancellationToken token) => await _notes.Reader.ReadAsync(token);

    public bool HasNotes => _notes.Reader.TryPeek(out _);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel < LogLevel.Error) _notes.Writer.TryWrite(formatter(state, exception));
        else lock (_errors) _errors.Add($"{formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
    }
}
