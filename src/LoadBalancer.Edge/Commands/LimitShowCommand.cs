using System.CommandLine;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb limits show</c></summary>
internal static class LimitShowCommand
{
    internal static Command Create()
    {
        var name = new Argument<string?>("name") { Description = "Name of a limit; without it all are listed, and the limits of clusters", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("show", "Lists limits with their counts since the start.") { name };
        command.SetAction((parsed, cancellation) => parsed.GetValue(name) is { } one
            ? AdminAsk.SendAsync(parsed, "GET", $"/limits/{Uri.EscapeDataString(one)}", null, PrintOne, cancellation)
            : AdminAsk.SendAsync(parsed, "GET", "/limits", null, PrintAll, cancellation));
        return command;
    }

    private static void PrintOne(byte[] answer) => Print([JsonSerializer.Deserialize(answer, AdminJson.Default.LimitEntry) is { Key: not null } limit ? limit : throw new JsonException()]);

    private static void PrintAll(byte[] answer)
    {
        if (JsonSerializer.Deserialize(answer, AdminJson.Default.LimitList) is not { Limits: { } limits, Clusters: { } clusters }) throw new JsonException();
        if (limits.Count == 0 && clusters.Count == 0) Console.Out.WriteLine("There are no limits.");
        if (limits.Count > 0) Print(limits);
        if (clusters.Count == 0) return;
        if (limits.Count > 0) Console.Out.WriteLine();
        TextTable.Write([["CLUSTER", "LIMIT", "REQUESTS", "ALLOWED", "REFUSED", "DRY RUN"],
            .. clusters.Select(c => new[] { c.Cluster, $"{c.Limit} ({c.Min} to {c.Max})", $"{c.Outstanding}", $"{c.Allowed}", $"{c.Refused}", c.DryRun ? "yes" : "no" })]);
    }

    private static void Print(IReadOnlyList<LimitEntry> limits) =>
        TextTable.Write([["LIMIT", "QUOTA", "KEY", "ROUTES", "ALLOWED", "REFUSED", "DRY RUN"],
            .. limits.Select(l => new[] { l.Name, Quota(l), l.Key.Count == 0 ? "everybody" : string.Join(" + ", l.Key), l.Routes.Count == 0 ? "none" : string.Join(",", l.Routes),
                $"{l.Allowed}", $"{l.Refused}", l.DryRun ? "yes" : "no" })]);

    private static string Quota(LimitEntry limit) => limit.Rate is null ? $"{limit.Concurrency} at a time" : limit.Burst is { } burst ? $"{limit.Rate}, burst {burst}" : $"{limit.Rate}, any window";
}
