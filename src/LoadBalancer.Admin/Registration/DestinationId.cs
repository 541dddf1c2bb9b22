using System.Buffers;

namespace LoadBalancer.Admin.Registration;

/// <summary>Names under which servers may register: they stand in paths, logs and metrics as they are.</summary>
internal static class DestinationId
{
    private const int LengthMax = 128;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:");

    /// <summary>What is wrong with a name, as the rest of a sentence; null when nothing is.</summary>
    internal static string? ProblemOf(string id) =>
        id.Length > LengthMax ? $"has {id.Length} characters; expected at most {LengthMax}"
        : id.AsSpan().ContainsAnyExcept(Characters) ? "is no name; expected letters, digits and \"-._~:\", such as \"web-1\" or \"10.0.0.5:8080\""
        : id is "." or ".." ? "is no name: clients take it for a folder"
        : null;
}
