using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Events;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/events</c>: what happened, as a list, or followed as Server-Sent Events (HTML Living Standard §9.2).</summary>
internal sealed class EventEndpoints(ProxyServer proxy, TimeProvider time)
{
    internal const int FollowersMax = 16;
    private const int BatchMax = 64;

    // Proxies on the way, and the listener's own limits, take silence for an end.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    private int _followers;

    internal Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        bool follows = exchange.Request.Field("Accept") is { } accept && accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        if (!TryNumber(exchange.Query("since"), 0, long.MaxValue, out long? since)) return exchange.Refuse(400, "\"since\" is no number of an event; expected 0 or more");
        if (!TryNumber(exchange.Query("limit"), 1, ServerEvents.Capacity, out long? limit)) return exchange.Refuse(400, $"\"limit\" is no number from 1 to {ServerEvents.Capacity}");
        if (!follows) return List(exchange, since ?? 0, (int)(limit ?? ServerEvents.Capacity));
        if (!TryNumber(exchange.Request.Field("Last-Event-ID"), 0, long.MaxValue, out long? last)) return exchange.Refuse(400, "\"Last-Event-ID\" is no number of an event");
        return FollowAsync(exchange, last ?? since ?? proxy.Events.LastSequence, aborted);
    }

    private Task List(AdminExchange exchange, long since, int limit)
    {
        IReadOnlyList<ServerEvent> events = proxy.Events.Since(since);
        long missed = events.Count > 0 ? events[0].Sequence - since - 1 : 0;
        // The newest are what is asked for where not all fit.
        return exchange.Json(200, new EventList(proxy.Events.LastSequence, missed, [.. events.Skip(events.Count - limit).Select(EventEntry.Of)]), AdminJson.Default.EventList);
    }

    private async Task FollowAsync(AdminExchange exchange, long after, CancellationToken aborted)
    {
        if (Interlocked.Increment(ref _followers) > FollowersMax)
        {
            Interlocked.Decrement(ref _followers);
            exchange.Response.AddField("Retry-After", "30");
            await exchange.Refuse(503, $"there are {FollowersMax} followers of the events, the most there may be").ConfigureAwait(false);
            return;
        }
        try
        {
            exchange.Response.AddField("Content-Type", "text/event-stream");
            exchange.Response.AddField("X-Content-Type-Options", "nosniff");
            await SendAsync(exchange, after, aborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            // the client is gone, or the listener ends
        }
        finally
        {
            Interlocked.Decrement(ref _followers);
        }
    }

    private async Task SendAsync(AdminExchange exchange, long after, CancellationToken aborted)
    {
        PipeWriter body = exchange.Response.Body;
        // A number from before a restart: all that has happened since is news.
        if (after > proxy.Events.LastSequence) after = 0;
        bool hasBegun = false;
        Write(body, "retry: 3000\n\n");
        while (true)
        {
            IReadOnlyList<ServerEvent> events = proxy.Events.Since(after, BatchMax);
            if (hasBegun && events.Count > 0 && events[0].Sequence != after + 1)
            {
                // Its connection takes less than happens. To go on as if nothing were missing would be a lie.
                string reason = $"did not keep up: {events[0].Sequence - after - 1} events are forgotten that it has not seen";
                Write(body, $"event: dropped\ndata: {{\"reason\":\"{reason}\"}}\n\n");
                proxy.Events.Add(ServerEventKind.FollowerDropped, "", $"a follower of the events {reason}", exchange.Who);
                return;
            }
            foreach (ServerEvent one in events)
            {
                Write(body, $"id: {one.Sequence}\nevent: {EventEntry.NameOf(one.Kind)}\ndata: ");
                Write(body, JsonSerializer.SerializeToUtf8Bytes(EventEntry.Of(one), AdminJson.Default.EventEntry));
                Write(body, "\n\n");
                after = one.Sequence;
            }
            hasBegun = true;
            FlushResult flushed = await body.FlushAsync(aborted).ConfigureAwait(false);
            if (flushed.IsCompleted) return;
            Task added = proxy.Events.WaitAsync(after, aborted);
            if (!added.IsCompleted && await Task.WhenAny(added, Task.Delay(SilenceMax, time, aborted)).ConfigureAwait(false) != added) Write(body, ": nothing new\n\n");
            aborted.ThrowIfCancellationRequested();
        }
    }

    private static void Write(PipeWriter body, string text) => Write(body, Encoding.UTF8.GetBytes(text));

    private static void Write(PipeWriter body, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(body.GetSpan(bytes.Length));
        body.Advance(bytes.Length);
    }

    private static bool TryNumber(string? text, long min, long max, out long? number)
    {
        number = null;
        if (text is null) return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long parsed) || parsed < min || parsed > max) return false;
        number = parsed;
        return true;
    }
}
