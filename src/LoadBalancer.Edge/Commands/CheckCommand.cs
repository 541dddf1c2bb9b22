using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
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
        var command = new ExplainedCommand("check", "Reads a configuration file and prints every problem with line and column. Opens no socket and asks no DNS.", """
            Examples:
              lb check                       ./lb.json, then /etc/lb/lb.json
              lb check edge.json --json      for scripts

            Exit codes: 0 the file can be run, 1 it cannot, 2 wrong usage.
            """) { file, config, json };
        command.Validators.Add(result =>
        {
            if (result.GetResult(file) is { Tokens.Count: > 0 } && result.GetResult(config) is { Implicit: false })
                result.AddError("a file and '--config' were both given; expected one of them");
        });
        command.SetAction(parsed => Check(parsed.GetValue(file) ?? parsed.GetValue(config), parsed.GetValue(json)));
        return command;
    }

    private static int Check(string? given, bool asJson)
    {
        if (ConfigLocation.Find(given) is not { } path) return ExitCode.Problem;
        ConfigReadResult result = ConfigFile.Load(path);
        if (asJson) Console.Out.WriteLine(Json(path, result));
        else if (result.Config is { } config) Console.Out.WriteLine($"{path}: ok: {Summary(config)}");
        else
        {
            foreach (ConfigDiagnostic problem in result.Problems) Console.Error.WriteLine(problem);
            Console.Error.WriteLine(result.Problems.Count == 1 ? "1 problem" : $"{result.Problems.Count} problems");
        }
        return result.Config is null ? ExitCode.Problem : ExitCode.Ok;
    }

    internal static string Summary(ProxyConfig config) => string.Join(", ",
        Count(config.Listeners.Count, "listener"), Count(config.Routes.Count, "route"), Count(config.Clusters.Count, "cluster"),
        Count(config.Clusters.Values.Sum(c => c.Destinations.Count), "destination"));

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static string Json(string path, ConfigReadResult result)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("file", path);
            json.WriteBoolean("ok", result.Config is not null);
            json.WriteStartArray("problems");
            foreach (ConfigDiagnostic problem in result.Problems)
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
