using System.Net;
using System.Text;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Reports;

/// <summary>An experiment as one page without anything from elsewhere: table, latency distribution, load of every server over time.</summary>
public static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c1e21; --soft: #63686f; --line: #d9dce0; --page: #ffffff; --heat: #b4460a;
          --c0: #1f6fd0; --c1: #c2410c; --c2: #15803d; --c3: #7c3aed; --c4: #a16207; --c5: #0e7490; --c6: #be185d; --c7: #4d7c0f; --c8: #6b7280; --c9: #9f1239; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e7e9ec; --soft: #9aa1aa; --line: #363b42; --page: #16181b; --heat: #ff9a5c;
            --c0: #6cabff; --c1: #ff8a5c; --c2: #5fd38a; --c3: #b79bff; --c4: #e6b94d; --c5: #54c8e0; --c6: #ff85b8; --c7: #a9d65c; --c8: #a7aeb8; --c9: #ff8fa3; } }
        body { margin: 2rem auto; max-width: 70rem; padding: 0 1.25rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        h1 { font-size: 1.5rem; margin-bottom: .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; } h3 { font-size: .95rem; margin: 1.25rem 0 .25rem; }
        p, figcaption { color: var(--soft); max-width: 48rem; } figure { margin: 0; } .wide { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
        th, td { padding: .3rem .75rem; text-align: right; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; padding-left: 0; }
        th { font-weight: 600; } td small { color: var(--soft); } tr.best td { font-weight: 600; }
        .swatch { display: inline-block; width: .7rem; height: .7rem; margin-right: .5rem; border-radius: 2px; }
        svg { display: block; width: 100%; min-width: 36rem; height: auto; } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
        .grid { stroke: var(--line); } .curve { fill: none; stroke-width: 2; } .curve:hover { stroke-width: 4; } .cell { fill: var(--heat); }
        details pre { overflow-x: auto; font-size: 13px; } code { font-size: 13px; }
        """;

    private static readonly (string Name, double Quantile)[] s_quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

    /// <summary>The page.</summary>
    /// <param name="result">What it shows.</param>
    /// <param name="version">Version of the program, for the foot.</param>
    public static string Write(ExperimentResult result, string version)
    {
        var page = new StringBuilder();
        string name = WebUtility.HtmlEncode(result.Scenario.Name);
        page.Append($"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{name}: balancing algorithms compared</title>\n<style>\n{Style}\n</style></head><body>\n");
        page.Append($"<h1>{name}</h1>\n<p>{WebUtility.HtmlEncode(TextReport.Heading(result))}.</p>\n");
        Table(page, result);
        page.Append("<h2>Latency</h2>\n<figure class=\"wide\">");
        page.Append(LatencyPlot.Write(result));
        page.Append("<figcaption>How slow the slowest are: the part of requests (up) answered within a time (right). A curve further left is better. Both scales are logarithmic.</figcaption></figure>\n");
        double most = LoadPlot.ScaleOf(result);
        page.Append($"<h2>Load of every server over time</h2>\n<p>Requests in flight per core, first seed: from none to {most:0.#} or more, which has the full colour. A row that stands out is a server that gets too much; columns that stand out are times in which everything waits.</p>\n");
        foreach (AlgorithmResult algorithm in result.Algorithms)
            page.Append($"<h3>{algorithm.Name}</h3>\n<figure class=\"wide\">{LoadPlot.Write(algorithm.Runs[0], result.Scenario, most)}</figure>\n");
        page.Append($"<h2>Repeat it</h2>\n<p>Result hash <code>{result.Hash}</code>: the same scenario, algorithms and seeds give it on every machine. lb {WebUtility.HtmlEncode(version)}.</p>\n");
        page.Append($"<details><summary>scenario.json</summary><pre>{WebUtility.HtmlEncode(ScenarioFile.Write(result.Scenario))}</pre></details>\n</body></html>\n");
        return page.ToString();
    }

    /// <summary>Colour of the algorithm in that place.</summary>
    internal static string Colour(int index) => $"var(--c{index % 10})";

    private static void Table(StringBuilder page, ExperimentResult result)
    {
        page.Append("<div class=\"wide\"><table><tr><th>algorithm</th>");
        foreach ((string name, _) in s_quantiles) page.Append($"<th>{name} ms</th>");
        page.Append("<th>mean ms</th><th>errors %</th><th>imbalance</th><th>p99 vs best</th></tr>\n");
        for (int i = 0; i < result.Algorithms.Count; i++)
        {
            AlgorithmResult algorithm = result.Algorithms[i];
            page.Append($"<tr{(ReferenceEquals(algorithm, result.Best) ? " class=\"best\"" : "")}><td><span class=\"swatch\" style=\"background:{Colour(i)}\"></span>{algorithm.Name}</td>");
            foreach ((_, double quantile) in s_quantiles) Cell(page, algorithm.Quantile(quantile).Times(1e-6));
            Cell(page, algorithm.Mean.Times(1e-6));
            Cell(page, algorithm.ErrorShare.Times(100));
            Cell(page, algorithm.Imbalance);
            page.Append($"<td>{TextReport.Versus(algorithm, result)}</td></tr>\n");
        }
        page.Append("</table></div>\n<p>Imbalance: the most in flight per core on any server over the mean, 1 is perfect. \"Tie\": the 95 % interval of the paired differences contains 0; \"unclear\": it does and is wide, more seeds would tell. Fast failures are not in the latencies.</p>\n");
    }

    private static void Cell(StringBuilder page, Estimate estimate)
    {
        string text = TextReport.Text(estimate);
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        page.Append(space < 0 ? $"<td>{text}</td>" : $"<td>{text[..space]} <small>{text[(space + 1)..]}</small></td>");
    }
}
