namespace LoadBalancer.Schemas.Requests;

/// <summary>One way in which a request or response is not as described.</summary>
/// <param name="Place">Which part.</param>
/// <param name="Name">The parameter, header field or cookie; empty for the body.</param>
/// <param name="Pointer">Where in the value (RFC 6901); empty for all of it.</param>
/// <param name="Rule">What is not kept: a keyword of a schema, as in <c>#/properties/age/minimum</c>, or a name such as "required".</param>
/// <param name="Message">What is wrong; for a person. No values of the message.</param>
public sealed record RequestProblem(RequestPlace Place, string Name, string Pointer, string Rule, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Place}{(Name.Length == 0 ? "" : " ")}{Name}{Pointer}: {Message} ({Rule})";
}
