using System.Buffers;

namespace LoadBalancer.Discovery.Sources;

/// <summary>Names that others give to destinations: they stand in paths of the admin listener, in logs and in metrics as they are.</summary>
internal static class DestinationName
{
    private const int LengthMax = 128;

    private static readonly SearchValues<char> Characters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:");

    internal static bool IsValid(string name) => name.Length is > 0 and <= LengthMax && name is not ("." or "..") && !name.AsSpan().ContainsAnyExcept(Characters);
}
