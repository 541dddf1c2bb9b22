using System.Text.RegularExpressions;
using LoadBalancer.Testing;

namespace LoadBalancer.FunctionalTests;

/// <summary>Which types, members and tests the C# sources declare. Read as text: most projects are not referenced from here.</summary>
internal static partial class Sources
{
    private static readonly Lazy<Dictionary<string, string>> Files = new(() => new[] { "src", "tests", "bench", "samples" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(path => !BuildOutput().IsMatch(path))
        .ToDictionary(path => path, path => Comment().Replace(File.ReadAllText(path), "")));

    // The text of the files that declare a type, by its name.
    private static readonly Lazy<ILookup<string, string>> Types = new(() => Files.Value.Values
        .SelectMany(text => TypeDeclaration().Matches(text).Select(match => (Name: match.Groups[1].Value, text)))
        .Distinct()
        .ToLookup(item => item.Name, item => item.text));

    private static readonly Lazy<HashSet<string>> TestNames = new(() =>
    {
        var tests = new HashSet<string>();
        foreach ((string path, string text) in Files.Value)
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (!name.EndsWith("Tests", StringComparison.Ordinal) || !text.Contains($" class {name}", StringComparison.Ordinal)) continue;
            foreach (Match method in TestMethod().Matches(text)) tests.Add($"{name}.{method.Groups[1].Value}");
        }
        return tests;
    });

    /// <summary>Class.Method of every test.</summary>
    internal static IReadOnlySet<string> Tests => TestNames.Value;

    internal static bool HasType(string name) => Types.Value.Contains(name);

    /// <summary>Whether a file that declares the type declares a member, or another type, of that name.</summary>
    internal static bool HasMember(string type, string name) => Types.Value[type].Any(text => Declares(text, name));

    /// <summary>Whether any file declares a member of that name.</summary>
    internal static bool HasMember(string name) => Files.Value.Values.Any(text => Declares(text, name));

    // After its type and before what begins its body, value or parameters; or, in an enum, alone on its line.
    private static bool Declares(string text, string name) => Regex.IsMatch(text,
        $@"(?<!\b(?:await|return|new|throw|in|is|as|case|else|not|or|and|when)\s+)(?<=[\w\]>?)]\s+){name}\s*(?:[({{<;,)]|=[^=]|=>)|^\s*{name}(?:\s*=\s*[-\w <|]+)?,?\s*$",
        RegexOptions.Multiline | RegexOptions.CultureInvariant);

    [GeneratedRegex(@"[/\\](?:obj|bin)[/\\]")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?:class|record struct|record|struct|enum|interface)\s+(\w+)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\[(?:Test|TestCase|TestCaseSource)\b[^\n]*\n(?:\s*(?:\[[^\n]*|)\n)*\s*public (?:async Task|void|Task) (\w+)\(")]
    private static partial Regex TestMethod();
}
