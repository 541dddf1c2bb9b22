using System.Text.RegularExpressions;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Keeps docs/rfc-conformance.md, and that part of docs/caching.md, true: each row names tests that exist, or the reason why it has none.</summary>
public sealed partial class ConformanceListTests
{
    [TestCaseSource(nameof(Rows))]
    public void ARowNamesTestsThatExistOrAReason(string section, string lastCell)
    {
        string[] named = [.. TestName().Matches(lastCell).Select(m => m.Groups[1].Value)];
        Assert.That(named.Except(Sources.Tests), Is.Empty, $"§{section} names tests that do not exist");
        string rest = Separators().Replace(TestName().Replace(lastCell, ""), "");
        if (rest.Length > 0) Assert.That(rest, Does.Match("^(Departs|Does not apply): .{10,}"), $"§{section} has a reason of no known kind");
        else Assert.That(named, Is.Not.Empty, $"§{section} has neither test nor reason");
    }

    [Test]
    public void TheListIsRead() => Assert.That(Rows().Count(), Is.GreaterThan(150));

    private static IEnumerable<TestCaseData> Rows() => RowsOf("rfc-conformance.md", "# RFC conformance").Concat(RowsOf("caching.md", "## Conformance"));

    private static IEnumerable<TestCaseData> RowsOf(string document, string heading)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", document));
        int first = Array.IndexOf(lines, heading);
        if (first < 0) throw new FormatException($"{document} has no \"{heading}\"");
        for (int i = first; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("| ", StringComparison.Ordinal) || lines[i].StartsWith("| § ", StringComparison.Ordinal)) continue;
            string[] cells = [.. lines[i].Split('|').Select(c => c.Trim())];
            if (cells.Length != 6 || cells.Skip(1).Take(3).Any(string.IsNullOrEmpty)) throw new FormatException($"{document}, line {i + 1} is no row of four cells: {lines[i]}");
            yield return new TestCaseData(cells[1], cells[4]).SetArgDisplayNames($"{document} line {i + 1}", cells[1]);
        }
    }

    [GeneratedRegex(@"`(\w+\.\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"^[\s,]+|[\s,]+$")]
    private static partial Regex Separators();
}
