using LoadBalancer.Translation.Documents;

namespace LoadBalancer.Translation.Messages;

/// <summary>Where translated targets are written; kept between requests. One user at a time.</summary>
public sealed class TargetBuffers : IDisposable
{
    /// <summary>Longest path, and longest query.</summary>
    public const int BytesMax = 64 * 1024;

    /// <summary>The path.</summary>
    public ReadOnlySpan<byte> Path => PathBuffer.Written;

    /// <summary>The query, without its '?'; empty without one.</summary>
    public ReadOnlySpan<byte> Query => QueryBuffer.Written;

    internal OutputBuffer PathBuffer { get; } = new();

    internal OutputBuffer QueryBuffer { get; } = new();

    internal OutputBuffer Scratch { get; } = new(leavesOld: true);

    internal void Reset()
    {
        PathBuffer.Reset(BytesMax);
        QueryBuffer.Reset(BytesMax);
        Scratch.Reset(BytesMax);
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        PathBuffer.Dispose();
        QueryBuffer.Dispose();
        Scratch.Dispose();
    }
}
