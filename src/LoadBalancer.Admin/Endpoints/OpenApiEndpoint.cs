using LoadBalancer.Admin.Routing;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/openapi.json</c>: this interface as an OpenAPI 3.1 document.</summary>
internal static class OpenApiEndpoint
{
    private static readonly byte[] s_document = Resource.Read("openapi.json");

    internal static ReadOnlyMemory<byte> Document => s_document;

    internal static Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        exchange.Response.AddField("Content-Type", "application/openapi+json;version=3.1");
        exchange.Response.AddField("X-Content-Type-Options", "nosniff");
        s_document.CopyTo(exchange.Response.Body.GetSpan(s_document.Length));
        exchange.Response.Body.Advance(s_document.Length);
        return Task.CompletedTask;
    }
}
