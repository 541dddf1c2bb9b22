using System.Text;
using System.Text.RegularExpressions;
using LoadBalancer.Scripting.Realms;
using LoadBalancer.Testing;

namespace LoadBalancer.Scripting.Tests;

/// <summary>lb.d.ts says what there is, and nothing else.</summary>
[CancelAfter(300_000)]
public sealed partial class TypesTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [GeneratedRegex(@"^(?:interface|declare class|declare const) (\w+)[^{]*\{\n(.*?)^\};?$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Declarations();

    [GeneratedRegex(@"^    (static )?(?:readonly |get |set )?(\[Symbol\.iterator\]|\w+)[(?:]", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Members();

    private static SortedDictionary<string, string> Declared()
    {
        var declared = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Match declaration in Declarations().Matches(ScriptTypes.Text))
        {
            IEnumerable<string> members = Members().Matches(declaration.Groups[2].Value).Select(member => member.Groups[1].Value + member.Groups[2].Value).Where(name => name != "constructor").Distinct();
            declared.Add(declaration.Groups[1].Value, string.Join(' ', members.Order(StringComparer.Ordinal)));
        }
        return declared;
    }

    [TestCase("LbRequest", "Object.getPrototypeOf(request)")]
    [TestCase("LbContext", "Object.getPrototypeOf(context)")]
    [TestCase("LbLog", "Object.getPrototypeOf(context.log)")]
    [TestCase("LbClient", "context.client")]
    [TestCase("LbIdentity", "context.identity")]
    [TestCase("Headers", "Headers.prototype", "Headers")]
    [TestCase("Response", "Response.prototype", "Response")]
    [TestCase("URL", "URL.prototype", "URL")]
    [TestCase("URLSearchParams", "URLSearchParams.prototype", "URLSearchParams")]
    [TestCase("TextEncoder", "TextEncoder.prototype", "TextEncoder")]
    [TestCase("TextDecoder", "TextDecoder.prototype", "TextDecoder")]
    [TestCase("kv", "kv")]
    [TestCase("crypto", "crypto")]
    [TestCase("console", "console")]
    public async Task EveryMemberIsDeclaredAndEveryDeclaredOneIsThere(string type, string expression, string? constructor = null)
    {
        string names = $$"""
            [...Reflect.ownKeys({{expression}}).filter(k => typeof k === "string" || k === Symbol.iterator).map(k => typeof k === "string" ? k : "[Symbol.iterator]"),
             ...{{(constructor is null ? "[]" : $"Object.getOwnPropertyNames({constructor}).filter(k => !['length', 'name', 'prototype'].includes(k)).map(k => 'static ' + k)")}}].filter(k => k !== "constructor").sort().join(" ")
            """;
        string there = await ScriptRun.EvaluateAsync(names, new FakeExchange { Identity = new Anna() });
        Assert.That(there.Trim('"'), Is.EqualTo(Declared()[type]));
    }

    [Test]
    public async Task TheAnswerOfADestinationHasItsDeclaredMembers()
    {
        var run = new ScriptRun("export function onResponse(response) { response.setBody(Object.getOwnPropertyNames(Object.getPrototypeOf(response)).filter(n => n !== 'constructor').sort().join(' ')) }");
        await run.ResponseAsync();
        Assert.That(Encoding.UTF8.GetString(run.Exchange.ResponseBody!), Is.EqualTo(Declared()["LbResponse"]));
    }

    [Test]
    public async Task GlobalsAreThoseOfTheLanguageAndTheDeclaredOnes()
    {
        string[] declared = [.. DeclaredGlobals().Matches(ScriptTypes.Text).Select(match => match.Groups[1].Value)];
        Assert.That(declared, Is.EquivalentTo(RealmSetup.GatewayGlobals));
        string there = await ScriptRun.EvaluateAsync("Object.getOwnPropertyNames(globalThis).join(' ')");
        Assert.That(there.Trim('"').Split(' '), Is.EquivalentTo((IEnumerable<string>)[.. RealmSetup.LanguageGlobals, .. RealmSetup.GatewayGlobals]));
    }

    [GeneratedRegex(@"^declare (?:class|const|function) (\w+)", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex DeclaredGlobals();

    [Test]
    public async Task TheCompilerAcceptsAGoodScript()
    {
        (int exitCode, string output) = await CompileAsync("good");
        Assert.That(output, Is.Empty);
        Assert.That(exitCode, Is.Zero);
    }

    [Test]
    public async Task TheCompilerFindsWhatIsWrong()
    {
        (int exitCode, string output) = await CompileAsync("bad");
        Assert.That(exitCode, Is.Not.Zero);
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(Folder, "bad", "gateway.js"), Token);
        int found = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].LastIndexOf("// TS", StringComparison.Ordinal) is not (> 0 and int at)) continue;
            Assert.That(output, Does.Match($@"gateway\.js\({i + 1},\d+\): error {lines[i][(at + 3)..]}"));
            found++;
        }
        Assert.That(Regex.Count(output, "error TS"), Is.EqualTo(found), output);
    }

    private static string Folder => Path.Combine(Repository.Root, "tests/LoadBalancer.Scripting.Tests/typescript");

    private static async Task<(int ExitCode, string Output)> CompileAsync(string sample)
    {
        string npm = SystemProgram.Require("npm"), node = SystemProgram.Require("node");
        await Installing.WaitAsync(Token);
        try
        {
            if (!File.Exists(Path.Combine(Folder, "node_modules/typescript/bin/tsc")))
            {
                (int installed, string problem) = await SystemProgram.RunAsync(npm, Token, "ci", "--prefix", Folder, "--no-audit", "--no-fund");
                Assert.That(installed, Is.Zero, problem);
            }
        }
        finally
        {
            Installing.Release();
        }
        string copy = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.Copy(Path.Combine(Folder, sample, "gateway.js"), Path.Combine(copy, "gateway.js"));
            await File.WriteAllTextAsync(Path.Combine(copy, ScriptTypes.FileName), ScriptTypes.Text, Token);
            return await SystemProgram.RunAsync(node, Token, Path.Combine(Folder, "node_modules/typescript/bin/tsc"), "--noEmit", "--checkJs", "--strict", "--lib", "es2023", "--target", "es2023", "--module", "es2022",
                "--moduleDetection", "force", Path.Combine(copy, "gateway.js"));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static readonly SemaphoreSlim Installing = new(1);

    private sealed class Anna : Core.Policies.IClientIdentity
    {
        public string Scheme => "jwt";

        public string? Subject => "anna";

        public ReadOnlyMemory<byte> Json => "{\"role\":\"admin\"}"u8.ToArray();

        public string? GetClaim(string name) => null;

        public IReadOnlyList<string> GetClaims(string name) => [];
    }
}
