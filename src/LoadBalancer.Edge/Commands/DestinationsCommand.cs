using System.CommandLine;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb destinations</c></summary>
internal static class DestinationsCommand
{
    internal static Command Create() => new ExplainedCommand("destinations", "Shows and changes who gets the requests of a running balancer.", $"""
        Examples:
          lb destinations list app
          lb destinations drain app web-1                          finishes what it has, gets nothing new
          lb destinations enable app web-1
          lb destinations add app web-3 10.0.0.3:80 --lease 10m    until then, or until it is repeated; for clusters with "registration": true
          lb destinations remove app web-3
          lb destinations list --json --admin unix:/run/lb/admin.sock

        Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
        Exit codes: 0 done, 1 refused or nobody there, 2 wrong usage.
        """) { List(), Add(), Verb("remove", "Removes a destination that was registered.", "DELETE", ""), Verb("drain", "Gives it nothing new; what it has is finished.", "POST", ":drain"),
            Verb("enable", "Ends draining.", "POST", ":enable"), AdminAsk.Admin, AdminAsk.Json };

    private static Argument<string> Cluster => new("cluster") { Description = "Name of the cluster" };

    private static Argument<string> Id => new("id") { Description = "Name of the destination" };

    private static Command List()
    {
        var cluster = new Argument<string?>("cluster") { Description = "Name of a cluster; without it the clusters are listed", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("list", "Lists the destinations of a cluster, or the clusters.") { cluster };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "GET",
            parsed.GetValue(cluster) is { } name ? $"/clusters/{Uri.EscapeDataString(name)}/destinations" : "/clusters", null, Print, cancellation));
        return command;
    }

    private static Command Add()
    {
        Argument<string> cluster = Cluster, id = Id;
        var address = new Argument<string>("address") { Description = "host:port or unix:/path" };
        var weight = new Option<int>("--weight") { Description = "Share of the traffic relative to the others", DefaultValueFactory = _ => 1 };
        var tier = new Option<int>("--tier") { Description = "Priority: 0 is used first" };
        var lease = new Option<string>("--lease") { Description = "How long it stays without being renewed, 1s to 1h", DefaultValueFactory = _ => "1h" };
        var command = new Command("add", "Registers a destination for a time; repeated, it renews that.") { cluster, id, address, weight, tier, lease };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "PUT", Path(parsed.GetValue(cluster)!, parsed.GetValue(id)!),
            Body(parsed.GetValue(address)!, parsed.GetValue(weight), parsed.GetValue(tier), parsed.GetValue(lease)!), _ => { }, cancellation));
        return command;
    }

    private static Command Verb(string name, string description, string method, string suffix)
    {
        Argument<string> cluster = Cluster, id = Id;
        var command = new Command(name, description) { cluster, id };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, method, Path(parsed.GetValue(cluster)!, parsed.GetValue(id)!) + suffix, null, _ => { }, cancellation));
        return command;
    }

    private static string Path(string cluster, string id) => $"/clusters/{Uri.EscapeDataString(cluster)}/destinations/{Uri.EscapeDataString(id)}";

    private static string Body(string address, int weight, int tier, string lease)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("address", address);
            json.WriteNumber("weight", weight);
            json.WriteNumber("tier", tier);
            json.WriteString("lease", lease);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Print(byte[] answer)
    {
        if (JsonSerializer.Deserialize(answer, AdminJson.Default.DestinationList) is { Destinations: { } destinations })
        {
            TextTable.Write([["NAME", "ADDRESS", "WEIGHT", "TIER", "REQUESTS", "STATE", "FROM"],
                .. destinations.Select(d => new[] { d.Name, d.Address, $"{d.Weight}", $"{d.Tier}", $"{d.Outstanding}", d.Usable ? "usable" : string.Join(",", d.Reasons),
                    d.ExpiresAt is { } expires ? $"{d.Source}, until {expires:HH:mm:ss} UTC" : d.Source })]);
        }
        else if (JsonSerializer.Deserialize(answer, AdminJson.Default.ClusterList) is { Clusters: { } clusters })
        {
            TextTable.Write([["CLUSTER", "DESTINATIONS", "USABLE", "REQUESTS", "BALANCE", "REGISTRATION"],
                .. clusters.Select(c => new[] { c.Name, $"{c.Destinations}", $"{c.Usable}", $"{c.Outstanding}", c.Balance, c.Registration ? "yes" : "no" })]);
        }
    }
}
