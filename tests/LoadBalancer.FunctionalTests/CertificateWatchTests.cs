using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What is told of certificates while they are watched, and what replaced ones leave behind.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class CertificateWatchTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestCertificate _first = new("first.test"), _second = new("second.test");
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-watch-").FullName;

    private string Site => Path.Combine(_directory, "site.pem");

    public void Dispose()
    {
        _authority.Dispose();
        _first.Dispose();
        _second.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [TestCase(15.5, null, null)]
    [TestCase(14.1, null, "expires in 13 days", Description = "it becomes so within a day")]
    [TestCase(13.5, "expires in 13 days", "expires in 12 days", Description = "repeated a day later")]
    public async Task ACertificateThatEndsSoonIsAWarning(double daysLeft, string? atStart, string? aDayLater)
    {
        FakeTimeProvider time = Issue(daysLeft);
        await using ProxyFixture proxy = await StartAsync(time);
        if (atStart is not null) Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith($"certificate {Site} (listener main; site.test) {atStart}, at "));
        time.Advance(TimeSpan.FromHours(24.1));
        if (aDayLater is not null) Assert.That(await proxy.Log.NextAsync(Token), Does.Contain(aDayLater));
        // A mark, so that nothing else was told before it.
        File.Copy(_first.Pem, Site, overwrite: true);
        proxy.Server.ReloadCertificates();
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("was replaced"));
    }

    [TestCase(2.5, "expires in 2 days, at ", "renew it now")]
    [TestCase(0.49, "expires in 11 hours, at ", "renew it now")]
    [TestCase(-0.5, "has expired at ", "clients refuse it")]
    public async Task OneThatEndsVerySoonOrHasEndedIsAnError(double daysLeft, string says, string advises)
    {
        FakeTimeProvider time = Issue(daysLeft);
        await using ProxyFixture proxy = await StartAsync(time);
        Assert.That(proxy.Log.TakeErrors().Single(), Does.StartWith($"certificate {Site} (listener main; site.test) {says}").And.Contain(advises));
        time.Advance(TimeSpan.FromHours(1));
        Assert.That(proxy.Log.TakeErrors(), Is.Empty);
        time.Advance(TimeSpan.FromHours(23.1));
        while (proxy.Log.Errors.Count == 0) await proxy.TurnAsync(Token);
        Assert.That(proxy.Log.TakeErrors().Single(), Does.StartWith($"certificate {Site} "));
    }

    [Test]
    public async Task OneThatHasNotBegunIsAWarning()
    {
        File.Copy(_first.Pem, Site);
        await using ProxyFixture proxy = await StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-10)));
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("clients refuse it until then"));
    }

    [Test]
    public async Task TheMeterTellsOfExpiryAndReloads()
    {
        var expiry = new List<(double Seconds, string Tags)>();
        var reloads = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "LoadBalancer" && instrument.Name.StartsWith("lb.tls.certificate.", StringComparison.Ordinal)) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => expiry.Add((value, $"{instrument.Name} {Text(tags)}")));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => reloads.Add($"{instrument.Name} {value} {Text(tags)}"));
        listener.Start();
        FakeTimeProvider time = Issue(20);
        await using (ProxyFixture proxy = await StartAsync(time))
        {
            listener.RecordObservableInstruments();
            Assert.That(expiry.Single().Tags, Is.EqualTo($"lb.tls.certificate.expiry listener=main file={Site} name=site.test"));
            Assert.That(expiry.Single().Seconds, Is.EqualTo(TimeSpan.FromDays(20).TotalSeconds).Within(60));
            File.WriteAllText(Site, "broken");
            proxy.Server.ReloadCertificates();
            File.Copy(_first.Pem, Site, overwrite: true);
            proxy.Server.ReloadCertificates();
            Assert.That(reloads, Is.EqualTo(new[]
            {
                $"lb.tls.certificate.reloads 1 listener=main file={Site} outcome=refused", $"lb.tls.certificate.reloads 1 listener=main file={Site} outcome=replaced",
            }));
            expiry.Clear();
            listener.RecordObservableInstruments();
            Assert.That(expiry.Single().Tags, Does.EndWith("name=first.test"));
        }
        expiry.Clear();
        listener.RecordObservableInstruments();
        Assert.That(expiry, Is.Empty, "a server that has stopped is no longer measured");

        static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
    }

    [Test]
    public async Task ReplacedCertificatesAreFreedThoughConnectionsStay()
    {
        const int Replacements = 60, Connections = 3;
        File.Copy(_first.Pem, Site);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        Collect(); // what others have left
        long before = Contexts.Watched.Value.Live;
        var sets = new List<WeakReference>();
        var clients = new List<RawClient>();
        for (int i = 0; i < Replacements; i++)
        {
            File.Copy((i % 2 == 0 ? _second : _first).Pem, Site, overwrite: true);
            Assert.That(proxy.Server.ReloadCertificates(), Is.EqualTo(1));
            sets.Add(Set(proxy));
            if (i % (Replacements / Connections) > 0) continue;
            RawClient client = await proxy.ConnectAsync(Token);
            clients.Add(client);
            await client.StartTlsAsync("h", Token);
            await AskAsync(client);
        }
        Collect();
        // The last; a local of a loop that waits may keep one more.
        Assert.That(sets.Count(set => set.IsAlive), Is.LessThanOrEqualTo(2));
        // Those of connections that are open, of which .NET's clients have as many; and the one in use.
        if (Transport == TransportKind.Epoll) Assert.That(Contexts.Watched.Value.Live - before, Is.LessThanOrEqualTo((2 * Connections) + 2));
        foreach (RawClient client in clients)
        {
            Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
            client.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Set(ProxyFixture proxy) => new(proxy.Server.Snapshot.Listeners[0].Tls!.Certificates);

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static async Task<string> AskAsync(RawClient client)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }

    /// <summary>A certificate at <see cref="Site"/>, and a clock by which it ends in that time.</summary>
    private FakeTimeProvider Issue(double daysLeft)
    {
        const int Days = 30;
        File.Copy(_authority.IssueFile(["site.test"], Days), Site);
        return new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(Days - daysLeft).AddSeconds(-10));
    }

    private Task<ProxyFixture> StartAsync(TimeProvider time) => ProxyFixture.StartAsync(Config("127.0.0.1:1"), time);

    private ProxyConfig Config(string destination) =>
        Listener(listener => listener with { Tls = new() { Certificates = [new() { File = Site }] } })(ProxyFixture.Config(Transport, destination));

    /// <summary>Counts the SSL_CTX of this process, by what OpenSSL calls when one is made or freed.</summary>
    private sealed class Contexts
    {
        internal static readonly Lazy<Contexts> Watched = new(() => new Contexts());

        private delegate void Callback(nint parent, nint data, nint extra, int index, CLong argument, nint pointer);

        private readonly Callback _made, _freed; // kept: OpenSSL has their addresses
        private long _live;

        private Contexts()
        {
            const int OfContexts = 1; // CRYPTO_EX_INDEX_SSL_CTX
            _made = (_, _, _, _, _, _) => Interlocked.Increment(ref _live);
            _freed = (_, _, _, _, _, _) => Interlocked.Decrement(ref _live);
            if (NewIndex(OfContexts, new CLong(0), 0, Marshal.GetFunctionPointerForDelegate(_made), 0, Marshal.GetFunctionPointerForDelegate(_freed)) < 0)
                throw new InvalidOperationException("OpenSSL does not tell of its contexts");
        }

        internal long Live => Interlocked.Read(ref _live);

        [DllImport("libcrypto.so.3", EntryPoint = "CRYPTO_get_ex_new_index")]
        private static extern int NewIndex(int kind, CLong argument, nint pointer, nint made, nint copied, nint freed);
    }
}
