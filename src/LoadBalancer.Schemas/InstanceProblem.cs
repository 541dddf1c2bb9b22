namespace LoadBalancer.Schemas;

/// <summary>One way in which an instance is not as its schema has it.</summary>
/// <param name="Pointer">Where in the instance (RFC 6901); empty for all of it.</param>
/// <param name="Rule">Which keyword of which schema, as in <c>#/properties/age/minimum</c>.</param>
/// <param name="Message">What is wrong. It has no values of the instance, names of properties shortened.</param>
public sealed record InstanceProblem(string Pointer, string Rule, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Pointer.Length == 0 ? "#" : Pointer)}: {Message} ({Rule})";
}
