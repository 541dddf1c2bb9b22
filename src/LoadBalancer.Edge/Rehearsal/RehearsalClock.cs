namespace LoadBalancer.Edge.Rehearsal;

/// <summary>The system's time, from another moment on: tokens of a test do not expire.</summary>
internal sealed class RehearsalClock(DateTimeOffset start) : TimeProvider
{
    private readonly long _origin = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => start + System.GetElapsedTime(_origin);
}
