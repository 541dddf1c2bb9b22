using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Acme.Storage;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

/// <summary>Certificates from another people's ACME server: what we and a server of our own might both have misunderstood. It needs pebble, dnsmasq and openssl.</summary>
[TestFixture(TransportKind.Epoll), TestFixture(TransportKind.Sockets)]
[Parallelizable(ParallelScope.Self), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(120_000)]
public sealed class PebbleTests(TransportKind transport) : IAsyncDisposable
{
    private const string Name = "www.lb.test";

    private readonly string _folder = Directory.CreateTempSubdirectory("lb-acme-").FullName;
    private readonly Pebble _pebble = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly AcmeWatch _watch = new();
    private readonly int _httpPort = SystemProgram.FreePort(), _tlsPort = SystemProgram.FreePort();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _pebble.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase(AcmeChallenge.Http01, AcmeKeyKind.Ecdsa)]
    [TestCase(AcmeChallenge.TlsAlpn01, AcmeKeyKind.Rsa)]
    public async Task ACertificateIsHadAndClientsVerifyIt(AcmeChallenge challenge, AcmeKeyKind key)
    {
        string openssl = SystemProgram.Require("openssl");
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        // The plain listener redirects everything, as they do.
        await using ProxyFixture proxy = await ServeAsync(acme => acme with { Challenge = challenge, Key = key, Contact = ["admin@lb.test"] });
        await using CertificateService service = Start(proxy);
        AcmeRecord had = await _watch.NextAsync(_time, Token);
        Assert.That((had.Name, had.Source, had.Failure, had.Problem), Is.EqualTo((Name, CertificateSource.Authority, (AcmeFailure?)null, (string?)null)));
        string said = await OpenSslClient.AskAsync(openssl, proxy.Server.Endpoints["tls"], Token, "-servername", Name, "-verify_hostname", Name, "-verify_return_error", "-CAfile", await _pebble.RootAsync(Token));
        Assert.That(said, Does.Contain("Verify return code: 0 (ok)").And.Contain("HTTP/1.1 200 OK").And.Contain(key == AcmeKeyKind.Rsa ? "RSA" : "ECDSA"));
        Assert.That((proxy.Server.Challenges.HasHttp, proxy.Server.Challenges.HasTls), Is.EqualTo((false, false)), "nothing is left behind");
        AssertIsPrivate();
    }

    [Test]
    public async Task AnAddressThatOnlyRedirectsAnswersToo()
    {
        await _pebble.StartAsync(_httpPort, SystemProgram.FreePort(), Token);
        await using ProxyFixture proxy = await ServeAsync(acme => acme with { Challenge = AcmeChallenge.Http01 }, isRedirectOnly: true);
        await using CertificateService service = Start(proxy);
        Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
    }

    [Test]
    public async Task AfterARestartItIsShownAtOnceAndNobodyIsAsked()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        string first;
        await using (ProxyFixture proxy = await ServeAsync())
        await using (CertificateService service = Start(proxy))
        {
            Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
            first = await ThumbprintAsync();
        }
        await _pebble.StopAsync();
        await using ProxyFixture again = await ServeAsync();
        await using CertificateService second = Start(again);
        Assert.That(await ThumbprintAsync(), Is.EqualTo(first));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.That(_watch.IsEmpty, Is.True);
    }

    [Test]
    public async Task ItIsRenewedBeforeItsEndAlsoAtAnAuthorityThatHasLostTheAccount()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        AcmeRecord had = await _watch.NextAsync(_time, Token);
        TimeSpan life = had.NotAfter!.Value - _time.GetUtcNow();
        Assert.That(had.NextIn / life, Is.InRange(0.61, 0.67));
        string first = await ThumbprintAsync();
        using SslStream open = await ConnectAsync();
        await _pebble.StopAsync();
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);

        _time.Advance(had.NextIn);
        had = await _watch.NextAsync(_time, Token);
        Assert.That((had.Source, had.Problem), Is.EqualTo((CertificateSource.Authority, (string?)null)));
        Assert.That(await ThumbprintAsync(), Is.Not.EqualTo(first));
        Assert.That(await StatusAsync(open), Does.StartWith("HTTP/1.1 200 "), "who was connected stays so");
    }

    [Test]
    public async Task WhatIsDueWhenItIsIssuedIsNotOrderedAgainAtOnce()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        AcmeRecord had = await _watch.NextAsync(_time, Token);
        _time.Advance((had.NotAfter!.Value - _time.GetUtcNow()) * 0.9); // the authority's clock stays
        had = await _watch.NextAsync(_time, Token);
        Assert.That((had.Source, had.Problem), Is.EqualTo((CertificateSource.Authority, (string?)null)));
        Assert.That(had.NextIn / (had.NotAfter!.Value - _time.GetUtcNow()), Is.InRange(0.09, 0.11));
    }

    [Test]
    public async Task AChangedContactIsNoObstacleAtAnAuthorityThatHasLostTheAccount()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        await using (ProxyFixture proxy = await ServeAsync())
        await using (CertificateService service = Start(proxy)) Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
        File.Delete(new AcmeStorage($"{_folder}/acme", _pebble.DirectoryUrl).CertificateFile(Name));
        await _pebble.StopAsync();
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        await using ProxyFixture again = await ServeAsync(acme => acme with { Contact = ["admin@lb.test"] });
        await using CertificateService second = Start(again);
        AcmeRecord had = await _watch.NextAsync(_time, Token);
        Assert.That((had.Source, had.Problem), Is.EqualTo((CertificateSource.Authority, (string?)null)));
    }

    [Test]
    public async Task AfterAnOutageOtherFailuresAreCountedFromOne()
    {
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        for (int i = 0; i < 4; i++)
        {
            AcmeRecord away = await _watch.NextAsync(_time, Token);
            Assert.That(away.Failure, Is.EqualTo(AcmeFailure.Unreachable), away.Problem);
            if (i == 3) await _pebble.StartAsync(SystemProgram.FreePort(), SystemProgram.FreePort(), Token); // validates where nobody is
            _time.Advance(away.NextIn);
        }
        AcmeRecord failed = await _watch.NextAsync(_time, Token);
        Assert.That(failed.Failure, Is.EqualTo(AcmeFailure.ChallengeFailed), failed.Problem);
        Assert.That(failed.NextIn.TotalMinutes, Is.InRange(2, 2.4));
    }

    [Test]
    public async Task AnAuthorityThatIsAwayDelaysNothingAndIsAskedAgain()
    {
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        AcmeRecord failed = await _watch.NextAsync(_time, Token);
        Assert.That((failed.Failure, failed.NotAfter), Is.EqualTo((AcmeFailure.Unreachable, (DateTimeOffset?)null)));
        Assert.That(failed.NextIn.TotalSeconds, Is.InRange(15, 18));
        // Until then hand-shakes are refused, and told so.
        Assert.That(async () => (await ConnectAsync()).Dispose(), Throws.InstanceOf<System.Security.Authentication.AuthenticationException>().Or.InstanceOf<IOException>());
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.CertificateMissing));

        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        _time.Advance(failed.NextIn);
        Assert.That((await _watch.NextAsync(_time, Token)).Source, Is.EqualTo(CertificateSource.Authority));
        (await ConnectAsync()).Dispose();
    }

    [Test]
    public async Task AChallengeThatFailsIsNamedAndTheOtherIsTriedLater()
    {
        await using ScriptedOrigin stranger = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwrong");
        await _pebble.StartAsync(((IPEndPoint)stranger.EndPoint).Port, SystemProgram.FreePort(), Token);
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        AcmeRecord failed = await _watch.NextAsync(_time, Token);
        Assert.That(failed.Failure, Is.EqualTo(AcmeFailure.ChallengeFailed), failed.Problem);
        Assert.That(failed.Problem, Does.StartWith("tls-alpn-01: ").And.Contains("connect"));
        Assert.That(failed.NextIn.TotalMinutes, Is.InRange(2, 2.4));
        Assert.That((proxy.Server.Challenges.HasHttp, proxy.Server.Challenges.HasTls), Is.EqualTo((false, false)), "nothing is left behind");

        _time.Advance(failed.NextIn);
        failed = await _watch.NextAsync(_time, Token);
        Assert.That(failed.Failure, Is.EqualTo(AcmeFailure.ChallengeFailed), failed.Problem);
        Assert.That(failed.Problem, Does.StartWith("http-01: ").And.Contains("wrong"));
        Assert.That(failed.NextIn.TotalMinutes, Is.InRange(4, 4.8));
    }

    [Test]
    public async Task NoncesThatAreRefusedAreReplaced()
    {
        // One in five: some of the order's requests are all but surely refused once, and eight times in a row (when the client gives up) one of 400,000 is.
        await _pebble.StartAsync(_httpPort, _tlsPort, Token, needsExternalAccount: false, "PEBBLE_WFE_NONCEREJECT=20");
        await using ProxyFixture proxy = await ServeAsync();
        await using CertificateService service = Start(proxy);
        Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
    }

    [Test]
    public async Task WhatCannotBeReadIsSetAsideAndHadAnew()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        await using (ProxyFixture proxy = await ServeAsync())
        await using (CertificateService service = Start(proxy)) Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
        string[] files = [.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Where(file => file.EndsWith("account.json", StringComparison.Ordinal) || file.EndsWith(".pem", StringComparison.Ordinal))];
        Assert.That(files, Has.Length.EqualTo(2));
        foreach (string file in files) await File.WriteAllTextAsync(file, "{ half of a fi", Token);

        await using ProxyFixture again = await ServeAsync();
        await using CertificateService second = Start(again);
        Assert.That(await again.Log.NextAsync(Token), Does.Contain("is kept as www.lb.test.pem.bad"));
        Assert.That((await _watch.NextAsync(_time, Token)).Source, Is.EqualTo(CertificateSource.Authority));
        Assert.That(files.Select(file => File.ReadAllText($"{file}.bad")), Is.All.EqualTo("{ half of a fi"));
        (await ConnectAsync()).Dispose();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task AnAuthorityMayWantAnExternalAccount(bool isKnown)
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token, needsExternalAccount: true);
        await using ProxyFixture proxy = await ServeAsync(acme => acme with { ExternalAccount = isKnown ? new() { KeyId = Pebble.EabKeyId, MacKey = Pebble.EabMacKey } : null });
        await using CertificateService service = Start(proxy);
        AcmeRecord record = await _watch.NextAsync(_time, Token);
        Assert.That((record.Failure, record.Problem is null), Is.EqualTo((isKnown ? (AcmeFailure?)null : AcmeFailure.ExternalAccountRequired, isKnown)));
    }

    [Test]
    public async Task WhatAnotherProcessHasOrderedIsUsed()
    {
        await _pebble.StartAsync(_httpPort, _tlsPort, Token);
        string thumbprint;
        await using (ProxyFixture proxy = await ServeAsync())
        await using (CertificateService service = Start(proxy))
        {
            Assert.That((await _watch.NextAsync(_time, Token)).Problem, Is.Null);
            thumbprint = await ThumbprintAsync();
        }
        var storage = new AcmeStorage($"{_folder}/acme", _pebble.DirectoryUrl);
        string file = storage.CertificateFile(Name), pem = await File.ReadAllTextAsync(file, Token);
        File.Delete(file);

        await using ProxyFixture second = await ServeAsync();
        IDisposable? held = storage.TryLock(Name);
        Assert.That((held, storage.TryLock(Name)), Is.EqualTo((held, (IDisposable?)null)));
        await using CertificateService waiting = Start(second);
        Task<AcmeRecord> next = _watch.NextAsync(_time, Token);
        storage.WriteCertificate(Name, pem);
        Assert.That(next.IsCompleted, Is.False, "waits for the other");
        held!.Dispose();
        Assert.That((await next).Source, Is.EqualTo(CertificateSource.Storage));
        Assert.That(await ThumbprintAsync(), Is.EqualTo(thumbprint));
    }

    private Task<ProxyFixture> ServeAsync(Func<AcmeConfig, AcmeConfig>? configure = null, bool isRedirectOnly = false)
    {
        var acme = new AcmeConfig { AgreeToTerms = true, Directory = _pebble.DirectoryUrl, Storage = $"{_folder}/acme", Trust = _pebble.Trust };
        ProxyConfig config = ProxyFixture.Config(transport);
        return ProxyFixture.StartAsync(config with
        {
            Acme = configure is null ? acme : configure(acme),
            Listeners = isRedirectOnly
                ? new Dictionary<string, ListenerConfig> { ["tls"] = new() { Address = $"127.0.0.1:{_tlsPort}", Tls = new() { Acme = [Name], HttpsOnly = new() { RedirectFrom = [$"127.0.0.1:{_httpPort}"] } } } }
                : new Dictionary<string, ListenerConfig> { ["plain"] = new() { Address = $"127.0.0.1:{_httpPort}" }, ["tls"] = new() { Address = $"127.0.0.1:{_tlsPort}", Tls = new() { Acme = [Name] } } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["to-https"] = new() { Listeners = isRedirectOnly ? [] : ["plain"], Redirect = new() { To = "https://{host}/" } },
                ["all"] = new() { Listeners = ["tls"], Respond = new() { Body = "ok" } },
            },
            Clusters = new Dictionary<string, ClusterConfig>(),
        });
    }

    private CertificateService Start(ProxyFixture proxy)
    {
        var service = new CertificateService(proxy.Server, proxy.Log, new AcmeOptions { TimeProvider = _time, Observer = _watch });
        service.Load();
        service.Start();
        return service;
    }

    private async Task<string> ThumbprintAsync()
    {
        using SslStream client = await ConnectAsync();
        return ((X509Certificate2)client.RemoteCertificate!).Thumbprint;
    }

    private async Task<SslStream> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _tlsPort, Token);
        var client = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await client.AuthenticateAsClientAsync(TlsClientOptions.TrustingAnybody(Name), Token);
        return client;
    }

    private static async Task<string> StatusAsync(SslStream client)
    {
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8.ToArray(), Token);
        using var reader = new StreamReader(client);
        return await reader.ReadLineAsync(Token) ?? "";
    }

    private void AssertIsPrivate()
    {
        foreach (string file in Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories))
            Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        foreach (string folder in Directory.EnumerateDirectories(_folder, "*", SearchOption.AllDirectories))
            Assert.That(File.GetUnixFileMode(folder) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute), Is.EqualTo(UnixFileMode.None), folder);
    }
}
