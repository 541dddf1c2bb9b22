using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Serving;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Routing;

/// <summary>Lets in who may come in, then finds who answers.</summary>
internal sealed class AdminApi(AdminRouteTable routes, string? token, ChangeGate changes, TimeProvider time, ILogger logger) : IRequestHandler
{
    private readonly TokenGuard? _guard = token is null ? null : new TokenGuard(token, time);

    public Task HandleAsync(ServedRequest request, ServedResponse response, CancellationToken aborted)
    {
        var exchange = new AdminExchange(request, response);
        // A page of another site, sent by a browser of somebody who may come in.
        if (request.Field("Origin") is { } origin && !origin.Equals($"http://{request.Host}", StringComparison.OrdinalIgnoreCase))
            return exchange.Refuse(403, "a page of another origin asks; requests come from programs, or from pages of this listener");
        // The same where the browser leaves Origin out, as for images; a link that was followed asks for a page.
        if (request.Field("Sec-Fetch-Site") is "cross-site" or "same-site" && request.Field("Sec-Fetch-Mode") != "navigate")
            return exchange.Refuse(403, "a page of another site asks; requests come from programs, or from pages of this listener");
        if (_guard is null && !HostCheck.IsOurs(request.Host))
            return exchange.Refuse(421, $"{CharacterText.Quote(request.Host)} is no name of this listener; use an address, \"localhost\", or a name without dots");
        AdminRoute? found = routes.Find(request.Method, request.Path, out string[] values, out IReadOnlyList<string> methods);
        if (_guard is not null && found is not { IsPublic: true } && Challenge(exchange) is { } challenge) return challenge;

        if (request is { Path: "*", Method: "OPTIONS" }) return Allow(exchange, ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
        if (found is { } route)
        {
            exchange.SetValues(values);
            return route.IsChange ? ChangeAsync(route, exchange, aborted) : route.Handler(exchange, aborted);
        }
        if (methods.Count == 0) return exchange.Refuse(404, $"there is nothing at {CharacterText.Quote(request.Path)}; see docs/admin.md for what there is");
        if (request.Method == "OPTIONS") return Allow(exchange, methods);
        response.AddField("Allow", string.Join(", ", methods));
        return exchange.Refuse(405, $"{request.Method} is not for this path; expected {string.Join(", ", methods)}");
    }

    private async Task ChangeAsync(AdminRoute route, AdminExchange exchange, CancellationToken aborted)
    {
        if (!changes.TryEnter())
        {
            exchange.Response.AddField("Retry-After", "1");
            await exchange.Refuse(503, "another process takes over at this moment; ask again, and it answers").ConfigureAwait(false);
            return;
        }
        try
        {
            await route.Handler(exchange, aborted).ConfigureAwait(false);
        }
        finally
        {
            changes.Leave();
        }
    }

    private static Task Allow(AdminExchange exchange, IEnumerable<string> methods)
    {
        exchange.Response.AddField("Allow", string.Join(", ", methods));
        return exchange.Empty(204);
    }

    // Null when the token is right.
    private Task? Challenge(AdminExchange exchange)
    {
        switch (_guard!.Check(exchange.Request))
        {
            case TokenVerdict.Right:
                return null;
            case TokenVerdict.TooMany:
                exchange.Response.AddField("Retry-After", "60");
                return exchange.Refuse(429, "too many wrong tokens from this address; wait a minute");
            default:
                AdminLog.WrongToken(logger, exchange.Who);
                exchange.Response.AddField("WWW-Authenticate", "Bearer realm=\"lb admin\"");
                return exchange.Refuse(401, "the token is missing or wrong; send \"Authorization: Bearer\" and the \"token\" of the configuration's \"admin\"");
        }
    }
}
