using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/caches</c>: what they hold, why not more, and how they are emptied.</summary>
internal sealed class CacheEndpoints(ProxyServer proxy, ILogger logger)
{
    private const string PurgeExpected = "expected {\"url\": \"https://host/path\"}, {\"url\": \"https://host/path*\"}, {\"tag\": \"name\"} or {\"all\": true}, beside which \"cache\" and \"soft\" may stand";

    internal Task List(AdminExchange exchange, CancellationToken aborted) => exchange.Json(200, new CacheList(proxy.DescribeCaches()), AdminJson.Default.CacheList);

    internal Task Purge(AdminExchange exchange, CancellationToken aborted)
    {
        if (!TryRead(exchange.Request.Body, AdminJson.Default.PurgeRequest, out PurgeRequest? request, out string? fault)) return exchange.Refuse(400, $"{fault}; {PurgeExpected}");
        try
        {
            int purged = proxy.PurgeCache(request!.Cache, new CachePurge(request.Url, request.Tag, request.All), request.Soft);
            AdminLog.Purged(logger, purged, request.Url ?? request.Tag ?? "all", exchange.Who);
            proxy.Events.Add(ServerEventKind.CachePurged, request.Cache ?? "", $"{purged} answers were purged: {request.Url ?? request.Tag ?? "all"}", exchange.Who);
            return exchange.Json(200, new PurgeResult(purged), AdminJson.Default.PurgeResult);
        }
        catch (ArgumentException e)
        {
            return exchange.Refuse(400, AdminExchange.WithoutParameter(e));
        }
    }

    internal Task Explain(AdminExchange exchange, CancellationToken aborted)
    {
        if (!TryRead(exchange.Request.Body, AdminJson.Default.ExplainRequest, out ExplainRequest? request, out string? fault) || request!.Url is null)
            return exchange.Refuse(400, $"{fault ?? "\"url\" is missing"}; expected {{\"url\": \"https://host/path\"}}");
        try
        {
            return exchange.Json(200, proxy.ExplainCache(request.Url), AdminJson.Default.CacheExplanation);
        }
        catch (ArgumentException e)
        {
            return exchange.Refuse(400, AdminExchange.WithoutParameter(e));
        }
    }

    private static bool TryRead<T>(ReadOnlyMemory<byte> body, JsonTypeInfo<T> type, out T? request, out string? fault) where T : class
    {
        request = null;
        fault = null;
        try
        {
            request = JsonSerializer.Deserialize(body.Span, type);
            if (request is null) fault = "the body is null";
        }
        catch (JsonException e)
        {
            fault = body.IsEmpty ? "there is no body" : $"the body is no such object: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}{(e.Path is { Length: > 2 } path ? $", at {CharacterText.Quote(path)}" : "")}";
        }
        return fault is null;
    }
}

internal sealed record CacheList(IReadOnlyList<CacheView> Caches);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PurgeRequest(string? Cache = null, string? Url = null, string? Tag = null, bool All = false, bool Soft = false);

internal sealed record PurgeResult(int Purged);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ExplainRequest(string? Url = null);
