using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Nginx;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>Files that include others.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class NginxReaderTests : IDisposable
{
    private readonly string _outside = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private readonly List<ConversionFinding> _findings = [];
    private readonly string _folder;

    public NginxReaderTests() => _folder = Directory.CreateDirectory(Path.Combine(_outside, "nginx")).FullName;

    public void Dispose() => Directory.Delete(_outside, recursive: true);

    [Test]
    public void Include_FilesBelow_StandWhereTheyAreIncluded()
    {
        Write("conf.d/b.conf", "two;");
        Write("conf.d/a.conf", "one;");
        Write("conf.d/a.txt", "other;");
        Assert.That(Read("http { include conf.d/*.conf; last; } include none*.conf;")[0].Block!.Select(directive => $"{directive.File}:{directive.Name}"),
            Is.EqualTo(new[] { "conf.d/a.conf:one", "conf.d/b.conf:two", $"{_folder}/nginx.conf:last" }));
        Assert.That(_findings, Is.Empty);
    }

    [Test]
    public void Include_WhatLeadsOut_IsAFinding()
    {
        File.WriteAllText(Path.Combine(_outside, "secret.conf"), "secret;");
        Directory.CreateDirectory(Path.Combine(_folder, "sites"));
        File.CreateSymbolicLink(Path.Combine(_folder, "sites/link.conf"), Path.Combine(_outside, "secret.conf"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "away"), _outside);
        Assert.That(Read("include ../secret.conf;\ninclude sites/*;\ninclude away/secret.conf;\ninclude missing.conf;\ninclude /etc/hostname;"), Is.Empty);
        Assert.That(_findings.Select(finding => finding.Line), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
    }

    [Test]
    public void Include_ALinkToAFileBelow_IsRead()
    {
        Write("sites-available/a", "one;");
        Directory.CreateDirectory(Path.Combine(_folder, "sites-enabled"));
        File.CreateSymbolicLink(Path.Combine(_folder, "sites-enabled/a"), "../sites-available/a");
        Assert.That(Read("include sites-enabled/*;").Select(directive => directive.Name), Is.EqualTo(new[] { "one" }));
    }

    [Test]
    public void Include_Itself_IsAFault()
    {
        Write("a.conf", "include nginx.conf;");
        Assert.That(() => Read("include a.conf;"), Throws.InstanceOf<NginxSyntaxException>().With.Message.Contains("includes itself"));
    }

    [Test]
    public void Include_AFaultInAnother_NamesItsPlace()
    {
        Write("a.conf", "\n}");
        Assert.That(() => Read("include a.conf;"), Throws.InstanceOf<NginxSyntaxException>().With.Message.EqualTo("a.conf:2: unexpected \"}\""));
    }

    [Test]
    public void Read_BlocksBeyondTheBound_AreAFault()
    {
        string Nested(int depth) => string.Concat(Enumerable.Repeat("a {", depth)) + string.Concat(Enumerable.Repeat("}", depth));
        Assert.That(Read(Nested(NginxReader.DepthMax)), Has.Count.EqualTo(1));
        Assert.That(() => Read(Nested(NginxReader.DepthMax + 1)), Throws.InstanceOf<NginxSyntaxException>());
        Assert.That(() => Read(string.Concat(Enumerable.Repeat("a;", NginxReader.DirectivesMax + 1))), Throws.InstanceOf<NginxSyntaxException>());
    }

    private void Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private List<NginxDirective> Read(string text)
    {
        Write("nginx.conf", text);
        return NginxReader.Read(Path.Combine(_folder, "nginx.conf"), _findings);
    }
}
