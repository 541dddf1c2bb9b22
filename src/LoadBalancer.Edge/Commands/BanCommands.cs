using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb limits ban</c>, <c>unban</c> and <c>bans</c></summary>
internal static class BanCommands
{
    private static Argument<string> Block => new("address") { Description = "An address, or a block such as 203.0.113.0/24" };

    internal static Command Ban()
    {
        Argument<string> block = Block;
        var time = new Option<string>("--for") { Description = "How long, 1s to 365d; 0 for until it is ended", HelpName = "duration", DefaultValueFactory = _ => "1h" };
        var reason = new Option<string>("--reason") { Description = "For whoever lists bans", HelpName = "text", DefaultValueFactory = _ => "" };
        var force = new Option<bool>("--force") { Description = "Ban also what is wider than an IPv4 /8 or an IPv6 /16" };
        var command = new Command("ban", "Keeps addresses out for a time; repeated, it changes that.") { block, time, reason, force };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(
            parsed, "PUT", Path(parsed.GetValue(block)!), Body(parsed.GetValue(time)!, parsed.GetValue(reason)!, parsed.GetValue(force)), _ => { }, cancellation));
        return command;
    }

    internal static Command Unban()
    {
        Argument<string> block = Block;
        var command = new Command("unban", "Ends the ban of exactly this address or block.") { block };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "DELETE", Path(parsed.GetValue(block)!), null, _ => { }, cancellation));
        return command;
    }

    internal static Command List()
    {
        var command = new Command("bans", "Lists who is banned, until when and why.");
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "GET", "/bans", null, Print, cancellation));
        return command;
    }

    private static string Path(string block) => $"/bans/{Uri.EscapeDataString(block)}";

    private static string Body(string time, string reason, bool force)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("for", time);
            json.WriteString("reason", reason);
            json.WriteBoolean("force", force);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Print(byte[] answer)
    {
        if (JsonSerializer.Deserialize(answer, AdminJson.Default.BanList) is not { Bans: { } bans }) throw new JsonException();
        if (bans.Count == 0) Console.Out.WriteLine("Nobody is banned.");
        else TextTable.Write([["ADDRESS", "UNTIL", "REASON"], .. bans.Select(ban => new[] { ban.Block, ban.Until?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "unbanned", ban.Reason })]);
    }
}
