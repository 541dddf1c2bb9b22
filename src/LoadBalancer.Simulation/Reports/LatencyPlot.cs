using System.Text;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Reports;

/// <summary>Cumulative distributions of latency as one SVG: log time against log of the part that is slower.</summary>
internal static class LatencyPlot
{
    private const int Width = 960, Height = 420, Left = 60, Right = 190, Top = 12, Bottom = 40;
    private const double NinesMax = 4; // up to 99.99 %
    private const int Points = 160;
    private static readonly (string Label, double Nines)[] s_rows = [("0 %", 0), ("50 %", 0.30103), ("90 %", 1), ("99 %", 2), ("99.9 %", 3), ("99.99 %", 4)];

    internal static string Write(ExperimentResult result)
    {
        AlgorithmResult[] drawn = [.. result.Algorithms.Where(algorithm => algorithm.Latency.Count > 0)];
        if (drawn.Length == 0) return "<p>No request was answered.</p>";
        double min = Math.Log10(Math.Max(1, drawn.Min(algorithm => algorithm.Latency.Quantile(0.01))));
        double max = Math.Max(min + 0.5, Math.Log10(Math.Max(1, drawn.Max(algorithm => algorithm.Latency.Quantile(0.9999)))));
        double X(double nanoseconds) => Left + (Math.Log10(Math.Max(1, nanoseconds)) - min) / (max - min) * (Width - Left - Right);
        double Y(double nines) => Height - Bottom - nines / NinesMax * (Height - Top - Bottom);

        var svg = new StringBuilder($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Latency distribution of each algorithm\">\n");
        foreach ((string label, double nines) in s_rows)
            svg.Append($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(nines):0.#}\" y2=\"{Y(nines):0.#}\"/><text x=\"{Left - 8}\" y=\"{Y(nines) + 4:0.#}\" text-anchor=\"end\">{label}</text>\n");
        bool isNarrow = max - min < 3;
        for (int decade = (int)Math.Floor(min); decade <= max; decade++)
        {
            foreach (int step in isNarrow ? [1, 2, 5] : new[] { 1 })
            {
                double time = step * Math.Pow(10, decade), x = X(time);
                if (x < Left || x > Width - Right) continue;
                svg.Append($"<line class=\"grid\" x1=\"{x:0.#}\" x2=\"{x:0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text x=\"{x:0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{SimTime.Format(time)}</text>\n");
            }
        }
        for (int i = 0; i < result.Algorithms.Count; i++)
        {
            AlgorithmResult algorithm = result.Algorithms[i];
            if (algorithm.Latency.Count == 0) continue;
            var path = new StringBuilder();
            for (int point = 0; point <= Points; point++)
            {
                double nines = NinesMax * point / Points, quantile = 1 - Math.Pow(10, -nines);
                if ((1 - quantile) * algorithm.Latency.Count < 1) break; // no request left to tell
                double x = Math.Max(Left, X(algorithm.Latency.Quantile(quantile)));
                path.Append($"{(point == 0 ? 'M' : 'L')}{x:0.#} {Y(nines):0.#}");
            }
            svg.Append($"<path class=\"curve\" style=\"stroke:{HtmlReport.Colour(i)}{(i >= 10 ? ";stroke-dasharray:6 4" : "")}\" d=\"{path}\"><title>{algorithm.Name}</title></path>\n");
            int y = Top + 16 + 20 * i;
            svg.Append($"<rect x=\"{Width - Right + 20}\" y=\"{y - 9}\" width=\"12\" height=\"4\" style=\"fill:{HtmlReport.Colour(i)}\"/><text x=\"{Width - Right + 40}\" y=\"{y - 2}\">{algorithm.Name}</text>\n");
        }
        return svg.Append("</svg>").ToString();
    }
}
