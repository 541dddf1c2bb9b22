using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Events;

/// <summary>
/// Counts what lists, rules and limits refuse, and makes few events of it: the first refusal is told at once, then how many came after it, first after a minute and each time after twice as long
/// while it goes on. So clients cannot fill the ring of events. Thread-safe.
/// </summary>
internal sealed class RefusalTally : IDisposable
{
    private const int RowsMax = 256; // the last is for all others
    private static readonly TimeSpan WindowMin = TimeSpan.FromMinutes(1), WindowMax = TimeSpan.FromHours(1);
    private static readonly string[] Reasons = Enum.GetNames<EndReason>();

    private readonly ServerEvents _events;
    private readonly TimeProvider _time;
    private readonly Lock _adding = new();
    private Row[] _rows = [];

    internal RefusalTally(ServerEvents events, TimeProvider time)
    {
        _events = events;
        _time = time;
    }

    /// <summary>Counts a refusal.</summary>
    // Hot path while under attack. 0 allocations but for the first of a policy, and an event now and then.
    internal void Note(CompletionRecord record, EndReason reason, string policy, bool isDryRun)
    {
        foreach (Row row in Volatile.Read(ref _rows))
        {
            if (!row.Is(reason, policy, isDryRun)) continue;
            row.Count(this, record);
            return;
        }
        Add(reason, policy, isDryRun).Count(this, record);
    }

    /// <summary>What was refused since the start, by reason and policy.</summary>
    internal IReadOnlyList<RefusalView> View() => [.. Volatile.Read(ref _rows).Select(row => row.View())];

    public void Dispose()
    {
        foreach (Row row in Volatile.Read(ref _rows)) row.Dispose();
    }

    private Row Add(EndReason reason, string policy, bool isDryRun)
    {
        lock (_adding)
        {
            Row? row = Array.Find(_rows, one => one.Is(reason, policy, isDryRun)) ?? (_rows.Length == RowsMax ? _rows[^1] : null);
            if (row is not null) return row;
            row = _rows.Length == RowsMax - 1 ? new Row(EndReason.None, "others", false) : new Row(reason, policy, isDryRun);
            Volatile.Write(ref _rows, [.. _rows, row]);
            return row;
        }
    }

    private sealed class Row(EndReason reason, string policy, bool isDryRun) : IDisposable
    {
        private const int Shards = 16, Line = 16; // longs of two cache lines

        private readonly long[] _counts = new long[(Shards + 1) * Line];
        private readonly Lock _telling = new();
        private int _isOpen; // 1 from the first refusal until a window without any
        private long _told;
        private TimeSpan _window;
        private ITimer? _timer;
        private DateTimeOffset _since;

        // Names of the configuration: the same string each time, nearly always.
        internal bool Is(EndReason otherReason, string otherPolicy, bool otherIsDryRun) =>
            otherReason == reason && otherIsDryRun == isDryRun && (ReferenceEquals(otherPolicy, policy) || otherPolicy == policy);

        private long Total
        {
            get
            {
                long total = 0;
                for (int i = 1; i <= Shards; i++) total += Volatile.Read(ref _counts[i * Line]);
                return total;
            }
        }

        internal void Count(RefusalTally tally, CompletionRecord record)
        {
            Interlocked.Increment(ref _counts[((Environment.CurrentManagedThreadId & (Shards - 1)) + 1) * Line]);
            if (Volatile.Read(ref _isOpen) == 0) Open(tally, record);
        }

        internal RefusalView View() => new(Reasons[(int)reason], policy, isDryRun, Total, Volatile.Read(ref _isOpen) == 1);

        private void Open(RefusalTally tally, CompletionRecord record)
        {
            string client = (record.ForwardedClient != default ? record.ForwardedClient : record.Client).ToString();
            lock (_telling)
            {
                if (_isOpen == 1) return;
                _told = Total;
                _window = WindowMin;
                _since = tally._time.GetUtcNow();
                _timer ??= tally._time.CreateTimer(_ => Tell(tally), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                Volatile.Write(ref _isOpen, 1);
                _timer.Change(_window, Timeout.InfiniteTimeSpan);
            }
            tally._events.Add(ServerEventKind.Refusals, policy, $"{(isDryRun ? "would refuse" : "refuses")} ({Reasons[(int)reason]}): the first is {client}");
        }

        private void Tell(RefusalTally tally)
        {
            long more;
            DateTimeOffset since;
            lock (_telling)
            {
                long total = Total;
                (more, since) = (total - _told, _since);
                _told = total;
                _since = tally._time.GetUtcNow();
                if (more == 0) Volatile.Write(ref _isOpen, 0);
                else
                {
                    _window = _window * 2 < WindowMax ? _window * 2 : WindowMax;
                    _timer!.Change(_window, Timeout.InfiniteTimeSpan);
                }
            }
            if (more > 0) tally._events.Add(ServerEventKind.Refusals, policy, $"{(isDryRun ? "would have refused" : "has refused")} {more} more since {since:HH:mm:ss} UTC ({Reasons[(int)reason]})");
        }

        public void Dispose() => _timer?.Dispose();
    }
}

/// <summary>What a list, rule or limit has refused.</summary>
/// <param name="Reason">How such requests or connections end: a name of <see cref="EndReason"/>.</param>
/// <param name="Policy">Name of the list, rule or limit.</param>
/// <param name="DryRun">Whether they went on all the same.</param>
/// <param name="Total">How many since the start.</param>
/// <param name="IsRecent">Whether it goes on: no window without any has passed since the last one. Windows are a minute at first, and up to an hour while it goes on.</param>
public sealed record RefusalView(string Reason, string Policy, bool DryRun, long Total, bool IsRecent);
