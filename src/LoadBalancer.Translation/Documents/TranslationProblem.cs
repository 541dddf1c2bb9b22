namespace LoadBalancer.Translation.Documents;

/// <summary>Why a document or a message has not been translated.</summary>
/// <param name="Kind">What is wrong with it.</param>
/// <param name="Message">One line. It quotes names of the document, never its values.</param>
/// <param name="Pointer">Where in the document, as a JSON pointer (RFC 6901); "" for the document itself.</param>
/// <param name="Rule">The rule's place in the map, as in <c>routes[0].request.fields[2]</c>; null where none is to blame.</param>
/// <param name="Position">Byte of the document, from 0; -1 where it does not matter.</param>
public sealed record TranslationProblem(TranslationProblemKind Kind, string Message, string Pointer = "", string? Rule = null, long Position = -1)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Pointer.Length == 0 ? "" : $"{Pointer}: ")}{Message}{(Position < 0 ? "" : $" (byte {Position})")}{(Rule is null ? "" : $" [{Rule}]")}";
}

/// <summary>Kinds of problems.</summary>
public enum TranslationProblemKind : byte
{
    /// <summary>It is no JSON, or no UTF-8, or ends before its end.</summary>
    Malformed,
    /// <summary>An object has a name twice: readers do not agree which of the values counts.</summary>
    DuplicateName,
    /// <summary>It is nested deeper than allowed.</summary>
    TooDeep,
    /// <summary>It is larger than allowed.</summary>
    TooLarge,
    /// <summary>What it becomes is larger than allowed.</summary>
    OutputTooLarge,
    /// <summary>A value is not one that its rule can convert.</summary>
    Unconvertible,
    /// <summary>Two values of the document become one, and are not both objects.</summary>
    Clash,
}
