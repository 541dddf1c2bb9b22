using System.Diagnostics.Metrics;
using System.Text;
using LoadBalancer.Core.Files;
using LoadBalancer.Gateway.Validation;
using LoadBalancer.Schemas.OpenApi;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Gateway.Tests.Validation;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ContractSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly Meter _meter = new("test");
    private ContractSource? _source;

    public void Dispose()
    {
        _source?.Dispose();
        _meter.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private ContractSource Open(ValidateConfig config) =>
        _source = new ContractSource(config, "valid", _meter.CreateCounter<long>("reloads"), new FakeTimeProvider(), NullLogger.Instance);

    private bool Knows(string path) => _source!.Current.Match("GET"u8, Encoding.ASCII.GetBytes(path)) is { Operation: not null };

    private static string Document(string path, string more = "") => $"openapi: 3.1.0\npaths:\n  {path}: {{ get: {{ responses: {{}} }} }}\n{more}";

    [Test]
    public void Look_FileChanges_IsUsedWhenItHasSettled()
    {
        Write("api.yaml", Document("/a"));
        ContractSource source = Open(new ValidateConfig { OpenApi = Path.Combine(_folder, "api.yaml") });
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.None));
        Write("api.yaml", Document("/b"));
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Unsettled));
        Assert.That(Knows("/b"), Is.False);
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Replaced));
        Assert.That(Knows("/b"), Is.True);
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.None));
    }

    [Test]
    public void Look_BrokenEdit_KeepsTheLastGoodOne()
    {
        Write("api.yaml", Document("/a"));
        ContractSource source = Open(new ValidateConfig { OpenApi = Path.Combine(_folder, "api.yaml") });
        Write("api.yaml", "openapi: 3.1.0\npaths: [");
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Refused));
        Assert.That(source.Problem, Does.StartWith("api.yaml line "));
        Assert.That(Knows("/a"), Is.True);
        Write("api.yaml", Document("/a"));
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Restored));
        Assert.That(source.Problem, Is.Null);
    }

    [Test]
    public void Look_FileThatADocumentRefersTo_IsWatchedToo()
    {
        Write("api.yaml", Document("/a"));
        ContractSource source = Open(new ValidateConfig { OpenApi = Path.Combine(_folder, "api.yaml") });
        Write("api.yaml", "openapi: 3.1.0\npaths: { $ref: 'x' }\n".Replace("{ $ref: 'x' }", "\n  /p: { $ref: 'paths.yaml#/p' }", StringComparison.Ordinal));
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Refused));
        Assert.That(source.Problem, Does.Contain("paths.yaml does not exist"));
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.None), "told once");
        Write("paths.yaml", "p: { get: { responses: {} } }\n");
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Replaced));
        Assert.That(Knows("/p"), Is.True);
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.None));
        Write("paths.yaml", "p: { post: { responses: {} } }\n");
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Replaced));
        Assert.That(Knows("/p"), Is.False);
    }

    [Test]
    public void Look_FileIsGone_KeepsTheLastGoodOne()
    {
        Write("order.json", """{"type":"object"}""");
        ContractSource source = Open(new ValidateConfig { Body = Path.Combine(_folder, "order.json") });
        File.Delete(Path.Combine(_folder, "order.json"));
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Refused));
        Assert.That(source.Problem, Is.EqualTo("order.json: does not exist"));
        Assert.That(source.Current.Match("POST"u8, "/"u8).Operation!.ReadsBody("application/json"u8), Is.True);
    }

    [Test]
    public void Create_FileThatCannotBeUsed_IsAnException()
    {
        Write("api.yaml", "a: 1");
        Assert.That(() => Open(new ValidateConfig { OpenApi = Path.Combine(_folder, "api.yaml") }), Throws.InvalidOperationException.With.Message.Contains("no OpenAPI document"));
    }
}
