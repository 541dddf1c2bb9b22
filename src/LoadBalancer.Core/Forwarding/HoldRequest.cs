using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Reads from an answer how long its destination asks to be left alone: Retry-After of a 503 (RFC 9110 §15.6.4). That of a 429 is for the client.</summary>
internal static class HoldRequest
{
    private const int SecondsMax = 300; // more does not count: Balancing.PickOutcome

    /// <summary>Timestamp ticks; 0 when it does not ask, or in a way that cannot be read. Only for answers of that status: looks at every field.</summary>
    internal static long TicksOf(Exchange exchange, ReadOnlySpan<byte> head)
    {
        int field = exchange.Response.IndexOf("retry-after"u8, head);
        if (field < 0) return 0;
        TimeProvider time = exchange.Context.Loop.Time;
        return RetryAfter.SecondsOf(exchange.Response.ValueOf(field, head), time.GetUtcNow(), SecondsMax) * time.TimestampFrequency;
    }
}
