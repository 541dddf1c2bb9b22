using System.IO.Pipelines;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Frames data as chunks (RFC 9112 §7.1): small runs are collected, large ones are sent from where they lie.</summary>
internal static class ChunkWriter
{
    private const int CopyMax = 4096;
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    /// <summary>Adds one chunk. When it is small it waits for the caller's flush (a completed task); else it is sent.</summary>
    internal static ValueTask<FlushResult> WriteAsync(TransportWriter output, ReadOnlyMemory<byte> data)
    {
        if (data.Length <= CopyMax)
        {
            var chunk = new HeadBuffer(output.GetSpan(data.Length + 16));
            AppendSize(ref chunk, data.Length);
            chunk.Append(data.Span);
            chunk.Append("\r\n"u8);
            output.Advance(chunk.Length);
            // A body in very many small chunks must not pile up.
            return output.UnflushedBytes < 2 * CopyMax ? default : output.FlushAsync();
        }
        var head = new HeadBuffer(output.GetSpan(16));
        AppendSize(ref head, data.Length);
        output.Advance(head.Length);
        return output.WriteAsync(data, LineEnd);
    }

    private static void AppendSize(ref HeadBuffer buffer, int size)
    {
        buffer.AppendHex(size);
        buffer.Append("\r\n"u8);
    }
}
