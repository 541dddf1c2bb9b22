using System.Globalization;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb reload</c>, SIGHUP and <c>lb run --watch</c>, as an operator uses them.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(120_000)]
public sealed class ReloadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-reload-").FullName;
    private readonly int _port = SystemProgram.FreePort();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task WhatChangesIsShownAndThenApplied()
    {
        Write("one");
        using LbProcess lb = await StartAsync();
        Write("two");
        LbResult tried = await ReloadAsync("--dry-run");
        Assert.That((tried.ExitCode, tried.Output, await GetAsync()), Is.EqualTo((0, "routes.all.respond.body: \"one\" -> \"two\"\nnot applied: --dry-run\n", "one")));
        LbResult applied = await ReloadAsync();
        Assert.That((applied.ExitCode, applied.Output, await GetAsync()), Is.EqualTo((0, "routes.all.respond.body: \"one\" -> \"two\"\napplied\n", "two")));
        Assert.That((await ReloadAsync()).Output, Is.EqualTo("nothing has changed\n"));
    }

    [Test]
    public async Task ABadFileChangesNothingAndSaysWhereItIsWrongEverywhere()
    {
        Write("one");
        using LbProcess lb = await StartAsync();
        Write("two", "\"drainTimeot\": \"3s\",");
        LbResult refused = await ReloadAsync();
        Assert.That((refused.ExitCode, await GetAsync()), Is.EqualTo((1, "one")));
        Assert.That(refused.Error, Does.Contain("lb.json:1:").And.Contain("drainTimeot").And.Contain("drainTimeout").And.Contain("nothing has changed"));
        await lb.ErrorLineAsync("[5008] Refused to reload", Token);
        using HttpClient admin = AdminClient();
        Assert.That(await admin.GetStringAsync("http://lb/status", Token), Does.Contain("\"succeeded\": false").And.Contain("drainTimeot"));
        Assert.That(await admin.GetStringAsync("http://lb/metrics", Token), Does.Contain("lb_config_reloads_total{outcome=\"refused\"} 1").And.Contain("lb_config_reload_good 0"));
        Assert.That(await admin.GetStringAsync("http://lb/events", Token), Does.Contain("configurationRefused"));
        Write("three");
        Assert.That((await ReloadAsync()).ExitCode, Is.Zero);
        Assert.That(await admin.GetStringAsync("http://lb/metrics", Token), Does.Contain("lb_config_reload_good 1"));
    }

    [Test]
    public async Task SighupReloadsAndWhatNeedsAStartIsSaid()
    {
        Write("one");
        using LbProcess lb = await StartAsync();
        Write("two", "\"bansMax\": 5,");
        await lb.SignalAsync("HUP", Token);
        await lb.ErrorLineAsync("[5006] Reloaded", Token);
        await lb.ErrorLineAsync("[5009] Holds from the next start on only: bansMax", Token);
        Assert.That(await GetAsync(), Is.EqualTo("two"));
    }

    [Test]
    public async Task AWatchedFileIsReloadedWhenItHasChanged()
    {
        Write("one");
        using LbProcess lb = await StartAsync("--watch");
        Write("two");
        await lb.ErrorLineAsync("[5006] Reloaded", Token);
        Assert.That(await GetAsync(), Is.EqualTo("two"));
    }

    [Test]
    public async Task SecretsAreNotShownThoughTheirChangeIs()
    {
        Policy("first-secret-of-32-characters-xx");
        using LbProcess lb = await StartAsync();
        Policy("other-secret-of-32-characters-yy");
        LbResult applied = await ReloadAsync();
        Assert.That((applied.ExitCode, applied.Output), Is.EqualTo((0, "policies.who: what is not shown has changed\napplied\n")), applied.Error);

        void Policy(string secret) => Write("one", $$"""
            "policies": { "who": { "session": { "keys": { "a": "{{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(secret))}}" } } } },
            """.ReplaceLineEndings(" "));
    }

    private void Write(string body, string more = "") => File.WriteAllText(Path.Combine(_directory, "lb.json"),
        $$"""{ "listeners": { "web": { "address": "127.0.0.1:{{_port.ToString(CultureInfo.InvariantCulture)}}" } }, {{more}} "routes": { "all": { "respond": { "status": 200, "body": "{{body}}" } } }, "admin": { "address": "unix:{{_directory}}/admin.sock" } }""");

    private async Task<LbProcess> StartAsync(params string[] arguments)
    {
        LbProcess lb = LbProcess.Start(_directory, ["run", .. arguments]);
        await lb.LineAsync("Ready.", Token);
        return lb;
    }

    private Task<LbResult> ReloadAsync(params string[] arguments) => LbProcess.RunAsync(_directory, Token, ["reload", "--admin", $"unix:{_directory}/admin.sock", .. arguments]);

    private async Task<string> GetAsync()
    {
        using var client = new HttpClient();
        return await client.GetStringAsync($"http://127.0.0.1:{_port}/", Token);
    }

    private HttpClient AdminClient() => UnixHttp.Client($"{_directory}/admin.sock");
}
