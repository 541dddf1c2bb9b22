namespace LoadBalancer.Edge.Commands;

/// <summary>Rows for people, the first of them the headings.</summary>
internal static class TextTable
{
    internal static void Write(List<string[]> rows)
    {
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows) Console.Out.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
