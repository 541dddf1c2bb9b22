using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas;

/// <summary>What validations need on the way, one set for each thread: a validation never waits, so none is under way when the next begins.</summary>
internal sealed class ReusedMemory
{
    [ThreadStatic]
    private static ReusedMemory? t_memory;

    internal JsonTree Tree { get; } = new();

    internal RunMemory Run { get; } = new();

    internal static ReusedMemory Get()
    {
        ReusedMemory memory = t_memory ??= new ReusedMemory();
        memory.Tree.Shrink();
        memory.Run.Reset();
        return memory;
    }
}
