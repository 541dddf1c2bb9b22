using System.Reflection;
using System.Xml.Linq;
using LoadBalancer.Testing;
using NUnit.Framework;
using PublicApiGenerator;

namespace LoadBalancer.PublicApi.Tests;

/// <summary>
/// What each package shows to its users stands in a file, so that a change of it is seen where it is made: src/PROJECT/PublicApi.txt. Whoever means the change runs these tests once more
/// with LB_ACCEPT_PUBLIC_API=1 in the environment, and commits the files.
/// </summary>
public sealed class PublicApiTests
{
    private const string Accept = "LB_ACCEPT_PUBLIC_API";

    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        ExcludeAttributes =
        [
            "System.Runtime.CompilerServices.CompilerGeneratedAttribute", "System.Diagnostics.DebuggerDisplayAttribute", "System.Runtime.CompilerServices.AsyncMethodBuilderAttribute",
        ],
    };

    private static IEnumerable<string> Packages() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .Where(project => XDocument.Load(project).Descendants("IsPackable").All(packable => packable.Value != "false"))
        .Select(project => Path.GetFileNameWithoutExtension(project)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Packages))]
    public void WhatAPackageShowsIsWhatStandsInItsFile(string package)
    {
        string file = Path.Combine(Repository.Root, "src", package, "PublicApi.txt");
        string shown = Assembly.Load(package).GeneratePublicApi(Options).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable(Accept) == "1") File.WriteAllText(file, shown);
        string written = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.That(shown == written, Is.True, () => $"""
            The public API of {package} is not what stands in src/{package}/PublicApi.txt:
            {Difference(written.Split('\n'), shown.Split('\n'))}
            If that is meant: {Accept}=1 dotnet test tests/LoadBalancer.PublicApi.Tests, and commit the file.
            """);
    }

    // Lines that only one of the two has, each with its count: blocks that moved are no difference that anybody must know.
    private static string Difference(string[] written, string[] shown)
    {
        var counts = new Dictionary<string, int>();
        foreach (string line in written) counts[line] = counts.GetValueOrDefault(line) - 1;
        foreach (string line in shown) counts[line] = counts.GetValueOrDefault(line) + 1;
        string[] lines = [.. counts.Where(c => c.Value != 0).Select(c => $"{(c.Value > 0 ? '+' : '-')} {c.Key.Trim()}").Take(60)];
        return lines.Length == 0 ? "the same lines in another order" : string.Join('\n', lines);
    }
}
