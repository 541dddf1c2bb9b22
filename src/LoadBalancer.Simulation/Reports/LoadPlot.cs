using System.Text;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Reports;

/// <summary>Requests in flight per core as an SVG: a row for each server, time to the right, equal neighbours drawn as one cell.</summary>
internal static class LoadPlot
{
    private const int Width = 960, Left = 60, Right = 20, Bottom = 22;
    private const int Levels = 10;

    /// <summary>
    /// In flight per core that has the full colour: what 98 % of the cells of a middling algorithm stay within. Not of all together, or one
    /// algorithm that drowns would pale the others.
    /// </summary>
    internal static double ScaleOf(ExperimentResult result)
    {
        int[] cores = Cores(result.Scenario);
        double[] each = [.. result.Algorithms.Select(algorithm => HighOf(algorithm.Runs[0].Timeline, cores)).Order()];
        return each.Length == 0 ? 1 : Math.Max(1, each[each.Length / 2]);
    }

    internal static string Write(RunResult run, Scenario scenario, double most)
    {
        int[] cores = Cores(scenario);
        Timeline timeline = run.Timeline;
        int slices = Math.Max(1, timeline.Count), rowHeight = cores.Length <= 24 ? 9 : cores.Length <= 100 ? 4 : 2;
        int height = cores.Length * rowHeight + Bottom;
        double sliceWidth = (double)(Width - Left - Right) / slices;
        var svg = new StringBuilder($"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"Requests in flight per core of each server over time with {run.Algorithm}\">\n");
        for (int server = 0; server < cores.Length; server++)
        {
            int y = server * rowHeight;
            if (rowHeight == 9 && server % 2 == 0) svg.Append($"<text x=\"{Left - 8}\" y=\"{y + 9}\" text-anchor=\"end\" style=\"font-size:9px\">{run.Servers[server].Name}</text>");
            for (int from = 0, to; from < slices; from = to)
            {
                int level = LevelOf(timeline[server, from] / cores[server], most);
                to = from + 1;
                while (to < slices && LevelOf(timeline[server, to] / cores[server], most) == level) to++;
                if (level == 0) continue;
                svg.Append($"<rect class=\"cell\" x=\"{Left + from * sliceWidth:0.#}\" y=\"{y}\" width=\"{(to - from) * sliceWidth:0.#}\" height=\"{rowHeight - (rowHeight > 2 ? 1 : 0)}\" fill-opacity=\"{(double)level / Levels:0.0}\"/>");
            }
            svg.Append('\n');
        }
        double seconds = slices * timeline.SliceLength / 1e9;
        for (int tick = 0; tick <= 6; tick++)
        {
            string anchor = tick == 0 ? "start" : tick == 6 ? "end" : "middle";
            svg.Append($"<text x=\"{Left + (Width - Left - Right) * tick / 6.0:0.#}\" y=\"{height - 6}\" text-anchor=\"{anchor}\">{seconds * tick / 6:0.#} s</text>");
        }
        return svg.Append("\n</svg>").ToString();
    }

    private static double HighOf(Timeline timeline, int[] cores)
    {
        var values = new List<double>();
        for (int server = 0; server < cores.Length; server++)
            for (int slice = 0; slice < timeline.Count; slice++) values.Add(timeline[server, slice] / cores[server]);
        values.Sort();
        return values.Count == 0 ? 1 : values[(int)(values.Count * 0.98)];
    }

    private static int LevelOf(double perCore, double most) => (int)Math.Round(Math.Min(1, perCore / most) * Levels);

    private static int[] Cores(Scenario scenario) => [.. scenario.Servers.SelectMany(server => Enumerable.Repeat(server.Cores, server.Count))];
}
