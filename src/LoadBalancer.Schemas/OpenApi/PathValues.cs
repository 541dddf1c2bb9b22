using System.Runtime.CompilerServices;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>Where the parameters of a path template are in a path.</summary>
public struct PathValues
{
    internal const int CountMax = 16;

    [InlineArray(CountMax)]
    private struct Ranges
    {
        private (int Start, int Length) _first;
    }

    private Ranges _ranges;

    /// <summary>How many.</summary>
    public int Count { readonly get; internal set; }

    internal void Add(int start, int length)
    {
        if (Count < CountMax) _ranges[Count++] = (start, length);
    }

    /// <summary>One of them, in the order of the template; as it came, still percent-encoded.</summary>
    public readonly ReadOnlySpan<byte> Of(ReadOnlySpan<byte> path, int index) => path.Slice(_ranges[index].Start, _ranges[index].Length);
}
