using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Limiting.Addresses;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/bans</c>: who is kept out for a time. In effect before it is answered.</summary>
internal sealed class BanEndpoints(ProxyServer proxy, TimeProvider time, ILogger logger)
{
    internal Task List(AdminExchange exchange, CancellationToken aborted) => exchange.Json(
        200, new BanList([.. proxy.Bans.OrderBy(ban => ban.Block.First).Select(BanEntry.Of)], proxy.Config.BansMax), AdminJson.Default.BanList);

    internal Task Put(AdminExchange exchange, CancellationToken aborted)
    {
        string block = exchange.Value(0);
        if (!AddressBlockText.TryParse(block, out AddressBlock parsed, out string? problem)) return exchange.Refuse(400, $"{CharacterText.Quote(block)} {problem}");
        if (!BanRequest.TryRead(exchange.Request.Body, out BanRequest? request, out string detail, out IReadOnlyList<FieldProblem> problems)) return exchange.Refuse(400, detail, problems);
        if (!request!.Force && ProxyServer.IsTooWideToBan(parsed))
            return exchange.Refuse(409, $"{CharacterText.Quote(block)} is wider than /{ProxyServer.BanPrefixMinV4} of IPv4 or /{ProxyServer.BanPrefixMinV6} of IPv6; \"force\": true bans it all the same");
        bool isNew = !proxy.Guard.Bans.Has(parsed);
        Ban ban;
        try
        {
            ban = proxy.Ban(block, request.For == TimeSpan.Zero ? null : time.GetUtcNow() + request.For, request.Reason, request.Force, exchange.Who);
        }
        catch (InvalidOperationException e)
        {
            return exchange.Refuse(503, e.Message);
        }
        BanEntry entry = BanEntry.Of(ban);
        string end = entry.Until is { } until ? $"{until:u}" : "it is ended";
        AdminLog.Banned(logger, entry.Block, exchange.Who, end, entry.Reason);
        return exchange.Json(isNew ? 201 : 200, entry, AdminJson.Default.BanEntry);
    }

    internal Task Remove(AdminExchange exchange, CancellationToken aborted)
    {
        string block = exchange.Value(0);
        if (!AddressBlockText.TryParse(block, out AddressBlock parsed, out string? problem)) return exchange.Refuse(400, $"{CharacterText.Quote(block)} {problem}");
        string shown = AddressBlockText.Format(parsed);
        if (!proxy.Unban(block, exchange.Who)) return exchange.Refuse(404, $"there is no ban of exactly {shown}");
        AdminLog.Unbanned(logger, shown, exchange.Who);
        return exchange.Empty(204);
    }
}

/// <summary>A ban as it is shown.</summary>
internal sealed record BanEntry(string Block, DateTimeOffset? Until, string Reason)
{
    internal static BanEntry Of(Ban ban) => new(AddressBlockText.Format(ban.Block), ban.Until, ban.Reason);
}

internal sealed record BanList(IReadOnlyList<BanEntry> Bans, int Max);
