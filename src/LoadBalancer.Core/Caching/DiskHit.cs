using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Caching;

/// <summary>Sends a body that lies on disk: piece by piece, read beside the loop.</summary>
internal static class DiskHit
{
    /// <summary>Copies a part for a policy, which takes it without a wait. False when it is damaged, or the receiver takes no more.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal static async ValueTask<bool> CopyAsync(Exchange exchange, DiskReader reader, long first, long length, TransportWriter output)
    {
        LoopContext context = exchange.Context;
        Slab slab = context.Loop.Slabs.Lease(SlabPool.LargeSize);
        bool isSound = true;
        for (long at = first, end = first + length; at < end && isSound;)
        {
            ReadOnlyMemory<byte>? read = await ReadAsync(context, reader, at, slab).ConfigureAwait(false);
            if (read is not { IsEmpty: false } piece) isSound = false;
            else
            {
                if (piece.Length > end - at) piece = piece[..(int)(end - at)];
                at += piece.Length;
                isSound = !(await output.WriteAsync(piece).ConfigureAwait(false)).IsCompleted;
            }
        }
        context.Loop.Slabs.Return(slab);
        return isSound;
    }

    // Null where it cannot be read.
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(LoopContext context, DiskReader reader, long at, Slab slab)
    {
        Task<ReadOnlyMemory<byte>?> reading = reader.ReadAsync(at, slab.Array.AsMemory(0, SlabPool.LargeSize)).AsTask();
        if (!reading.IsCompleted) await new LoopWait(context.Loop, reading);
        return reading.IsCompletedSuccessfully ? await reading.ConfigureAwait(false) : null;
    }

    /// <summary>The head is collected already.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal static async ValueTask SendAsync(Exchange exchange, DiskReader reader, long first, long length)
    {
        LoopContext context = exchange.Context;
        TransportWriter output = exchange.Client.Transport.Output;
        exchange.IsResponseStarted = true;
        FlushResult sent = await exchange.WhileClientTakesAsync(output.FlushAsync()).ConfigureAwait(false);
        // Not a slab that is leased for ever: the read that is under way when the client leaves is waited for.
        Slab slab = context.Loop.Slabs.Lease(SlabPool.LargeSize);
        for (long at = first, end = first + length; at < end && !sent.IsCompleted && !sent.IsCanceled;)
        {
            if (await ReadAsync(context, reader, at, slab).ConfigureAwait(false) is not { IsEmpty: false } piece)
            {
                // What is sent cannot be taken back: the client must see that it is not whole.
                exchange.Fail(EndReason.StoredBodyBroken);
                sent = new FlushResult(isCanceled: false, isCompleted: true);
                break;
            }
            if (piece.Length > end - at) piece = piece[..(int)(end - at)];
            at += piece.Length;
            exchange.Record.ResponseBodyBytes += piece.Length;
            sent = await exchange.WhileClientTakesAsync(output.WriteAsync(piece)).ConfigureAwait(false);
        }
        context.Loop.Slabs.Return(slab);
        CacheHit.Finish(exchange, sent);
    }
}
