using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>OCSP responses that are sent with a certificate: made and read by openssl.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class StaplingTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Successful = "OCSP Response Status: successful", None = "OCSP response: no response sent";
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-ocsp-").FullName;
    private readonly TestAuthority _authority = new();
    private string _openssl = "";
    private int _responses;

    [SetUp]
    public void FindOpenSsl() => _openssl = SystemProgram.Require("openssl");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [TestCase("-tls1_3")]
    [TestCase("-tls1_2")]
    public async Task AClientThatAsksGetsTheResponseOfTheCertificateItIsShown(string version)
    {
        string first = _authority.IssueFile(["first.test"]), second = _authority.IssueFile(["second.test"]), third = _authority.IssueFile(["third.test"]);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Certificates(
            new() { File = first, Ocsp = await RespondAsync(first) }, new() { File = second, Ocsp = await RespondAsync(second, "-sha256") }, new() { File = third }));
        foreach ((string? name, string file) in new[] { (null, first), ("first.test", first), ("second.test", second) })
        {
            string got = await AskAsync(proxy, version, name);
            Assert.That(got, Does.Contain("HTTP/1.1 200 OK"));
            if (Transport == TransportKind.Sockets) Assert.That(got, Does.Contain(None));
            else Assert.That(got, Does.Contain(Successful).And.Contain($"Serial Number: {Serial(file)}").And.Contain("Cert Status: good"));
        }
        Assert.That(await AskAsync(proxy, version, "third.test"), Does.Contain(None));
        Assert.That(await OpenSslClient.AskAsync(_openssl, proxy.EndPoint, Token, version), Does.Contain("HTTP/1.1 200 OK").And.Not.Contain("OCSP"), "nobody asked");
        if (Transport == TransportKind.Sockets) Assert.That(await proxy.Log.NextAsync(Token), Does.Contain(first).And.Contain("its OCSP response is not sent: that needs OpenSSL 3 and the epoll transport"));
    }

    // The loops' timers walk through the week tick by tick, twice: that takes its time on a busy machine.
    [Test, CancelAfter(120_000)]
    public async Task OneThatExpiresIsNoLongerSent()
    {
        string file = _authority.IssueFile(["first.test"]);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = Certificates(new CertificateConfig { File = file, Ocsp = await RespondAsync(file) })(ProxyFixture.Config(Transport, origin.Address));
        await using (ProxyFixture proxy = await ProxyFixture.StartAsync(config, time))
        {
            Assert.That(await AskAsync(proxy), Does.Contain(Transport == TransportKind.Sockets ? None : Successful));
            time.Advance(TimeSpan.FromDays(7.01));
            Assert.That(await AskAsync(proxy), Does.Contain(None).And.Contain("HTTP/1.1 200 OK"));
        }
        await using ProxyFixture later = await ProxyFixture.StartAsync(config, time);
        Assert.That(await later.Log.NextAsync(Token), Does.Contain("its OCSP response is not sent: has expired at 20"));
        Assert.That(await AskAsync(later), Does.Contain(None).And.Contain("HTTP/1.1 200 OK"));
    }

    [Test]
    public async Task ANewCertificateDoesNotWaitForItsResponseAndABrokenOneReplacesNone()
    {
        string file = Path.Combine(_directory, "site.pem"), ocsp = Path.Combine(_directory, "site.der");
        string first = _authority.IssueFile(["first.test"]), second = _authority.IssueFile(["first.test"]);
        File.Copy(first, file);
        File.Copy(await RespondAsync(first), ocsp);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Certificates(new CertificateConfig { File = file, Ocsp = ocsp }));
        Assert.That(await AskAsync(proxy), Sends(first));

        File.Copy(second, file, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        Assert.That(await AskAsync(proxy), Does.Contain(None));
        string? told = null;
        if (Transport == TransportKind.Epoll) while (told?.Contains("its OCSP response is not sent: ", StringComparison.Ordinal) != true) told = await proxy.Log.NextAsync(Token);
        if (told is not null) Assert.That(told, Does.EndWith($"\"{ocsp}\" is for another certificate"));

        File.Copy(await RespondAsync(second), ocsp, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        Assert.That(await AskAsync(proxy), Sends(second));

        await File.WriteAllTextAsync(ocsp, "nothing like it", Token);
        Assert.That(proxy.Server.ReloadCertificates(), Is.Zero);
        Assert.That(proxy.Server.DescribeCertificates()[0].Problem, Is.EqualTo($"has no OCSP response to go with it: \"{ocsp}\" is no OCSP response in DER"));
        Assert.That(await AskAsync(proxy), Sends(second));
    }

    private NUnit.Framework.Constraints.IResolveConstraint Sends(string file) =>
        Transport == TransportKind.Sockets ? Does.Contain(None) : Does.Contain(Successful).And.Contain($"Serial Number: {Serial(file)}");

    [Test]
    public async Task ARevokedCertificateIsToldOfAndTheResponseNotSent()
    {
        string file = _authority.IssueFile(["first.test"]);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Certificates(new CertificateConfig { File = file, Ocsp = await RespondAsync(file, isRevoked: true) }));
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("says that the certificate is revoked"));
        Assert.That(await AskAsync(proxy), Does.Contain(None));
    }

    [Test]
    public async Task ACertificateThatMustHaveAResponseIsToldOfWhereThereIsNone()
    {
        string file = _authority.IssueFile(["first.test"], mustStaple: true);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Certificates(new CertificateConfig { File = file }));
        Assert.That(await proxy.Log.NextAsync(Token), Does.EndWith("it tells clients to refuse it without an OCSP response, and has none (\"ocsp\")"));
    }

    [TestCase("other", "is for another certificate")]
    [TestCase("garbage", "is no OCSP response in DER")]
    [TestCase("cut", "is no OCSP response in DER")]
    [TestCase("appended", "is no OCSP response in DER")]
    [TestCase("empty", "is no OCSP response in DER")]
    [TestCase("later", "is no answer: the responder said \"try later\"")]
    [TestCase("large", "has 70000 bytes; an OCSP response has at most 65536")]
    [TestCase("missing", "does not exist")]
    [TestCase("unknown", "says nothing: the responder does not know the certificate")]
    public async Task WhatIsNoResponseForTheCertificateIsAProblem(string what, string expected)
    {
        string file = _authority.IssueFile(["first.test"]), ocsp = await RespondAsync(what == "other" ? _authority.IssueFile(["other.test"]) : file, isKnown: what != "unknown");
        byte[] bytes = await File.ReadAllBytesAsync(ocsp, Token);
        if (what == "missing") File.Delete(ocsp);
        else await File.WriteAllBytesAsync(ocsp, what switch
        {
            "garbage" => "nothing like it"u8.ToArray(),
            "cut" => bytes[..^1],
            "appended" => [.. bytes, 0],
            "empty" => [],
            "later" => [0x30, 3, 0x0A, 1, 3],
            "large" => new byte[70_000],
            _ => bytes,
        }, Token);
        ConfigException e = Assert.Throws<ConfigException>(() => _ = new ProxyServer(
            Certificates(new CertificateConfig { File = file, Ocsp = ocsp })(ProxyFixture.Config(Transport, "127.0.0.1:1")), NullLoggerFactory.Instance))!;
        Assert.That(e.Problems.Select(problem => (problem.Path, problem.Message)), Is.EqualTo(new[] { ("listeners.main.tls.certificates[0].ocsp", $"\"{ocsp}\" {expected}") }));
    }

    // Wherever a byte is changed or the end is missing: a problem, a warning, or a response like another, but no exception.
    [Test]
    public async Task NoFileMakesTheReaderFail()
    {
        string file = _authority.IssueFile(["first.test"]), ocsp = await RespondAsync(file);
        byte[] bytes = await File.ReadAllBytesAsync(ocsp, Token);
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificateFromFile(file);
        for (int at = 0; at < bytes.Length; at++)
        {
            foreach (byte change in new byte[] { 1, 0x80, 0xFF })
            {
                byte[] broken = [.. bytes];
                broken[at] ^= change;
                bool isRead = Core.Tls.OcspResponse.TryParse(broken, leaf, [], out Core.Tls.OcspResponse? response, out string error);
                Assert.That(isRead ? response is not null && error.Length == 0 : error.Length > 0, $"{at} ^ {change}");
            }
        }
    }

    private Task<string> AskAsync(ProxyFixture proxy, string version = "-tls1_3", string? name = null) =>
        OpenSslClient.AskAsync(_openssl, proxy.EndPoint, Token, name is null ? ["-status", version, "-noservername"] : ["-status", version, "-servername", name]);

    /// <summary>A response for seven days, as an authority makes it of its list.</summary>
    private async Task<string> RespondAsync(string certificate, string hash = "-sha1", bool isRevoked = false, bool isKnown = true)
    {
        string index = Path.Combine(_directory, "index.txt"), response = Path.Combine(_directory, $"{++_responses}.ocsp.der");
        string state = isRevoked ? "R\t300101000000Z\t250101000000Z" : "V\t300101000000Z\t";
        await File.WriteAllTextAsync(index, isKnown ? $"{state}\t{Serial(certificate)}\tunknown\t/CN=test\n" : "", Token);
        (int exitCode, string output) = await SystemProgram.RunAsync(_openssl, Token, "ocsp", "-index", index, "-CA", _authority.Root, "-rsigner", _authority.Root, "-rkey", _authority.RootKey,
            hash, "-issuer", _authority.Root, "-cert", certificate, "-ndays", "7", "-noverify", "-respout", response);
        Assert.That(exitCode, Is.Zero, output);
        return response;
    }

    private static string Serial(string file)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        return certificate.SerialNumber.StartsWith("00", StringComparison.Ordinal) ? certificate.SerialNumber[2..] : certificate.SerialNumber; // as openssl writes it
    }

    private static Func<ProxyConfig, ProxyConfig> Certificates(params CertificateConfig[] certificates) => Listener(listener => listener with { Tls = new() { Certificates = certificates } });
}
