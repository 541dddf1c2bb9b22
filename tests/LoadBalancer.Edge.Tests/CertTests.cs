using System.Text.Json;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb cert</c>, as an operator runs it.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class CertTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private readonly TestCertificate _first = new("first.test", "*.first.test"), _second = new("second.test");
    private readonly TestAuthority _authority = new("Clients");

    private string Site => Path.Combine(_directory, "site.pem");

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Test, CancelAfter(60_000)]
    public async Task ARunningBalancerListsItsCertificatesAndTakesNewOnes(CancellationToken cancellationToken)
    {
        string socket = Path.Combine(_directory, "admin.sock");
        File.Copy(_first.Pem, Site);
        await ConfigureAsync(socket, cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run");
        await lb.LineAsync("Ready.", cancellationToken);
        LbResult list = await CertAsync("list");
        Assert.That((list.ExitCode, list.Error), Is.EqualTo((0, "")));
        Assert.That(list.Output, Does.Match($"""
            ^NAMES +LISTENERS +EXPIRES +DAYS +STATE +FILE
            first.test,\*.first.test +web +20..-..-.. ..:.. +29 +valid +{Site}
            clients of CN=Clients +web +20..-..-.. ..:.. +36[45] +valid +{_authority.Root}
            $
            """));

        await File.WriteAllTextAsync(Site, "nothing", cancellationToken);
        LbResult broken = await CertAsync("reload");
        Assert.That(broken.ExitCode, Is.EqualTo(1));
        Assert.That(broken.Output, Does.Match("(?m)^first.test.* file broken "));
        Assert.That(broken.Error, Does.StartWith($"lb: {Site} is no certificate with its private key").And.Contain("in use is what was read at "));
        await lb.ErrorLineAsync($"certificate {Site} (listener web) has changed and cannot be used", cancellationToken);

        File.Copy(_second.Pem, Site, overwrite: true);
        LbResult replaced = await CertAsync("reload", "--json");
        Assert.That((replaced.ExitCode, replaced.Error), Is.EqualTo((0, "")));
        using JsonDocument json = JsonDocument.Parse(replaced.Output);
        JsonElement certificate = json.RootElement.GetProperty("certificates")[0];
        Assert.That(certificate.GetProperty("names").EnumerateArray().Select(name => name.GetString()), Is.EqualTo(new[] { "second.test" }));
        Assert.That(certificate.GetProperty("kind").GetString(), Is.EqualTo("server"));
        Assert.That(certificate.GetProperty("state").GetString(), Is.EqualTo("valid"));
        Assert.That(certificate.GetProperty("issuer").GetString(), Is.EqualTo("CN=second.test"));
        Assert.That(certificate.GetProperty("daysLeft").GetDouble(), Is.EqualTo(30).Within(0.2));
        Assert.That(certificate.GetProperty("fingerprint").GetString(), Does.Match("^[0-9a-f]{64}$"));
        Assert.That(certificate.TryGetProperty("problem", out _), Is.False);
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);
        Assert.That((await CertAsync("list")).Error, Is.EqualTo($"lb: no answer from the admin listener at unix:{socket}: nobody listens there\n"));

        Task<LbResult> CertAsync(params string[] arguments) => LbProcess.RunAsync(_directory, cancellationToken, ["cert", .. arguments, "--admin", $"unix:{socket}"]);
    }

    [TestCase(60, 0, " valid ")]
    [TestCase(10, 0, " expires soon ")]
    [TestCase(2, 0, " EXPIRES VERY SOON ")]
    [TestCase(-1, 1, " EXPIRED ")]
    [CancelAfter(60_000)]
    public async Task TheFilesOfAConfigurationAreListedWithoutARunningBalancer(int daysLeft, int exitCode, string state, CancellationToken cancellationToken)
    {
        File.Copy(_authority.IssueFile(["site.test"], daysLeft), Site);
        await ConfigureAsync(Path.Combine(_directory, "admin.sock"), cancellationToken);
        LbResult list = await LbProcess.RunAsync(_directory, cancellationToken, "cert", "list", "--config", "lb.json");
        Assert.That((list.ExitCode, list.Error), Is.EqualTo((exitCode, "")));
        Assert.That(list.Output, Does.Match($"(?m)^site.test .*{state}"));
        LbResult json = await LbProcess.RunAsync(_directory, cancellationToken, "cert", "list", "--config", "lb.json", "--json");
        Assert.That(json.ExitCode, Is.EqualTo(exitCode));
        using JsonDocument parsed = JsonDocument.Parse(json.Output);
        Assert.That(parsed.RootElement.GetProperty("certificates").GetArrayLength(), Is.EqualTo(2));
    }

    [Test, CancelAfter(60_000)]
    public async Task AFileThatCannotBeUsedIsAProblemWithItsPlace(CancellationToken cancellationToken)
    {
        await ConfigureAsync(Path.Combine(_directory, "admin.sock"), cancellationToken);
        LbResult list = await LbProcess.RunAsync(_directory, cancellationToken, "cert", "list", "--config", "lb.json");
        Assert.That((list.ExitCode, list.Output), Is.EqualTo((1, "")));
        Assert.That(list.Error, Does.StartWith("lb.json:2:").And.Contain("site.pem\" does not exist"));
    }

    private Task ConfigureAsync(string socket, CancellationToken cancellationToken) => File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
        { "listeners": { "web": { "address": "127.0.0.1:0",
            "tls": { "certificates": ["site.pem"], "clientCertificates": "{{_authority.Root}}" } } },
          "routes": { "r": { "respond": { "body": "ok" } } }, "admin": "unix:{{socket}}" }
        """, cancellationToken);
}
