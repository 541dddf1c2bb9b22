using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

/// <summary>An authority that is not reached in the middle of an order. The double answers each path as a test says, by how often it was asked.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class DeliveryTests : IDisposable
{
    private const string Name = "www.lb.test";

    private readonly TestAuthority _root = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-acme-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly AcmeWatch _watch = new();
    private readonly Dictionary<string, int> _asked = [];
    private string _url = "", _certificate = "";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("/order", 2)]
    [TestCase("/authorization", 2)]
    [TestCase("/finalize", 1)]
    [TestCase("/certificate", 1)]
    public async Task WhatIsNotAnsweredOnceIsAskedAgain(string path, int time)
    {
        AcmeRecord record = await OrderAsync((asked, n) => asked == path && n == time ? 503 : 200);
        Assert.That((record.Source, record.Problem), Is.EqualTo((CertificateSource.Authority, (string?)null)));
        Assert.That(_asked["/new"], Is.EqualTo(1), "one order");
    }

    [TestCase(404, 1)]
    [TestCase(429, 2, Description = "with Retry-After")]
    [TestCase(503, 1, Description = "until the time is over")]
    public async Task ACertificateThatIsNotDeliveredIsNotOrderedAgainSoon(int status, int hours)
    {
        AcmeRecord record = await OrderAsync((asked, n) =>
        {
            if (asked != "/certificate") return 200;
            if (status == 503 && n == 3) _time.Advance(TimeSpan.FromMinutes(11));
            return status;
        });
        Assert.That(record.Failure, Is.EqualTo(AcmeFailure.NotDelivered), record.Problem);
        Assert.That(record.Problem, Does.Contain($"answered {status}").Or.Contains("did not answer"));
        Assert.That(record.NextIn.TotalHours, Is.InRange(hours, hours * 1.2));
    }

    private async Task<AcmeRecord> OrderAsync(Func<string, int, int> status)
    {
        string file = _root.IssueFile(["localhost"]);
        using var certificate = X509Certificate2.CreateFromPemFile(file, file);
        await using ScriptedOrigin authority = ScriptedOrigin.OverTls(certificate, (connection, _, token) => AnswerAsync(connection, status, token));
        _url = $"https://localhost:{authority.Port}";
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Acme = new() { AgreeToTerms = true, Directory = $"{_url}/directory", Storage = $"{_folder}/acme", Trust = _root.Root },
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0", Tls = new() { Acme = [Name] } } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Respond = new() } },
            Clusters = new Dictionary<string, ClusterConfig>(),
        });
        await using var service = new CertificateService(proxy.Server, proxy.Log, new AcmeOptions { TimeProvider = _time, Observer = _watch });
        service.Load();
        service.Start();
        return await _watch.NextAsync(_time, Token);
    }

    private async Task AnswerAsync(RawClient connection, Func<string, int, int> status, CancellationToken token)
    {
        const string Length = "Content-Length: ";
        string head = await connection.ReadUntilAsync("\r\n\r\n", token), path = head.Split(' ')[1], body = "";
        if (head.IndexOf(Length, StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
            body = await connection.ReadAsync(int.Parse(head[(at + Length.Length)..].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture), token);
        int asked, code;
        string answer;
        lock (_asked)
        {
            asked = _asked[path] = _asked.GetValueOrDefault(path) + 1;
            code = status(path, asked);
            answer = code == 200 ? Answer(path, body) : "";
        }
        await connection.SendAsync($"HTTP/1.1 {code} X\r\nReplay-Nonce: AAAA\r\n{(code == 429 ? "Retry-After: 7200\r\n" : "")}Location: {_url}{(path == "/new" ? "/order" : path)}\r\nContent-Length: {(head.StartsWith("HEAD", StringComparison.Ordinal) ? 0 : answer.Length)}\r\nConnection: close\r\n\r\n{answer}", token);
        await connection.ShutdownTlsAsync();
    }

    private string Answer(string path, string body)
    {
        switch (path)
        {
            case "/directory": return $$"""{ "newNonce": "{{_url}}/nonce", "newAccount": "{{_url}}/account", "newOrder": "{{_url}}/new" }""";
            case "/account": return """{ "status": "valid" }""";
            case "/authorization": return _asked[path] == 1 ? $$"""{ "status": "pending", "challenges": [{ "type": "tls-alpn-01", "url": "{{_url}}/challenge", "token": "AAAA" }] }""" : """{ "status": "valid" }""";
            case "/certificate": return _certificate;
            case "/finalize":
                JsonElement payload = JsonElement.Parse(Base64Url.DecodeFromChars(JsonElement.Parse(body).GetProperty("payload").GetString()));
                byte[] request = Base64Url.DecodeFromChars(payload.GetProperty("csr").GetString());
                using (X509Certificate2 issuer = X509Certificate2.CreateFromPemFile(_root.Root, _root.RootKey))
                using (X509Certificate2 leaf = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions)
                    .Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!), _time.GetUtcNow().AddHours(-1), _time.GetUtcNow().AddDays(20), [1]))
                    _certificate = leaf.ExportCertificatePem();
                return "{}";
            case "/new" or "/order":
                return $$"""{ "status": "{{(_certificate.Length > 0 ? "valid" : "ready")}}", "authorizations": ["{{_url}}/authorization"], "finalize": "{{_url}}/finalize", "certificate": "{{_url}}/certificate" }""";
            default: return "{}";
        }
    }
}
