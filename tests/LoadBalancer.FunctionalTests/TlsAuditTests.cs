using System.Net;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What testssl.sh, which operators run on their servers, finds.</summary>
[TestFixture]
[CancelAfter(600_000)]
public sealed class TlsAuditTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task NothingOfMediumSeverityOrWorseIsFoundInTheDefaultPolicy()
    {
        Transports.Require(TransportKind.Epoll);
        string testssl = SystemProgram.Require("testssl"), openssl = SystemProgram.Require("openssl");
        using var authority = new TestAuthority();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        var tls = new TlsConfig { Certificates = [new() { File = authority.IssueFile(["localhost"], daysLeft: 80) }] };
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Tls = tls } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        string report = authority.Root + ".json";
        (_, string output) = await SystemProgram.RunAsync(testssl, Token, "--quiet", "--color", "0", "--warnings", "off", "--openssl", openssl, "--add-ca", authority.Root,
            "--protocols", "--server-defaults", "--server-preference", "--fs", "--vulnerable", "--jsonfile", report, $"localhost:{((IPEndPoint)proxy.EndPoint).Port}");
        using JsonDocument findings = JsonDocument.Parse(await File.ReadAllTextAsync(report, Token));
        Assert.That(findings.RootElement.GetArrayLength(), Is.GreaterThan(30), output);
        string[] bad = [.. findings.RootElement.EnumerateArray()
            .Select(finding => (Id: finding.GetProperty("id").GetString(), Severity: finding.GetProperty("severity").GetString(), Text: finding.GetProperty("finding").GetString()))
            // The authority of the test has nowhere to revoke.
            .Where(finding => finding.Severity is "MEDIUM" or "HIGH" or "CRITICAL" && finding.Id != "cert_revocation")
            .Select(finding => $"{finding.Severity} {finding.Id}: {finding.Text}")];
        Assert.That(bad, Is.Empty);
    }
}
