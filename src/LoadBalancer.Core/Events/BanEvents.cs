namespace LoadBalancer.Core.Events;

/// <summary>Tells of bans that nobody asked for: each of the first in a minute, of the rest how many, as clients decide how many there are. Thread-safe.</summary>
internal sealed class BanEvents(ServerEvents events, TimeProvider time)
{
    private const int AloneMax = 10;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long _windowStart;
    private int _count;

    internal void Banned(string block, string text)
    {
        int untold = 0;
        lock (_lock)
        {
            if (_count == 0 || time.GetElapsedTime(_windowStart) >= Window)
            {
                untold = Math.Max(0, _count - AloneMax);
                (_windowStart, _count) = (time.GetTimestamp(), 0);
            }
            if (++_count > AloneMax) return;
        }
        if (untold > 0) events.Add(ServerEventKind.Banned, "", $"{untold} more addresses were banned in the minute of the last bans");
        events.Add(ServerEventKind.Banned, block, text);
    }
}
