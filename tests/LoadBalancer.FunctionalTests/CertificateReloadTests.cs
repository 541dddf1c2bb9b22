using System.Diagnostics;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Certificates that change while clients are served.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class CertificateReloadTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Get = "GET /bytes/2 HTTP/1.1\r\nHost: h\r\n\r\n";
    private readonly TestAuthority _authority = new(), _stranger = new("Another root");
    private readonly TestCertificate _first = new("first.test"), _second = new("second.test");
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-reload-").FullName;

    private string Site => Path.Combine(_directory, "site.pem");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _first.Dispose();
        _second.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static readonly Dictionary<string, (Action<CertificateReloadTests> Prepare, Action<CertificateReloadTests> Replace)> Ways = new()
    {
        ["rewritten in place"] = (t => File.Copy(t._first.Pem, t.Site), t => File.Copy(t._second.Pem, t.Site, overwrite: true)),
        ["renamed over"] = (t => File.Copy(t._first.Pem, t.Site), t =>
        {
            File.Copy(t._second.Pem, t.Site + ".new");
            File.Move(t.Site + ".new", t.Site, overwrite: true);
        }),
        ["a link to another file, as certbot does it"] = (t => File.CreateSymbolicLink(t.Site, t._first.Pem), t =>
        {
            File.Delete(t.Site);
            File.CreateSymbolicLink(t.Site, t._second.Pem);
        }),
        ["a link of a directory above it, as Kubernetes does it"] = (t =>
        {
            t.Volume("..1", t._first.Pem);
            File.CreateSymbolicLink(Path.Combine(t._directory, "..data"), "..1");
            File.CreateSymbolicLink(t.Site, "..data/site.pem");
        }, t =>
        {
            t.Volume("..2", t._second.Pem);
            File.CreateSymbolicLink(Path.Combine(t._directory, "..new"), "..2");
            // The framework renames no links to directories.
            using Process rename = Process.Start("mv", ["-Tf", Path.Combine(t._directory, "..new"), Path.Combine(t._directory, "..data")]);
            rename.WaitForExit();
        }),
        ["the same length and dates"] = (t => File.WriteAllText(t.Site, t.Padded(t._first)), t =>
        {
            DateTime written = File.GetLastWriteTimeUtc(t.Site);
            File.WriteAllText(t.Site, t.Padded(t._second));
            File.SetLastWriteTimeUtc(t.Site, written);
        }),
    };

    private static IEnumerable<string> WayNames => Ways.Keys;

    [TestCaseSource(nameof(WayNames))]
    public async Task NewHandshakesGetWhatHasSettledInTheFile(string way)
    {
        Ways[way].Prepare(this);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, time, new() { File = Site });
        using RawClient kept = await ConnectAsync(proxy);
        Assert.That(kept.ServerCertificate!.Thumbprint, Is.EqualTo(_first.Thumbprint));
        Assert.That(await AskAsync(kept), Does.StartWith("HTTP/1.1 200 ")); // the hand-shake is over for the server too
        Ways[way].Replace(this);
        time.Advance(TimeSpan.FromSeconds(10)); // seen, but perhaps still being written
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_first.Thumbprint));
        Assert.That(await NextAsync(proxy, time), Does.StartWith($"certificate {Site} (listener main) was replaced: second.test, until "));
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_second.Thumbprint));
        Assert.That(await AskAsync(kept), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task AHandshakeThatHasBegunGoesOnWithTheCertificateOfItsBeginning()
    {
        File.Copy(_first.Pem, Site);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, null, new() { File = Site });
        using RawClient begun = await proxy.ConnectAsync(Token);
        Task handshake = begun.StartTlsAsync("first.test", Token);
        File.Copy(_second.Pem, Site, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        await handshake;
        Assert.That(await AskAsync(begun), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_second.Thumbprint));
    }

    [Test]
    public async Task OpenSslSeesTheNewCertificate()
    {
        string openssl = SystemProgram.Require("openssl");
        File.Copy(_first.Pem, Site);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, null, new() { File = Site });
        Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token), Does.Contain("CN = first.test").And.Contain("HTTP/1.1 200 OK"));
        File.Copy(_second.Pem, Site, overwrite: true);
        proxy.Server.ReloadCertificates();
        Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token), Does.Contain("CN = second.test").And.Contain("HTTP/1.1 200 OK"));
    }

    private static readonly Dictionary<string, (Action<CertificateReloadTests> Break, string Problem)> Breaks = new()
    {
        ["garbage"] = (t => File.WriteAllText(t.Site, "no certificate"), "is no certificate with its private key"),
        ["empty"] = (t => File.WriteAllText(t.Site, ""), "is no certificate with its private key"),
        ["without its key"] = (t => File.Copy(t._second.Certificate, t.Site, overwrite: true), "is no certificate with its private key"),
        ["cut off"] = (t => File.WriteAllText(t.Site, File.ReadAllText(t._second.Pem)[..^40]), "is cut off: a BEGIN has no END"),
        ["another's key"] = (t => File.WriteAllText(t.Site, $"{File.ReadAllText(t._second.Certificate)}\n{File.ReadAllText(t._first.Key)}"), "has a key that belongs to another certificate"),
        ["gone"] = (t => File.Delete(t.Site), "does not exist"),
        ["too large"] = (t => File.WriteAllText(t.Site, new string(' ', 5_000_000)), "is larger than 4194304 bytes"),
        ["a directory"] = (t =>
        {
            File.Delete(t.Site);
            Directory.CreateDirectory(t.Site);
        }, "is a directory"),
    };

    private static IEnumerable<string> BreakNames => Breaks.Keys;

    [TestCaseSource(nameof(BreakNames))]
    public async Task ABrokenFileKeepsTheCertificateAndSaysWhyOnce(string name)
    {
        File.Copy(_first.Pem, Site);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, time, new() { File = Site });
        Breaks[name].Break(this);
        Assert.That(await NextAsync(proxy, time), Does.StartWith(
            $"certificate {Site} (listener main) has changed and cannot be used, the one before stays in use: it {Breaks[name].Problem}"));
        CertificateView view = proxy.Server.DescribeCertificates().Single();
        Assert.That(view.Names, Is.EqualTo(new[] { "first.test" }));
        Assert.That(view.Problem, Does.StartWith(Breaks[name].Problem));
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_first.Thumbprint));
        if (Directory.Exists(Site)) Directory.Delete(Site);
        File.Copy(_first.Pem, Site, overwrite: true);
        Assert.That(await NextAsync(proxy, time), Is.EqualTo($"certificate {Site} (listener main) is again the one in use")); // and nothing was logged in between
        Assert.That(proxy.Server.DescribeCertificates().Single().Problem, Is.Null);
    }

    [TestCase(true, Description = "the key within the time in which files settle: nobody hears of it")]
    [TestCase(false)]
    public async Task AKeyMayComeAfterItsCertificate(bool isSoon)
    {
        string key = Path.Combine(_directory, "site.key");
        File.Copy(_first.Certificate, Site);
        File.Copy(_first.Key, key);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, time, new() { File = Site, Key = key });
        File.Copy(_second.Certificate, Site, overwrite: true);
        if (isSoon) time.Advance(TimeSpan.FromSeconds(10));
        else Assert.That(await NextAsync(proxy, time), Does.EndWith("it has a key that belongs to another certificate"));
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_first.Thumbprint));
        File.Copy(_second.Key, key, overwrite: true);
        Assert.That(await NextAsync(proxy, time), Does.Contain("was replaced"));
        Assert.That(await ShownAsync(proxy), Is.EqualTo(_second.Thumbprint));
    }

    [Test]
    public async Task AFileThatTwoListenersNameIsReplacedOnBoth()
    {
        File.Copy(_first.Pem, Site);
        var tls = new TlsConfig { Certificates = [new() { File = Site }] };
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Tls = tls }, ["other"] = config.Listeners["main"] with { Tls = tls } },
        });
        File.Copy(_second.Pem, Site, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        Assert.That(proxy.Server.DescribeCertificates().Single().Listeners, Is.EqualTo(new[] { "main", "other" }));
        foreach (string listener in new[] { "main", "other" })
        {
            using RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints[listener], Token);
            await client.StartTlsAsync("h", Token);
            Assert.That(client.ServerCertificate!.Thumbprint, Is.EqualTo(_second.Thumbprint));
        }
    }

    [Test]
    public async Task NoRequestFailsWhileCertificatesAreReplaced()
    {
        const int Clients = 8, Replacements = 60;
        File.Copy(_first.Pem, Site);
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Listening(new() { Certificates = [new() { File = Site }] })(ProxyFixture.Config(Transport, origin.Address)));
        using var ending = new CancellationTokenSource();
        int requests = 0, handshakes = 0;
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(i => Task.Run(async () =>
        {
            while (!ending.IsCancellationRequested)
            {
                using RawClient client = await ConnectAsync(proxy);
                Interlocked.Increment(ref handshakes);
                // Half of them keep one connection through it all.
                for (int request = 0; !ending.IsCancellationRequested && (i % 2 == 0 || request < 3); request++)
                {
                    if (!(await AskAsync(client)).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) throw new InvalidOperationException("not answered");
                    Interlocked.Increment(ref requests);
                }
            }
        }))];
        for (int i = 0; i < Replacements; i++)
        {
            TestCertificate next = i % 2 == 0 ? _second : _first;
            File.Copy(next.Pem, Site, overwrite: true);
            Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
            Assert.That(await ShownAsync(proxy), Is.EqualTo(next.Thumbprint));
        }
        await ending.CancelAsync();
        await Task.WhenAll(clients);
        Assert.That(requests, Is.GreaterThan(Replacements));
        Assert.That(handshakes, Is.GreaterThan(Clients));
        while (proxy.Server.Contexts[0].ConnectionCount > 0) await proxy.TurnAsync(Token);
        while (!proxy.Completions.IsEmpty) Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed).Or.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task ClientsOfAnAuthorityThatIsTakenOutAreRefused()
    {
        string ca = Path.Combine(_directory, "clients.pem");
        File.Copy(_authority.Root, ca);
        X509Certificate2 old = _authority.Issue(["old.test"], forClients: true), young = _stranger.Issue(["young.test"], forClients: true);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Listening(new() { Certificates = [new() { File = _first.Pem }], ClientCertificates = new() { Ca = ca } }));
        Assert.That((await AskAsync(proxy, old), await AskAsync(proxy, young)), Is.EqualTo((EndReason.Completed, EndReason.ClientCertificateRefused)));
        File.Copy(_stranger.Root, ca, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        Assert.That((await AskAsync(proxy, old), await AskAsync(proxy, young)), Is.EqualTo((EndReason.ClientCertificateRefused, EndReason.Completed)));
        File.WriteAllText(ca, "");
        Assert.That(proxy.Server.ReloadCertificates(), Is.Zero);
        Assert.That(proxy.Server.DescribeCertificates().Single(view => view.Kind == CertificateKind.ClientAuthorities).Problem, Is.EqualTo("has no certificate in PEM"));
        Assert.That((await AskAsync(proxy, old), await AskAsync(proxy, young)), Is.EqualTo((EndReason.ClientCertificateRefused, EndReason.Completed)), "the one before stays");
    }

    [TestCase("-tls1_2", true)]
    [TestCase("-tls1_2", false)]
    [TestCase("-tls1_3", true)]
    [TestCase("-tls1_3", false)]
    public async Task ASessionOutlivesAServersCertificateButNotTheAuthoritiesOfItsClient(string protocol, bool areAuthoritiesChanged)
    {
        if (Transport != TransportKind.Epoll) Assert.Pass("the portable path resumes no sessions");
        string openssl = SystemProgram.Require("openssl"), file = _authority.IssueFile(["client.test"], forClients: true), ca = Path.Combine(_directory, "clients.pem"),
            session = Path.Combine(_directory, "session");
        File.Copy(_authority.Root, ca);
        File.Copy(_first.Pem, Site);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Listening(new() { Certificates = [new() { File = Site }], ClientCertificates = new() { Ca = ca } }));
        Assert.That(await AskAsync("-sess_out", session), Does.Contain("New, TLSv1").And.Contain("HTTP/1.1 200 OK"));
        if (areAuthoritiesChanged) File.Copy(_stranger.Root, ca, overwrite: true);
        else File.Copy(_second.Pem, Site, overwrite: true);
        Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
        string answer = await AskAsync("-sess_in", session);
        if (areAuthoritiesChanged) Assert.That(answer, Does.Not.Contain("HTTP/1.1 200 OK"));
        else Assert.That(answer, Does.Contain("Reused, TLSv1").And.Contain("HTTP/1.1 200 OK"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(areAuthoritiesChanged ? EndReason.ClientCertificateRefused : EndReason.Completed));

        Task<string> AskAsync(params string[] options) => OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, ["-cert", file, protocol, .. options]);
    }

    private Task<ProxyFixture> StartAsync(ScriptedOrigin origin, TimeProvider? time, CertificateConfig certificate) =>
        ProxyFixture.StartAsync(Listening(new() { Certificates = [certificate] })(ProxyFixture.Config(Transport, origin.Address)), time);

    private static Func<ProxyConfig, ProxyConfig> Listening(TlsConfig tls) => Listener(listener => listener with { Tls = tls });

    /// <summary>The next message, with the time it takes. In steps: a timer that is set again in a leap comes after it.</summary>
    private static async Task<string> NextAsync(ProxyFixture proxy, FakeTimeProvider time)
    {
        Task<string> next = proxy.Log.NextAsync(Token);
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await proxy.TurnAsync(Token);
        }
        return await next;
    }

    private void Volume(string name, string pem)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
        File.Copy(pem, Path.Combine(directory, "site.pem"));
    }

    private string Padded(TestCertificate certificate) => File.ReadAllText(certificate.Pem).PadRight(4000);

    private static async Task<RawClient> ConnectAsync(ProxyFixture proxy)
    {
        RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("h", Token);
        return client;
    }

    private static async Task<string> ShownAsync(ProxyFixture proxy)
    {
        using RawClient client = await ConnectAsync(proxy);
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
        return client.ServerCertificate!.Thumbprint;
    }

    private static async Task<string> AskAsync(RawClient client)
    {
        await client.SendAsync(Get, Token);
        return await client.ReadResponseAsync(Token);
    }

    /// <summary>How a request of a client with that certificate ends.</summary>
    private static async Task<EndReason> AskAsync(ProxyFixture proxy, X509Certificate2 certificate)
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        try
        {
            await client.StartTlsAsync("h", Token, certificate);
            await AskAsync(client);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // With TLS 1.3 the client's side is done before the server has looked at its certificate.
        }
        return (await proxy.Completions.NextAsync(Token)).Reason;
    }
}
