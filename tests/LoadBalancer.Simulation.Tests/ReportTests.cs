using System.Text.Json;
using System.Xml;
using LoadBalancer.Simulation.Reports;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Tests;

public sealed class ReportTests
{
    private static readonly ExperimentResult s_result = Experiment.Run(Make.Ready("black-hole", 5000), ["round-robin", "least-outstanding"], seeds: 2);

    [Test]
    public void Text_TwoAlgorithms_HasARowForEach()
    {
        string[] lines = TextReport.Write(s_result).Split('\n');
        Assert.That(lines[2], Does.Match("^algorithm +p50 +p90 +p99 +p99.9 +mean +errors % +imbalance +p99 vs best$"));
        Assert.That(lines[3], Does.StartWith("round-robin "));
        Assert.That(lines[4], Does.StartWith("least-outstanding "));
    }

    [Test]
    public void Csv_TwoAlgorithmsTwoSeeds_HasALineForEachRun()
    {
        string[] lines = DataReports.Csv(s_result).TrimEnd().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.That(lines.Select(line => line.Count(c => c == ',')), Is.All.EqualTo(14));
        Assert.That(lines[1], Does.StartWith("black-hole,round-robin,1,5000,4500,"));
    }

    [Test]
    public void Json_TwoAlgorithms_HoldsScenarioEstimatesAndRuns()
    {
        using JsonDocument document = JsonDocument.Parse(DataReports.Json(s_result, "1.2"));
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("schemaVersion").GetInt32(), Is.EqualTo(DataReports.SchemaVersion));
        Assert.That(root.GetProperty("resultHash").GetString(), Is.EqualTo(s_result.Hash));
        Assert.That(root.GetProperty("scenario").GetProperty("servers").GetArrayLength(), Is.EqualTo(2));
        JsonElement algorithm = root.GetProperty("algorithms")[1];
        Assert.That(algorithm.GetProperty("p99Ms").GetProperty("mean").GetDouble(), Is.Positive);
        Assert.That(algorithm.GetProperty("runs")[1].GetProperty("servers").GetArrayLength(), Is.EqualTo(16));
    }

    [Test]
    public void Html_Page_IsSelfContained_AndItsPlotsAreWellFormed()
    {
        string page = HtmlReport.Write(s_result, "1.2");
        Assert.That(page, Does.Not.Contain("http").And.Not.Contain("src=").And.Not.Contain("NaN").And.Not.Contain("∞"));
        Assert.That(page, Does.Contain("prefers-color-scheme: dark"));
        string[] plots = [.. page.Split("<svg").Skip(1).Select(rest => "<svg" + rest[..(rest.IndexOf("</svg>", StringComparison.Ordinal) + 6)])];
        Assert.That(plots, Has.Length.EqualTo(3), "latency, and load for each algorithm");
        foreach (string plot in plots) Assert.That(() => new XmlDocument().LoadXml(plot), Throws.Nothing);
    }
}
