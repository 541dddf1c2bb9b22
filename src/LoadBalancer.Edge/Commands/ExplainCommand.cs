using System.CommandLine;
using System.Globalization;
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Edge.Logging;
using LoadBalancer.Edge.Rehearsal;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb explain</c></summary>
internal static class ExplainCommand
{
    private const int DrawnPicks = 1000;

    internal static Command Create()
    {
        var method = new Argument<string>("method") { Description = "Method, as in GET" };
        var url = new Argument<string>("url") { Description = "URL, or a path" };
        Option<string?> config = ConfigLocation.Option();
        var headers = new Option<string[]>("--header", "-H") { Description = "A header, as in \"Authorization: Bearer …\"; may be given several times", HelpName = "name: value", AllowMultipleArgumentsPerToken = false };
        var data = new Option<string?>("--data", "-d") { Description = "The body" };
        var from = new Option<string>("--from") { Description = "The client's address", DefaultValueFactory = _ => "127.0.0.1" };
        var listener = new Option<string?>("--listener") { Description = "Name of the listener [default: the first]" };
        var command = new ExplainedCommand("explain", "Tells what a configuration makes of a request: its route, what each policy says, what is forwarded, and to whom. No destination is asked.", """
            The request goes through the whole of the balancer, in this process; fake destinations take the place of the real ones.

            Examples:
              lb explain GET http://api.example.com/v1/users/7 -H "Authorization: Bearer $TOKEN"
              lb explain POST /orders -d '{"item":1}' -H "Content-Type: application/json" --from 192.0.2.1

            Exit codes: 0 it is explained, 1 the configuration cannot be run, 2 wrong usage.
            """) { method, url, config, headers, data, from, listener };
        command.Validators.Add(result =>
        {
            foreach (string header in result.GetValue(headers) ?? [])
                if (header.IndexOf(':', StringComparison.Ordinal) <= 0) result.AddError($"\"{header}\" is no header; expected \"name: value\"");
            if (result.GetResult(from) is { Implicit: false } && !System.Net.IPAddress.TryParse(result.GetValue(from), out _)) result.AddError($"\"{result.GetValue(from)}\" is no IP address");
        });
        command.SetAction((parsed, token) => ExplainAsync(parsed.GetValue(config), new RehearsedRequest
        {
            Method = parsed.GetValue(method)!,
            Url = parsed.GetValue(url)!,
            Headers = [.. (parsed.GetValue(headers) ?? []).Select(header => new KeyValuePair<string, string>(header[..header.IndexOf(':', StringComparison.Ordinal)].Trim(), header[(header.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()))],
            Body = parsed.GetValue(data) is { } body ? Encoding.UTF8.GetBytes(body) : null,
            From = parsed.GetValue(from)!,
            Listener = parsed.GetValue(listener),
        }, token));
        return command;
    }

    private static async Task<int> ExplainAsync(string? given, RehearsedRequest request, CancellationToken token)
    {
        if (ConfigLocation.Find(given) is not { } path) return ExitCode.Problem;
        ConfigReadResult result = await ConfigLocation.LoadAsync(path);
        if (result.Config is not { } config)
        {
            foreach (ConfigDiagnostic problem in result.Problems) Console.Error.WriteLine(problem);
            return ExitCode.Problem;
        }
        if (request.Listener is { } listener && !config.Listeners.ContainsKey(listener))
        {
            Console.Error.WriteLine($"lb: there is no listener {CharacterText.Quote(listener)}{Suggestion.Text(listener, [.. config.Listeners.Keys])}");
            return ExitCode.Usage;
        }
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging.AddProvider(new LineLoggerProvider(Console.Error, LogLevel.Warning, TimeProvider.System)));
        try
        {
            await using Stage stage = await Stage.StartAsync(config, loggers);
            Print(config, stage.Server, await stage.SendAsync(request, token));
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UriFormatException or ConfigException or ListenException)
        {
            Console.Error.WriteLine($"lb: {e.Message}");
            return ExitCode.Problem;
        }
    }

    private static void Print(ProxyConfig config, ProxyServer server, RehearsedExchange exchange)
    {
        TextWriter output = Console.Out;
        output.WriteLine($"route     {exchange.Record.Route ?? "none"}");
        if (exchange.Record.Subject is { } subject) output.WriteLine($"subject   {subject}");
        if (exchange.Record.Route is { } route)
        {
            foreach (string policy in config.Routes[route].Policies)
            {
                PolicyVerdict? verdict = exchange.Record.Verdicts.FirstOrDefault(one => one.Policy == policy);
                output.WriteLine($"policy    {policy} ({config.Policies[policy].Kind}): {(verdict is null ? "not asked" : verdict.IsPassed ? "pass" : $"answers {verdict.Status} {verdict.Reason}{(verdict.Detail is { } detail ? $": {detail}" : "")}")}");
            }
        }
        foreach (FakeRequest asked in exchange.Asked.Where(asked => asked != exchange.Forwarded)) output.WriteLine($"asked     {asked.Cluster}: {asked.Method} {asked.Target}");
        if (exchange.Forwarded is { } forwarded)
        {
            output.WriteLine($"forwards  {forwarded.Method} {forwarded.Target}");
            foreach ((string name, string value) in forwarded.Headers) output.WriteLine($"            {name}: {value}");
            if (forwarded.Body.Length > 0) output.WriteLine($"            and {forwarded.Body.Length} bytes of content");
            Candidates(config, server, exchange.Record.Cluster!);
        }
        else
        {
            output.WriteLine($"answers   {exchange.Status}");
            foreach ((string name, string value) in exchange.Headers) output.WriteLine($"            {name}: {value}");
        }
        output.WriteLine($"ends as   {exchange.Record.Reason}{(exchange.Record.RefusedBy is { } by ? $", refused by {by}" : "")}");
    }

    // As the balancing would spread them while all are well: the same algorithm, asked again and again.
    private static void Candidates(ProxyConfig config, ProxyServer server, string cluster)
    {
        Console.Out.WriteLine($"cluster   {cluster}, balanced by {config.Clusters[cluster].Balance}");
        IReadOnlyDictionary<string, int> picks = server.DrawPicks(cluster, DrawnPicks);
        List<string[]> rows = [["            destination", "address", "weight", "tier", "zone", "picked"]];
        foreach ((string name, DestinationConfig destination) in config.Clusters[cluster].Destinations)
        {
            rows.Add([$"            {name}", destination.Address, destination.Weight.ToString(CultureInfo.InvariantCulture), destination.Tier.ToString(CultureInfo.InvariantCulture),
                destination.Zone ?? "-", string.Create(CultureInfo.InvariantCulture, $"{picks.GetValueOrDefault(name) * 100.0 / DrawnPicks:0.#} %")]);
        }
        if (rows.Count > 1) TextTable.Write(rows);
        else Console.Out.WriteLine("            its destinations are found while it runs");
    }
}
