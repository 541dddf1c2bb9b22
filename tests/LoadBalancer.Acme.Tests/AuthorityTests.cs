using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Acme.Protocol;
using LoadBalancer.Acme.Storage;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

/// <summary>Authorities as none should be: each fault has its name, and nothing of what they say is believed unchecked. A balancer with fixed answers plays them.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class AuthorityTests : IDisposable
{
    private const string Name = "www.lb.test", Problem = "application/problem+json";

    private readonly TestAuthority _root = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-acme-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly AcmeWatch _watch = new();
    private readonly int _port = SystemProgram.FreePort();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private string Url => $"https://localhost:{_port}";

    private string Links => $$"""{ "newNonce": "{{Url}}/nonce", "newAccount": "{{Url}}/account", "newOrder": "{{Url}}/order" }""";

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("<html>", "the authority's answer is no acmedirectory")]
    [TestCase("[]", "the authority's answer is no acmedirectory")]
    [TestCase("null", "the authority's answer is no acmedirectory")]
    [TestCase("{}", "is no ACME directory")]
    [TestCase("{ \"newNonce\": \"http://localhost/nonce\", \"newAccount\": \"https://localhost/a\", \"newOrder\": \"https://localhost/o\" }", "a URL that is no https URL: http://localhost/nonce")]
    [TestCase("{ \"newNonce\": \"/nonce\", \"newAccount\": \"https://localhost/a\", \"newOrder\": \"https://localhost/o\" }", "a URL that is no https URL: /nonce")]
    public async Task ADirectoryThatIsNoneIsABadAnswer(string body, string expected)
    {
        AcmeRecord record = await AskAsync(new() { ["directory"] = new() { Body = body } });
        Assert.That((record.Failure, record.Problem), Is.EqualTo((AcmeFailure.BadAnswer, record.Problem)));
        Assert.That(record.Problem, Does.Contain(expected));
    }

    [Test]
    public async Task AnAnswerWithoutEndIsNotReadToItsEnd()
    {
        AcmeRecord record = await AskAsync(new() { ["directory"] = new() { Body = new string(' ', 300 * 1024) } });
        Assert.That(record.Failure, Is.EqualTo(AcmeFailure.BadAnswer), record.Problem);
        Assert.That(record.Problem, Does.Contain("more than is read"));
    }

    [Test]
    public async Task AnAuthorityWithAnotherCertificateIsNotTalkedTo()
    {
        using var other = new TestAuthority("Another root");
        AcmeRecord record = await AskAsync(new() { ["directory"] = new() { Body = Links } }, trust: other.Root);
        Assert.That(record.Failure, Is.EqualTo(AcmeFailure.Unreachable), record.Problem);
        Assert.That(record.Problem, Does.Contain("its certificate is not trusted"));
    }

    [TestCase(503, "", "", AcmeFailure.Unreachable, 3600)]
    [TestCase(429, "", "", AcmeFailure.RateLimited, 3600)]
    [TestCase(429, "urn:ietf:params:acme:error:rateLimited", "too many certificates", AcmeFailure.RateLimited, 3600)]
    [TestCase(403, "urn:ietf:params:acme:error:unauthorized", "terms have changed", AcmeFailure.AccountRefused, 3600)]
    [TestCase(400, "urn:ietf:params:acme:error:badNonce", "bad", AcmeFailure.AccountRefused, 3600, Description = "again and again")]
    public async Task ARefusalIsNamedAndItsRetryAfterHeeded(int status, string type, string detail, AcmeFailure failure, int seconds)
    {
        var headers = new Dictionary<string, string> { ["Retry-After"] = "3600", ["Replay-Nonce"] = "AAAA" };
        AcmeRecord record = await AskAsync(new()
        {
            ["directory"] = new() { Body = Links },
            ["nonce"] = new() { Status = 204, Headers = headers },
            ["account"] = new() { Status = status, Headers = headers, ContentType = type.Length > 0 ? Problem : "text/html", Body = type.Length > 0 ? $$"""{ "type": "{{type}}", "detail": "{{detail}}\n\u001b[0m" }""" : "<html>" },
        });
        Assert.That(record.Failure, Is.EqualTo(failure), record.Problem);
        Assert.That(record.Problem, type.Length > 0 ? Does.Contain(detail) : Does.Contain($"answered {status}"));
        Assert.That(record.Problem!.Any(char.IsControl), Is.False, "stands in a log");
        Assert.That(record.NextIn.TotalSeconds, Is.EqualTo(seconds));
    }

    [Test]
    public async Task TheFirstChallengeThatIsOfferedIsAnswered()
    {
        AcmeRecord record = await AskAsync(new(Ordering())
        {
            ["authorization"] = new() { Body = $$"""{ "status": "pending", "challenges": [{ "type": "dns-01", "url": "{{Url}}/dns", "token": "AAAA" }, { "type": "http-01", "url": "{{Url}}/http", "token": "AAAA" }] }""" },
            ["http"] = new() { Status = 403, ContentType = Problem, Body = "{ \"detail\": \"by HTTP\" }" },
        });
        Assert.That((record.Failure, record.Problem), Is.EqualTo((AcmeFailure.Refused, "by HTTP")));
    }

    [Test]
    public async Task AContactThatIsRefusedStopsNoOrder()
    {
        using (AccountKey key = AccountKey.Create()) OpenStorage().WriteAccount(new StoredAccount($"{Url}/account", key.ExportPem(), ["old@lb.test"]));
        AcmeRecord record = await AskAsync(new(Ordering())
        {
            ["account"] = new() { Status = 403, ContentType = Problem, Body = "{ \"detail\": \"no such contact\" }" },
            ["order"] = new() { Status = 403, ContentType = Problem, Body = "{ \"detail\": \"no order\" }" },
        });
        Assert.That((record.Failure, record.Problem), Is.EqualTo((AcmeFailure.Refused, "no order")));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task WhoIsToldCannotEndTheRenewal(bool logFails)
    {
        await using ProxyFixture proxy = await ServeAsync(new() { ["directory"] = new() { Body = "[]" } });
        var faulty = new Faulty(_watch);
        await using CertificateService service = Start(proxy, faulty, logFails ? faulty : null);
        AcmeRecord first = await _watch.NextAsync(_time, Token);
        _time.Advance(first.NextIn);
        AcmeRecord second = await _watch.NextAsync(_time, Token);
        Assert.That((second.Failure, second.NextIn > first.NextIn), Is.EqualTo((AcmeFailure.BadAnswer, true)), second.Problem);
    }

    [Test]
    public async Task AStoredCertificateThatCannotBeShownIsSetAside()
    {
        AcmeStorage storage = OpenStorage();
        using (RSA key = RSA.Create(512)) // OpenSSL takes none of that size
        {
            var request = new CertificateRequest("", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(Name);
            request.CertificateExtensions.Add(names.Build());
            using X509Certificate2 certificate = request.CreateSelfSigned(_time.GetUtcNow().AddDays(-1), _time.GetUtcNow().AddDays(90));
            storage.WriteCertificate(Name, $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
        }
        AcmeRecord record = await AskAsync(new() { ["directory"] = new() { Body = "[]" } });
        Assert.That((record.Failure, record.NotAfter), Is.EqualTo((AcmeFailure.BadAnswer, (DateTimeOffset?)null)), "another is ordered");
        Assert.That((File.Exists(storage.CertificateFile(Name)), File.Exists($"{storage.CertificateFile(Name)}.bad")), Is.EqualTo((false, true)));
    }

    [Test]
    public void StartsAtTheSameTimeDoNotDisturbEachOther()
    {
        OpenStorage();
        Assert.That(() => Parallel.For(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => OpenStorage()), Throws.Nothing);
        Assert.That(Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Count(file => Path.GetFileName(file).StartsWith("writable.", StringComparison.Ordinal)), Is.Zero);
    }

    [Test]
    public async Task AnAccountThatCannotBeReadIsNotReplaced()
    {
        string file = $"{Path.GetDirectoryName(Path.GetDirectoryName(OpenStorage().CertificateFile(Name)))}/account.json";
        File.CreateSymbolicLink(file, file); // an error of the file system, also for root
        AcmeRecord record = await AskAsync(Ordering());
        Assert.That(record.Failure, Is.EqualTo(AcmeFailure.Storage), record.Problem);
        Assert.That(record.Problem, Does.Contain("account.json cannot be read"));
        Assert.That(new FileInfo(file).LinkTarget, Is.EqualTo(file));
    }

    [Test]
    public async Task ALockThatCannotBeHadAtAllIsNoMatterOfWaiting()
    {
        string file = Path.ChangeExtension(OpenStorage().CertificateFile(Name), "lock");
        File.CreateSymbolicLink(file, file);
        AcmeRecord record = await AskAsync(Ordering());
        Assert.That(record.Failure, Is.EqualTo(AcmeFailure.Storage), record.Problem);
    }

    [Test]
    public async Task NamesThatWaitForAnotherProcessHoldUpNoOthers()
    {
        AcmeStorage storage = OpenStorage();
        string[] held = [.. Enumerable.Range(0, 12).Select(i => $"held{i}.lb.test")];
        IDisposable[] locks = [.. held.Select(name => storage.TryLock(name)!)];
        AcmeRecord record = await AskAsync(new() { ["directory"] = new() { Body = "[]" } }, null, [.. held, Name]);
        Assert.That((record.Name, record.Failure), Is.EqualTo((Name, AcmeFailure.BadAnswer)));
        foreach (IDisposable one in locks) one.Dispose();
    }

    /// <summary>Up to an order with one authorization.</summary>
    private Dictionary<string, RespondConfig> Ordering() => new()
    {
        ["directory"] = new() { Body = Links },
        ["nonce"] = new() { Status = 204, Headers = new Dictionary<string, string> { ["Replay-Nonce"] = "AAAA" } },
        ["account"] = new() { Status = 201, Headers = new Dictionary<string, string> { ["Location"] = $"{Url}/account" }, Body = "{ \"status\": \"valid\" }" },
        ["order"] = new() { Status = 201, Headers = new Dictionary<string, string> { ["Location"] = $"{Url}/order" }, Body = $$"""{ "status": "pending", "authorizations": ["{{Url}}/authorization"] }""" },
    };

    private async Task<AcmeRecord> AskAsync(Dictionary<string, RespondConfig> answers, string? trust = null, params string[] names)
    {
        await using ProxyFixture proxy = await ServeAsync(answers, trust, names);
        await using CertificateService service = Start(proxy, _watch);
        return await _watch.NextAsync(_time, Token);
    }

    private CertificateService Start(ProxyFixture proxy, IAcmeObserver observer, ILoggerFactory? log = null)
    {
        var service = new CertificateService(proxy.Server, log ?? proxy.Log, new AcmeOptions { TimeProvider = _time, Observer = observer });
        service.Load();
        service.Start();
        return service;
    }

    private Task<ProxyFixture> ServeAsync(Dictionary<string, RespondConfig> answers, string? trust = null, params string[] names)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto);
        return ProxyFixture.StartAsync(config with
        {
            Acme = new() { AgreeToTerms = true, Directory = $"{Url}/directory", Storage = $"{_folder}/acme", Trust = trust ?? _root.Root },
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["authority"] = new() { Address = $"127.0.0.1:{_port}", Tls = new() { Certificates = [new() { File = _root.IssueFile(["localhost"]) }] } },
                ["plain"] = new() { Address = "127.0.0.1:0" },
                ["main"] = new() { Address = "127.0.0.1:0", Tls = new() { Acme = names.Length > 0 ? names : [Name] } },
            },
            Routes = answers.ToDictionary(answer => answer.Key, answer => new RouteConfig { Path = $"/{answer.Key}", Listeners = ["authority"], Respond = answer.Value }),
            Clusters = new Dictionary<string, ClusterConfig>(),
        });
    }

    private AcmeStorage OpenStorage()
    {
        var storage = new AcmeStorage($"{_folder}/acme", $"{Url}/directory");
        storage.Open();
        return storage;
    }

    /// <summary>An observer, and a log, that fail each time.</summary>
    private sealed class Faulty(AcmeWatch watch) : IAcmeObserver, ILoggerFactory, ILogger
    {
        public void OnAttempt(AcmeRecord record)
        {
            watch.OnAttempt(record);
            throw new InvalidOperationException("observer");
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw new InvalidOperationException("log");

        public void Dispose()
        {
        }
    }
}
