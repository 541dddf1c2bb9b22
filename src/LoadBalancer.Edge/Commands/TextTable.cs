namespace LoadBalancer.Edge.Commands;

/// <summary>Rows for people, the first of them the headings. What destinations and clients have sent is shown without control characters.</summary>
internal static class TextTable
{
    internal static void Write(List<string[]> rows)
    {
        foreach (string line in Lay(rows)) Console.Out.WriteLine(line);
    }

    internal static IEnumerable<string> Lay(IEnumerable<string[]> rows)
    {
        string[][] cells = [.. rows.Select(row => row.Select(TerminalText.Clean).ToArray())];
        int[] widths = [.. cells[0].Select((_, column) => cells.Max(row => row[column].Length))];
        return cells.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
