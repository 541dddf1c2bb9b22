namespace LoadBalancer.Core.Events;

/// <summary>
/// The last events of a server, oldest first. A ring: what it has no room for is forgotten, and a reader sees that by the numbers. Nothing on the way of a request writes to it, and whatever clients
/// can cause is told with a bound on how often. Thread-safe; readers hold up nobody.
/// </summary>
public sealed class ServerEvents
{
    /// <summary>As many are kept.</summary>
    public const int Capacity = 1024;

    /// <summary>Subjects and texts are cut to this length.</summary>
    public const int TextLengthMax = 512;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly ServerEvent?[] _ring = new ServerEvent?[Capacity];
    private long _last;
    private TaskCompletionSource _added = New();

    internal ServerEvents(TimeProvider time) => _time = time;

    /// <summary>Number of the newest event; 0 when there is none.</summary>
    public long LastSequence => Volatile.Read(ref _last);

    /// <summary>Notes an event.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="subject">To what; see <see cref="ServerEvent.Subject"/>.</param>
    /// <param name="text">For people.</param>
    /// <param name="actor">Who asked for it; null where nobody did.</param>
    public ServerEvent Add(ServerEventKind kind, string subject, string text, string? actor = null)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(text);
        ServerEvent added;
        TaskCompletionSource waiting;
        lock (_lock)
        {
            added = new ServerEvent(_last + 1, _time.GetUtcNow(), kind, Cut(subject), Cut(text), actor);
            _ring[_last % Capacity] = added;
            Volatile.Write(ref _last, added.Sequence);
            waiting = _added;
            _added = New();
        }
        waiting.SetResult(); // outside: whoever waits goes on elsewhere, but a lock is not for others' code
        return added;
    }

    /// <summary>Events with higher numbers than one, oldest first. Where the first has not the next number, those between are forgotten.</summary>
    /// <param name="after">The number; 0 for all.</param>
    /// <param name="countMax">Most to return, from the oldest on.</param>
    public IReadOnlyList<ServerEvent> Since(long after, int countMax = Capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        lock (_lock)
        {
            long first = Math.Max(Math.Max(after, 0), _last - Capacity);
            int count = (int)Math.Clamp(_last - first, 0, countMax);
            var events = new ServerEvent[count];
            for (int i = 0; i < count; i++) events[i] = _ring[(first + i) % Capacity]!;
            return events;
        }
    }

    /// <summary>Completes when there is an event with a higher number: at once where there is one. To follow, take turns with <see cref="Since"/>.</summary>
    /// <param name="after">The number of the last event that was seen.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitAsync(long after, CancellationToken cancellationToken = default)
    {
        lock (_lock) return _last > after ? Task.CompletedTask : _added.Task.WaitAsync(cancellationToken);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static string Cut(string text) => text.Length <= TextLengthMax ? text : $"{text.AsSpan(0, TextLengthMax - 1)}…";
}
