using System.Globalization;
using System.Text.Json;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/connections</c>: who is connected, and what they do.</summary>
internal sealed class ConnectionEndpoints(ProxyServer proxy, TimeProvider time)
{
    private const int CountDefault = 100;

    // A loop that does not answer within this hangs, which is worth a refusal.
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(2);

    internal async Task List(AdminExchange exchange, CancellationToken aborted)
    {
        int count = CountDefault;
        if (exchange.Query("limit") is { } limit && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > ProxyServer.ConnectionsListedMax))
        {
            await exchange.Refuse(400, $"\"limit\" is no number from 1 to {ProxyServer.ConnectionsListedMax}").ConfigureAwait(false);
            return;
        }
        using var patience = new CancellationTokenSource(AnswerMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, patience.Token);
        try
        {
            ConnectionList list = await proxy.ListConnectionsAsync(exchange.Query("listener"), exchange.Query("source"), count, either.Token).ConfigureAwait(false);
            await exchange.Json(200, new ConnectionEntries(list.Open, list.IsTruncated, [.. list.Connections.Select(ConnectionEntry.Of)]), AdminJson.Default.ConnectionEntries).ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            await exchange.Refuse(400, $"\"source\": {AdminExchange.WithoutParameter(e)}").ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await exchange.Refuse(503, "a loop of the balancer does not answer").ConfigureAwait(false);
        }
    }
}

/// <summary>A connection as it is shown; <see cref="ConnectionView"/> says what the fields mean.</summary>
internal sealed record ConnectionEntry(string Listener, int Loop, string Client, DateTimeOffset Since, string State, bool Encrypted, long Requests, string? Method, string? Target, string? Route, string? Cluster,
    string? Destination, long? BytesReceived, long? BytesSent)
{
    internal static ConnectionEntry Of(ConnectionView view) => new(view.Listener, view.Loop, view.Client, view.Since, JsonNamingPolicy.CamelCase.ConvertName(view.State.ToString()), view.Encrypted, view.Requests,
        view.Method, view.Target, view.Route, view.Cluster, view.Destination, view.BytesReceived, view.BytesSent);
}

internal sealed record ConnectionEntries(int Open, bool Truncated, IReadOnlyList<ConnectionEntry> Connections);
