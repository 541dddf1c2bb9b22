namespace LoadBalancer.Schemas.Requests;

/// <summary>What looking at a request needs on the way, one set for each thread: nothing waits in between.</summary>
internal sealed class RequestMemory
{
    private const int Kept = 64 * 1024;

    [ThreadStatic]
    private static RequestMemory? t_memory;

    private byte[] _decoded = new byte[256];

    internal NamedValues Query { get; } = new();

    internal NamedValues Cookies { get; } = new();

    internal JsonText Json { get; } = new();

    internal List<InstanceProblem> Found { get; } = [];

    internal static RequestMemory Get()
    {
        RequestMemory memory = t_memory ??= new RequestMemory();
        memory.Json.Clear();
        memory.Found.Clear();
        if (memory._decoded.Length > Kept) memory._decoded = new byte[256];
        return memory;
    }

    internal Span<byte> Decoded(int length)
    {
        if (_decoded.Length < length) _decoded = new byte[Math.Max(length, _decoded.Length * 2)];
        return _decoded;
    }
}
