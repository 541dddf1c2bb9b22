using System.Security.Cryptography;
using System.Text.Json;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/status</c> and <c>/config</c>: what the server is, and what it goes by.</summary>
/// <param name="proxy">The server.</param>
/// <param name="write">Writes a configuration without its secrets; null where nobody can.</param>
internal sealed class ServerEndpoints(ProxyServer proxy, Func<ProxyConfig, byte[]>? write)
{
    private sealed record Written(ProxyConfig Config, byte[] Text, string Hash);

    private Written? _written; // the last

    /// <summary>SHA-256 over the configuration as <c>/config</c> shows it, in hexadecimal; null where it cannot be shown.</summary>
    internal string? ConfigHash => Current?.Hash;

    internal Task Status(AdminExchange exchange, CancellationToken aborted)
    {
        ServerView view = proxy.DescribeServer();
        return exchange.Json(200, new ServerEntry(ProxyServer.Version, NameOf(view.State), view.StartedAt, Math.Floor(view.Uptime.TotalSeconds), view.Transport, view.Loops,
            [.. view.Listeners.Select(one => new ListenerEntry(one.Name, one.Address, one.Bound, one.Protocol))], ConfigHash,
            view.LastReload is { } reload ? new ReloadEntry(reload.Time, reload.Succeeded, reload.Text, reload.Actor) : null, proxy.Events.LastSequence), AdminJson.Default.ServerEntry);
    }

    internal Task Config(AdminExchange exchange, CancellationToken aborted)
    {
        if (Current is not { } written) return exchange.Refuse(404, "the program that embeds this balancer does not show its configuration");
        string tag = $"\"{written.Hash}\"";
        exchange.Response.AddField("ETag", tag);
        if (exchange.Request.Field("If-None-Match") is { } known && (known == "*" || known.Split(',').Any(one => one.Trim(' ') is var text && (text == tag || text == $"W/{tag}")))) return exchange.Empty(304);
        exchange.Response.AddField("Content-Type", "application/json");
        exchange.Response.AddField("X-Content-Type-Options", "nosniff");
        written.Text.CopyTo(exchange.Response.Body.GetSpan(written.Text.Length));
        exchange.Response.Body.Advance(written.Text.Length);
        return Task.CompletedTask;
    }

    internal static string NameOf(ServerState state) => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());

    // Written once for each configuration: it does not change.
    private Written? Current
    {
        get
        {
            if (write is null) return null;
            ProxyConfig config = proxy.Config;
            if (Volatile.Read(ref _written) is { } known && ReferenceEquals(known.Config, config)) return known;
            byte[] text = write(config);
            var written = new Written(config, text, Convert.ToHexStringLower(SHA256.HashData(text)));
            Volatile.Write(ref _written, written);
            return written;
        }
    }
}

/// <summary>The server as it is shown; <see cref="ServerView"/> says what the fields mean.</summary>
internal sealed record ServerEntry(string Version, string State, DateTimeOffset StartedAt, double UptimeSeconds, string Transport, int Loops, IReadOnlyList<ListenerEntry> Listeners, string? ConfigHash,
    ReloadEntry? LastReload, long LastEvent);

internal sealed record ListenerEntry(string Name, string Address, string? Bound, string Protocol);

internal sealed record ReloadEntry(DateTimeOffset Time, bool Succeeded, string Text, string? Actor);
