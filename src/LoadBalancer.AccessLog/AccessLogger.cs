using System.Diagnostics.Metrics;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.AccessLog;

/// <summary>
/// The access log: a line is made on the loop's thread and left in that loop's ring; a timer takes the lines from there and writes them. A request never waits for the log:
/// a line for which there is no room is dropped, counted, and told of.
/// </summary>
public sealed class AccessLogger : ICompletionObserver, IThreadPoolWorkItem, IDisposable
{
    private static readonly TimeSpan WriteInterval = TimeSpan.FromMilliseconds(100), ReportInterval = TimeSpan.FromSeconds(10);
    private readonly AccessLogConfig _config;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LineFormatter _formatter;
    private readonly LineSink _sink;
    private readonly ICompletionObserver? _next;
    private readonly ThreadLocal<LineRing> _ring;
    private readonly long _slowTicks;
    private readonly Lock _write = new();
    private readonly Lock _add = new();
    private readonly byte[] _chunk = new byte[128 << 10];
    private readonly Meter _meter = new("LoadBalancer");
    private readonly ITimer _timer;
    private LineRing[] _rings = [];
    private long _lost, _told, _tellAt;
    private int _woken, _reopen;
    private bool _begun, _disposed;

    /// <summary>Starts writing.</summary>
    /// <param name="config">Validated.</param>
    /// <param name="loggerFactory">Told of lines that were dropped, and of what cannot be written.</param>
    /// <param name="next">Gets each record too; null for nobody.</param>
    /// <param name="timeProvider">Null: the system's.</param>
    public AccessLogger(AccessLogConfig config, ILoggerFactory loggerFactory, ICompletionObserver? next = null, TimeProvider? timeProvider = null)
        : this(config, loggerFactory, next, timeProvider ?? TimeProvider.System, null)
    {
    }

    /// <summary>The same, with a target of its own; where it does not begin, lines wait in their rings until <see cref="Begin"/>.</summary>
    internal AccessLogger(AccessLogConfig config, ILoggerFactory loggerFactory, ICompletionObserver? next, TimeProvider time, LineSink? sink, bool begins = true)
    {
        _config = config;
        _time = time;
        _next = next;
        _logger = loggerFactory.CreateLogger<AccessLogger>();
        _formatter = new LineFormatter(config, time);
        _sink = sink ?? LineSink.Create(config, time);
        _slowTicks = (long)(config.SlowerThan.TotalSeconds * time.TimestampFrequency);
        _ring = new ThreadLocal<LineRing>(AddRing);
        _timer = time.CreateTimer(static state => ((AccessLogger)state!).Drain(), this, WriteInterval, WriteInterval);
        if (begins) Begin(0);
    }

    /// <summary>Begins to write: once whoever wrote to the same target before has ended, so that lines stay in their order.</summary>
    /// <param name="dropped">Where <see cref="Dropped"/> counts on.</param>
    internal void Begin(long dropped)
    {
        lock (_write)
        {
            Volatile.Write(ref _lost, _lost + dropped);
            _told = dropped;
            _begun = true;
        }
        _ = _meter.CreateObservableCounter("lb.access_log.dropped", () => Dropped, "{line}", "Lines of the access log that were not written: there was no room, or the target failed.");
    }

    /// <summary>Lines that were not written so far, for want of room or as the target failed; those of the logger before it too.</summary>
    public long Dropped
    {
        get
        {
            long dropped = Volatile.Read(ref _lost);
            foreach (LineRing ring in Volatile.Read(ref _rings)) dropped += Volatile.Read(ref ring.Dropped);
            return dropped;
        }
    }

    /// <inheritdoc/>
    public void OnCompleted(CompletionRecord record)
    {
        LineRing ring = _ring.Value!;
        if (IsWanted(record) && (_config.SampleOneIn == 1 || ring.Seen++ % _config.SampleOneIn == 0)) Put(ring, record);
        _next?.OnCompleted(record);
    }

    /// <summary>Opens the file anew before the next lines, as whoever has renamed it wants.</summary>
    public void Reopen() => Volatile.Write(ref _reopen, 1);

    /// <summary>Writes what is there; at once, as a ring is half full.</summary>
    void IThreadPoolWorkItem.Execute() => Drain();

    private bool IsWanted(CompletionRecord record) => !record.IsUnlogged && ((_config.StatusMin == 0 && _slowTicks == 0)
        || (_config.StatusMin > 0 && record.Status >= _config.StatusMin) || (_slowTicks > 0 && record.TotalTicks >= _slowTicks));

    private void Put(LineRing ring, CompletionRecord record)
    {
        var line = new LineWriter(ring.Scratch);
        _formatter.Write(ref line, record);
        if (line.IsOverflown || !ring.TryWrite(ring.Scratch.AsSpan(0, line.Length))) Volatile.Write(ref ring.Dropped, ring.Dropped + 1);
        if (ring.Count > ring.Capacity / 2 && Volatile.Read(ref _woken) == 0 && Interlocked.Exchange(ref _woken, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private LineRing AddRing()
    {
        var ring = new LineRing(_config.BufferBytes);
        lock (_add) Volatile.Write(ref _rings, [.. _rings, ring]);
        return ring;
    }

    private void Drain()
    {
        // Whoever writes already takes what is there now, or the next tick does.
        if (!_write.TryEnter()) return;
        try
        {
            if (_begun && !_disposed) DrainAll();
        }
        finally
        {
            _write.Exit();
        }
    }

    private void DrainAll()
    {
        Volatile.Write(ref _woken, 0);
        if (Interlocked.Exchange(ref _reopen, 0) == 1) _sink.Reopen();
        foreach (LineRing ring in Volatile.Read(ref _rings))
        {
            // At most what a ring holds, so that a busy loop does not keep the others waiting.
            for (int left = ring.Capacity; left > 0 && ring.Read(_chunk) is > 0 and int count; left -= count) Write(_chunk.AsSpan(0, count));
        }
        if (_time.GetTimestamp() >= _tellAt) Tell();
    }

    private void Tell()
    {
        long dropped = Dropped;
        if (dropped == _told) return;
        _logger.LinesDropped(dropped - _told);
        _told = dropped;
        _tellAt = _time.GetTimestamp() + (long)(ReportInterval.TotalSeconds * _time.TimestampFrequency);
    }

    private void Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            _sink.Write(lines);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            // The lines are lost; the next ones try again.
            Volatile.Write(ref _lost, _lost + lines.Count((byte)'\n'));
            if (_time.GetTimestamp() >= _tellAt) _logger.LogNotWritten(_config.Path, e.Message);
        }
    }

    /// <summary>How long <see cref="Dispose"/> waits for a target that takes nothing.</summary>
    internal TimeSpan DisposeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Writes what is left and closes the target, unless that takes nothing for too long, as a terminal that was stopped. To be called when no loop runs any more.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        // A thread of its own: one that blocks for ever must not hold up the end of the process.
        var ending = new Thread(End) { IsBackground = true, Name = "access log" };
        ending.Start();
        if (!ending.Join(DisposeTimeout)) _logger.TargetStuck(_config.Path);
        _meter.Dispose(); // last, so that what was lost just now is counted
    }

    private void End()
    {
        lock (_write)
        {
            if (_disposed) return;
            DrainAll();
            Tell();
            _disposed = true;
            _sink.Dispose();
        }
    }
}
