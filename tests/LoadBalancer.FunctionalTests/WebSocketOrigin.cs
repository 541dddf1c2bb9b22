using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.FunctionalTests;

/// <summary>Kestrel with its WebSocket middleware on a free port: somebody else's server. The script runs once for each socket.</summary>
internal sealed class WebSocketOrigin : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebSocketOrigin(WebApplication app) => _app = app;

    internal string Address => new Uri(_app.Urls.Single()).Authority;

    /// <summary>Starts it.</summary>
    /// <param name="script">One accepted socket; its request is there for the path and for <see cref="HttpContext.Abort"/>.</param>
    /// <param name="accept">How a request's socket is accepted; null refuses it with 403.</param>
    internal static async Task<WebSocketOrigin> StartAsync(
        Func<WebSocket, HttpContext, CancellationToken, Task> script, Func<WebSocketManager, WebSocketAcceptContext?>? accept = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.Run(async http =>
        {
            WebSocketAcceptContext? context = accept is null ? new WebSocketAcceptContext() : accept(http.WebSockets);
            if (context is null)
            {
                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            }
            using WebSocket socket = await http.WebSockets.AcceptWebSocketAsync(context);
            await script(socket, http, app.Lifetime.ApplicationStopping);
        });
        await app.StartAsync();
        return new WebSocketOrigin(app);
    }

    /// <summary>Sends every message back, in the fragments it came in, until the client closes; then answers the close.</summary>
    internal static async Task EchoAsync(WebSocket socket, HttpContext http, CancellationToken token)
    {
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult received = await socket.ReceiveAsync(buffer.AsMemory(), token);
            if (received.MessageType == WebSocketMessageType.Close) break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, token);
        }
        await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, socket.CloseStatusDescription, token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
