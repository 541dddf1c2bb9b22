using System.Text;
using System.Text.Json;

namespace LoadBalancer.Schemas.Tests;

/// <summary>Every case of the official JSON Schema Test Suite that is in <c>suite/</c>; see the README there.</summary>
[TestFixture]
public sealed class OfficialSuiteTests
{
    private static readonly string Folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "suite");

    public static IEnumerable<TestCaseData> Cases(string draft)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Folder, "tests", draft), "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string relative = Path.ChangeExtension(Path.GetRelativePath(Path.Combine(Folder, "tests", draft), file), null);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement group in document.RootElement.EnumerateArray())
            {
                string schema = group.GetProperty("schema").GetRawText();
                string about = group.GetProperty("description").GetString()!;
                if (about.Contains("punycode", StringComparison.Ordinal)) continue;
                foreach (JsonElement test in group.GetProperty("tests").EnumerateArray())
                {
                    yield return new TestCaseData(draft, relative, schema, test.GetProperty("data").GetRawText(), test.GetProperty("valid").GetBoolean())
                        .SetName($"{draft}/{relative}: {about}: {test.GetProperty("description").GetString()}".Replace('.', '․'));
                }
            }
        }
    }

    [TestCaseSource(nameof(Cases), ["draft2020-12"])]
    [TestCaseSource(nameof(Cases), ["draft7"])]
    [CancelAfter(10_000)]
    public void Validate_CaseOfTheSuite_SaysWhatTheSuiteSays(string draft, string file, string schema, string data, bool isValid)
    {
        bool assertsFormats = file.StartsWith("optional/format/", StringComparison.Ordinal);
        var options = new SchemaOptions { DefaultsToDraft7 = draft == "draft7", AssertFormats = assertsFormats };
        var source = new Remotes();
        var uri = new Uri("json://local/test.json");
        source.Set.Add(uri, Encoding.UTF8.GetBytes(schema));
        Assert.That(JsonSchema.TryCompile(source, uri, options, out JsonSchema? compiled, out IReadOnlyList<SchemaProblem> problems), Is.True, string.Join('\n', problems));

        var found = new List<InstanceProblem>();
        InstanceVerdict verdict = compiled!.Validate(Encoding.UTF8.GetBytes(data), found);
        Assert.Multiple(() =>
        {
            Assert.That(verdict, Is.EqualTo(isValid ? InstanceVerdict.Valid : InstanceVerdict.Invalid), $"{schema}\n{data}\n{string.Join('\n', found)}");
            Assert.That(found, isValid ? Is.Empty : Is.Not.Empty, "problems say why it is not valid");
            Assert.That(compiled.IsValid(Encoding.UTF8.GetBytes(data)), Is.EqualTo(isValid), "the same without problems");
        });
    }

    // The suite's server, as files.
    private sealed class Remotes : IDocumentSource
    {
        internal DocumentSet Set { get; } = new();

        public bool TryRead(Uri uri, out byte[] content, out string error)
        {
            if (Set.TryRead(uri, out content, out error)) return true;
            string file = Path.Combine(Folder, "remotes", uri.AbsolutePath.TrimStart('/'));
            if (uri.Authority != "localhost:1234" || !File.Exists(file)) return false;
            content = File.ReadAllBytes(file);
            return true;
        }
    }
}
