using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Reports;

/// <summary>An experiment for other programs. Times are in milliseconds.</summary>
public static class DataReports
{
    /// <summary>Version of the JSON report's form; grows when a reader would have to change.</summary>
    public const int SchemaVersion = 1;

    private static readonly (string Name, double Quantile)[] s_quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

    /// <summary>One line for each run, with a head.</summary>
    public static string Csv(ExperimentResult result)
    {
        var text = new StringBuilder("scenario,algorithm,seed,requests,measured,errors,retries,p50_ms,p90_ms,p99_ms,p99.9_ms,max_ms,mean_ms,imbalance,hash\n");
        string scenario = result.Scenario.Name.AsSpan().ContainsAny(",\"\n\r") ? $"\"{result.Scenario.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : result.Scenario.Name;
        foreach (RunResult run in result.Algorithms.SelectMany(algorithm => algorithm.Runs))
        {
            text.Append($"{scenario},{run.Algorithm},{run.Seed},{run.Requests},{run.Measured},{run.Errors},{run.Retries}");
            foreach ((_, double quantile) in s_quantiles) text.Append($",{run.Latency.Quantile(quantile) / 1e6:0.####}");
            text.Append($",{run.Latency.Max / 1e6:0.####},{run.Latency.Mean / 1e6:0.####},{run.Imbalance:0.####},{run.Hash:x16}\n");
        }
        return text.ToString();
    }

    /// <summary>Everything: the scenario, estimates, runs and servers.</summary>
    public static string Json(ExperimentResult result, string version)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteString("version", version);
            json.WriteString("resultHash", result.Hash);
            json.WritePropertyName("scenario");
            json.WriteRawValue(ScenarioFile.Write(result.Scenario));
            json.WriteStartArray("algorithms");
            foreach (AlgorithmResult algorithm in result.Algorithms) Write(json, algorithm);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, AlgorithmResult algorithm)
    {
        json.WriteStartObject();
        json.WriteString("name", algorithm.Name);
        foreach ((string name, double quantile) in s_quantiles) Write(json, name + "Ms", algorithm.Quantile(quantile).Times(1e-6));
        Write(json, "meanMs", algorithm.Mean.Times(1e-6));
        Write(json, "errorShare", algorithm.ErrorShare);
        Write(json, "imbalance", algorithm.Imbalance);
        if (algorithm.P99OverBest is { } over) Write(json, "p99OverBest", over);
        json.WriteStartArray("runs");
        foreach (RunResult run in algorithm.Runs)
        {
            json.WriteStartObject();
            json.WriteNumber("seed", run.Seed);
            json.WriteNumber("requests", run.Requests);
            json.WriteNumber("errors", run.Errors);
            json.WriteNumber("retries", run.Retries);
            foreach ((string name, double quantile) in s_quantiles) Write(json, name + "Ms", run.Latency.Quantile(quantile) / 1e6);
            Write(json, "meanMs", run.Latency.Mean / 1e6);
            Write(json, "imbalance", run.Imbalance);
            json.WriteString("hash", run.Hash.ToString("x16"));
            json.WriteStartArray("servers");
            foreach (ServerResult server in run.Servers)
            {
                json.WriteStartObject();
                json.WriteString("name", server.Name);
                Write(json, "share", server.Share);
                Write(json, "utilization", server.Utilization);
                Write(json, "inFlightMean", server.InFlightMean);
                json.WriteNumber("inFlightMax", server.InFlightMax);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Estimate estimate)
    {
        json.WriteStartObject(name);
        Write(json, "mean", estimate.Mean);
        if (double.IsFinite(estimate.HalfWidth)) Write(json, "halfWidth", estimate.HalfWidth);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 6));
}
