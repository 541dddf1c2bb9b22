using System.Text.RegularExpressions;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>The code in docs/embedding.md is that of the samples, which are built and run.</summary>
public sealed partial class EmbeddingDocTests
{
    [Test]
    public void EveryPieceOfCodeStandsInASample()
    {
        string[] samples = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(file => Lines(File.ReadAllText(file)))];
        string[] pieces = [.. Code().Matches(Repository.Read("docs/embedding.md")).Select(match => Lines(match.Groups[1].Value))];
        Assert.That(pieces, Is.Not.Empty);
        foreach (string piece in pieces) Assert.That(samples, Has.Some.Contains(piece), piece);
    }

    private static string Lines(string text) => string.Join('\n', text.Split('\n').Select(line => line.Trim()));

    [GeneratedRegex("```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
