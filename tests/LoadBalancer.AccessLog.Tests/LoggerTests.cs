using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.AccessLog.Tests;

[TestFixture]
[CancelAfter(60_000)]
public sealed class LoggerTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private string _directory = "";
    private FakeTimeProvider _clock = Records.Clock();

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("lb-log").FullName;
        _clock = Records.Clock();
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    private string LogPath => Path.Combine(_directory, "access.log");

    private AccessLogConfig Config => new() { Path = LogPath, Format = AccessLogFormat.Template, Template = "{target} {status}" };

    private AccessLogger Start(AccessLogConfig config, LineSink? sink = null) => new(config, NullLoggerFactory.Instance, null, _clock, sink);

    private void Log(AccessLogger log, params string[] targets)
    {
        foreach (string target in targets) log.OnCompleted(Records.Make(Encoding.ASCII.GetBytes(target)));
        _clock.Advance(Tick);
    }

    [Test]
    public void File_Lines_AreAppended()
    {
        File.WriteAllText(LogPath, "before\n");
        using AccessLogger log = Start(Config);
        Log(log, "/a", "/b");
        Assert.That(File.ReadAllText(LogPath), Is.EqualTo("before\n/a 200\n/b 200\n"));
    }

    [Test]
    public void Dispose_WritesWhatIsLeft()
    {
        AccessLogger log = Start(Config);
        log.OnCompleted(Records.Make());
        log.Dispose();
        Assert.That(File.ReadAllText(LogPath), Is.EqualTo("/x 200\n"));
    }

    [Test]
    public void Rotation_BySize_KeepsAsManyAsAsked()
    {
        using AccessLogger log = Start(Config with { RotateSize = 10, Keep = 2 });
        foreach (string target in new[] { "/1", "/2", "/3", "/4" }) Log(log, target);
        Assert.That(Directory.GetFiles(_directory).Select(Path.GetFileName), Is.EquivalentTo(new[] { "access.log", "access.log.1", "access.log.2" }));
        Assert.That(File.ReadAllText(LogPath) + File.ReadAllText(LogPath + ".1") + File.ReadAllText(LogPath + ".2"), Is.EqualTo("/4 200\n/3 200\n/2 200\n"));
    }

    [Test]
    public void Rotation_ByDay()
    {
        using AccessLogger log = Start(Config with { RotateDaily = true });
        Log(log, "/1");
        _clock.Advance(TimeSpan.FromDays(1));
        Log(log, "/2");
        Assert.That((File.ReadAllText(LogPath), File.ReadAllText(LogPath + ".1")), Is.EqualTo(("/2 200\n", "/1 200\n")));
    }

    [Test]
    public void Reopen_AfterRename_WritesANewFile()
    {
        using AccessLogger log = Start(Config);
        Log(log, "/1");
        File.Move(LogPath, LogPath + ".old");
        Log(log, "/2");
        log.Reopen();
        Log(log, "/3");
        Assert.That((File.ReadAllText(LogPath + ".old"), File.ReadAllText(LogPath)), Is.EqualTo(("/1 200\n/2 200\n", "/3 200\n")));
    }

    // As the old and the new process of an upgrade have it.
    [Test]
    public void TwoWritersOfOneFile_KeepEachOthersLines()
    {
        using AccessLogger one = Start(Config), other = Start(Config);
        Log(one, "/1");
        Log(other, "/2");
        Log(one, "/3", "/4");
        Log(other, "/5");
        Assert.That(File.ReadAllText(LogPath), Is.EqualTo("/1 200\n/2 200\n/3 200\n/4 200\n/5 200\n"));
    }

    [Test]
    public void TwoWritersOfOneFile_RotateItOnce()
    {
        AccessLogConfig config = Config with { RotateSize = 14, Keep = 9 };
        using AccessLogger one = Start(config), other = Start(config);
        Log(one, "/1");
        Log(other, "/2");
        Log(one, "/3"); // rotates
        Log(other, "/4"); // has the file of before open, which is full
        Log(other, "/5"); // rotates
        Log(one, "/6");
        Assert.That(Directory.GetFiles(_directory).Order(StringComparer.Ordinal).Select(File.ReadAllText), Is.EqualTo(new[] { "/5 200\n/6 200\n", "/3 200\n/4 200\n", "/1 200\n/2 200\n" }));
    }

    [Test]
    public void Rotation_OfAFileThatIsGone_WritesANewOne()
    {
        using AccessLogger log = Start(Config with { RotateSize = 10, Keep = 2 });
        Log(log, "/1");
        File.Delete(LogPath);
        Log(log, "/2");
        Assert.That((File.ReadAllText(LogPath), File.Exists(LogPath + ".1")), Is.EqualTo(("/2 200\n", false)));
    }

    [Test]
    public void Successor_WritesOnceItsPredecessorHasEnded_AndCountsOn()
    {
        File.CreateSymbolicLink(LogPath, "/dev/full");
        AccessLogger old = Start(Config);
        Log(old, "/lost");
        File.Delete(LogPath);
        old.OnCompleted(Records.Make("/1"u8.ToArray()));
        using var next = new AccessLogger(Config, NullLoggerFactory.Instance, null, _clock, sink: null, begins: false);
        Log(next, "/3");
        old.OnCompleted(Records.Make("/2"u8.ToArray()));
        old.Dispose();
        next.Begin(old.Dropped);
        Log(next, "/4");
        Assert.That((File.ReadAllText(LogPath), next.Dropped), Is.EqualTo(("/1 200\n/2 200\n/3 200\n/4 200\n", 1L)));
    }

    [Test]
    public void LinesLostAtTheEnd_AreCountedAndTold()
    {
        File.CreateSymbolicLink(LogPath, "/dev/full");
        using var messages = new Messages();
        AccessLogger log = new(Config, messages, null, _clock, sink: null);
        Log(log, "/1", "/2"); // told of
        log.OnCompleted(Records.Make());
        log.Dispose();
        Assert.That(log.Dropped, Is.EqualTo(3));
        Assert.That(messages.Lines.Where(line => line.Contains("dropped", StringComparison.Ordinal)), Is.EqualTo(new[] { "Access log: 2 lines were dropped", "Access log: 1 lines were dropped" }));
    }

    [Test]
    public void DiskFull_IsCounted_AndRecovers()
    {
        File.CreateSymbolicLink(LogPath, "/dev/full");
        using AccessLogger log = Start(Config);
        Log(log, "/1", "/2");
        Assert.That(log.Dropped, Is.EqualTo(2));
        File.Delete(LogPath);
        Log(log, "/3");
        Assert.That(File.ReadAllText(LogPath), Is.EqualTo("/3 200\n"));
        Assert.That(log.Dropped, Is.EqualTo(2));
    }

    [Test]
    public void FullRing_DropsAndCounts_WhileTheTargetBlocks()
    {
        using var sink = new BlockedSink();
        using AccessLogger log = Start(Config with { BufferBytes = 100 }, sink);
        for (int i = 0; i < 50; i++) log.OnCompleted(Records.Make()); // 7 bytes each
        Assert.That(sink.Entered.Wait(TimeSpan.FromSeconds(30)), Is.True, "a half full ring wakes the writer");
        long before = log.Dropped;
        for (int i = 0; i < 50; i++) log.OnCompleted(Records.Make());
        Assert.That(log.Dropped - before, Is.GreaterThanOrEqualTo(50 - 14));
        sink.Release.Set();
    }

    [Test]
    public void Dispose_WhileTheTargetTakesNothing_ComesBack()
    {
        using var sink = new BlockedSink();
        AccessLogger log = new(Config, NullLoggerFactory.Instance, null, _clock, sink) { DisposeTimeout = TimeSpan.FromMilliseconds(10) };
        log.OnCompleted(Records.Make());
        log.Dispose();
        Assert.That(sink.Release.IsSet, Is.False, "it is still blocked");
        sink.Release.Set();
    }

    [Test]
    public void Conditions_EitherIsEnough_AndOneInN()
    {
        using (AccessLogger log = Start(Config with { StatusMin = 500, SlowerThan = TimeSpan.FromSeconds(1) }))
        {
            CompletionRecord slow = Records.Make("/slow"u8.ToArray());
            slow.TotalTicks = _clock.TimestampFrequency;
            foreach (CompletionRecord record in new[] { Records.Make(), slow, Records.Make("/bad"u8.ToArray(), 502) }) log.OnCompleted(record);
        }
        Assert.That(File.ReadAllText(LogPath), Is.EqualTo("/slow 200\n/bad 502\n"));
        using (AccessLogger log = Start(Config with { Path = LogPath + "2", SampleOneIn = 3 })) Log(log, "/0", "/1", "/2", "/3");
        Assert.That(File.ReadAllText(LogPath + "2"), Is.EqualTo("/0 200\n/3 200\n"));
    }

    [Test]
    public void RecordOfARouteThatIsNotLogged_IsNotWritten_ButToldToTheNext()
    {
        var next = new Counter();
        using (var log = new AccessLogger(Config with { SampleOneIn = 2 }, NullLoggerFactory.Instance, next, _clock, sink: null))
        {
            for (int i = 0; i < 6; i++)
            {
                CompletionRecord record = Records.Make(Encoding.ASCII.GetBytes($"/{i}"));
                record.IsUnlogged = i % 2 == 1;
                log.OnCompleted(record);
            }
        }
        Assert.That((File.ReadAllText(LogPath), next.Count), Is.EqualTo(("/0 200\n/4 200\n", 6)));
    }

    [Test]
    public void Syslog_OverAUnixSocket_AndUdp()
    {
        string path = Path.Combine(_directory, "s");
        using var unix = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint(path));
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        foreach ((Socket socket, string target) in new[] { (unix, path), (udp, udp.LocalEndPoint!.ToString()!) })
        {
            using AccessLogger log = Start(Config with { Path = "syslog:" + target });
            Log(log, "/1", "/2");
            socket.ReceiveTimeout = 30_000;
            byte[] buffer = new byte[4096];
            foreach (string expected in new[] { "/1 200", "/2 200" })
                Assert.That(Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer)), Does.Match($"^<134>1 2026-03-04T05:06:07\\.[0-9]+Z [^ ]+ lb [0-9]+ access - {expected}$"));
        }
    }

    [Test]
    public void OnCompleted_SteadyState_AllocatesNothing([Values] AccessLogFormat format)
    {
        using var sink = new NullSink();
        using AccessLogger log = Start(Config with { Format = format, Template = format == AccessLogFormat.Template ? "{time} {target}" : null, BufferBytes = 8 << 20 }, sink);
        CompletionRecord record = Records.Make("/x?token=1&b=\"2"u8.ToArray(), subject: "someone");
        for (int i = 0; i < 1000; i++) log.OnCompleted(record);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5000; i++) log.OnCompleted(record);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(log.Dropped, Is.Zero);
    }

    private sealed class Counter : ICompletionObserver
    {
        internal int Count { get; private set; }

        public void OnCompleted(CompletionRecord record) => Count++;
    }

    private sealed class Messages : ILoggerFactory, ILogger
    {
        internal ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    private sealed class NullSink : LineSink
    {
        internal override void Write(ReadOnlySpan<byte> lines)
        {
        }

        public override void Dispose()
        {
        }
    }

    private sealed class BlockedSink : LineSink
    {
        internal ManualResetEventSlim Entered { get; } = new();

        internal ManualResetEventSlim Release { get; } = new();

        internal override void Write(ReadOnlySpan<byte> lines)
        {
            Entered.Set();
            Release.Wait();
        }

        public override void Dispose()
        {
        }
    }
}
