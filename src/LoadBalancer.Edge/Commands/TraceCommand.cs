using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb trace</c></summary>
internal static class TraceCommand
{
    private const int ShownMax = 60; // of a target, in a table

    internal static Command Create()
    {
        var id = new Argument<string?>("id") { Description = "Request id or trace id; without it the last requests are listed", Arity = ArgumentArity.ZeroOrOne };
        var cluster = new Option<string?>("--cluster", "-c") { Description = "Only requests of that cluster", HelpName = "name" };
        var count = new Option<int>("--count", "-n") { Description = "How many are listed at most", HelpName = "number", DefaultValueFactory = _ => 50 };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 500) result.AddError("'--count' is out of range; expected 1 to 500");
        });
        var command = new ExplainedCommand("trace", "Shows what became of the requests that a running balancer has served last: every attempt, its times and its end.", $"""
            Examples:
              lb trace                                   the last 50, of all clusters
              lb trace --cluster api --count 10
              lb trace 4bf92f3577b34da6a3ce929d0e0e4736  one request, by its id or its trace's
              lb trace --json --admin unix:/run/lb/admin.sock

            How many are kept for each cluster is "recentRequests" of the configuration.
            Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
            Exit codes: 0 done, 1 not found, refused or nobody there, 2 wrong usage.
            """) { id, cluster, count, AdminAsk.Admin, AdminAsk.Json };
        command.Validators.Add(result =>
        {
            if (result.GetResult(id) is { Tokens.Count: > 0 } && result.GetResult(cluster) is { Implicit: false }) result.AddError("an id and '--cluster' were both given; expected one of them");
        });
        command.SetAction((parsed, cancellation) => parsed.GetValue(id) is { } one
            ? AdminAsk.SendAsync(parsed, "GET", $"/trace/{Uri.EscapeDataString(one)}", null, PrintOne, cancellation)
            : AdminAsk.SendAsync(parsed, "GET", $"/trace?count={parsed.GetValue(count).ToString(CultureInfo.InvariantCulture)}{(parsed.GetValue(cluster) is { } name ? $"&cluster={Uri.EscapeDataString(name)}" : "")}", null, PrintAll, cancellation));
        return command;
    }

    // Each member in a line of its own, each attempt too.
    private static void PrintOne(byte[] answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        bool isFirst = true;
        foreach (JsonElement request in document.RootElement.GetProperty("requests").EnumerateArray())
        {
            if (!isFirst) Console.Out.WriteLine();
            isFirst = false;
            foreach (JsonProperty property in request.EnumerateObject())
            {
                if (property.Name == "tries")
                {
                    foreach ((int index, JsonElement attempt) in property.Value.EnumerateArray().Index()) Console.Out.WriteLine($"{$"try {index + 1}",-16}{string.Join(", ", attempt.EnumerateObject().Select(part => $"{part.Name} {Shown(part.Value)}"))}");
                }
                else Console.Out.WriteLine($"{property.Name,-16}{Shown(property.Value)}");
            }
        }
    }

    private static void PrintAll(byte[] answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        string[][] rows = [.. document.RootElement.GetProperty("requests").EnumerateArray().Select(Row)];
        if (rows.Length == 0) Console.Out.WriteLine("No request has ended yet.");
        else TextTable.Write([["TIME", "ID", "REQUEST", "STATUS", "END", "DESTINATION", "ATTEMPTS", "MS"], .. rows]);
    }

    private static string[] Row(JsonElement request)
    {
        string time = Text(request, "time"), what = $"{Text(request, "method")} {Text(request, "target")}";
        return
        [
            time.Length > 23 ? time[11..23] : time, Text(request, "id"), what.Length > ShownMax ? $"{what[..(ShownMax - 3)]}..." : what, Number(request, "status").ToString(CultureInfo.InvariantCulture), Text(request, "end"),
            Text(request, "destination"), Number(request, "attempts").ToString(CultureInfo.InvariantCulture), (Number(request, "totalUs") / 1000.0).ToString("0.0", CultureInfo.InvariantCulture),
        ];
    }

    private static string Text(JsonElement request, string name) => request.TryGetProperty(name, out JsonElement value) ? Shown(value) : "-";

    // As it is escaped in JSON, and without what JSON need not escape: nothing that a client has sent reaches the terminal as a control character.
    private static string Shown(JsonElement value) => TerminalText.Clean(value.ValueKind == JsonValueKind.String ? value.GetRawText()[1..^1] : value.GetRawText());

    private static long Number(JsonElement request, string name) => request.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;
}
