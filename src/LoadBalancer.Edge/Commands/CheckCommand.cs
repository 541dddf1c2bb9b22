using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery;
using LoadBalancer.Hosting;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb check</c></summary>
internal static class CheckCommand
{
    internal static Command Create()
    {
        var file = new Argument<string?>("file") { Description = "Configuration file", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> config = ConfigLocation.Option();
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object on standard output" };
        var resolve = new Option<bool>("--resolve") { Description = "Also look up every name; one that is not answered is a problem" };
        var command = new ExplainedCommand("check", "Reads a configuration file and prints every problem with line and column. Opens no socket and asks no DNS, unless told to.", """
            Examples:
              lb check                       ./lb.json, then /etc/lb/lb.json
              lb check edge.json --json      for scripts
              lb check --resolve             also asks DNS for every name

            Exit codes: 0 the file can be run, 1 it cannot, 2 wrong usage.
            """) { file, config, json, resolve };
        command.Validators.Add(result =>
        {
            if (result.GetResult(file) is { Tokens.Count: > 0 } && result.GetResult(config) is { Implicit: false })
                result.AddError("a file and '--config' were both given; expected one of them");
        });
        command.SetAction((parsed, token) => CheckAsync(parsed.GetValue(file) ?? parsed.GetValue(config), parsed.GetValue(json), parsed.GetValue(resolve), token));
        return command;
    }

    private static async Task<int> CheckAsync(string? given, bool asJson, bool resolve, CancellationToken token)
    {
        if (ConfigLocation.Find(given) is not { } path) return ExitCode.Problem;
        ConfigReadResult result = await ConfigLocation.LoadAsync(path);
        var fleet = new FleetCheck(path);
        if (result.Config is { } read)
        {
            fleet.Files(read);
            fleet.AccessLog(read);
            if (resolve) await fleet.NamesAsync(read, new DnsResolver(), token);
        }
        ConfigDiagnostic[] problems = [.. result.Problems, .. fleet.Problems];
        if (asJson) Console.Out.WriteLine(Json(path, problems));
        else
        {
            foreach (string note in fleet.Notes) Console.Error.WriteLine($"{path}: {note}");
            foreach (ConfigDiagnostic problem in problems) Console.Error.WriteLine(problem);
            if (problems.Length > 0) Console.Error.WriteLine(problems.Length == 1 ? "1 problem" : $"{problems.Length} problems");
            else Console.Out.WriteLine($"{path}: ok: {Summary(result.Config!)}");
        }
        return problems.Length > 0 ? ExitCode.Problem : ExitCode.Ok;
    }

    internal static string Summary(ProxyConfig config) => string.Join(", ",
        Count(config.Listeners.Count, "listener"), Count(config.Routes.Count, "route"), Count(config.Clusters.Count, "cluster"),
        Count(config.Clusters.Values.Sum(c => c.Destinations.Count), "destination"))
        + (config.Clusters.Values.Sum(c => c.Discover.Count) is > 0 and int sources ? $", {Count(sources, "source")} of more" : "");

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static string Json(string path, ConfigDiagnostic[] problems)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("file", path);
            json.WriteBoolean("ok", problems.Length == 0);
            json.WriteStartArray("problems");
            foreach (ConfigDiagnostic problem in problems)
            {
                json.WriteStartObject();
                json.WriteString("file", problem.File);
                json.WriteNumber("line", problem.Line);
                json.WriteNumber("column", problem.Column);
                json.WriteString("path", problem.Path);
                json.WriteString("message", problem.Message);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
