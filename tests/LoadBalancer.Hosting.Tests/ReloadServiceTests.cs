using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>A running host reads its configuration again, and something goes wrong.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(60_000)]
public sealed class ReloadServiceTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task WhatASourceHasAndCannotBeReadAtOnceIsReadLater()
    {
        using IHost host = await StartAsync();
        var server = host.Services.GetRequiredService<ProxyServer>();
        int reads = 0;
        using ReloadService reloads = Service(host, () => ++reads < 3 ? throw new IOException("nobody there") : Task.FromResult(new ConfigReadResult(Config("b"), [])));
        using var source = new Source();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task watching = reloads.WatchAsync(source, ending.Token);
        source.Changed.Release();
        while (server.LastReload is not { Succeeded: true })
        {
            Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromSeconds(1)); // each back-off in turn
            await Task.Yield();
        }
        Assert.That((server.Config.Zone, reads), Is.EqualTo(("b", 3)));
        await ending.CancelAsync();
        await watching;
    }

    [Test]
    public async Task APolicyThatCannotBeMadeIsRefusedAndTheWatchGoesOn()
    {
        using IHost host = await StartAsync();
        var server = host.Services.GetRequiredService<ProxyServer>();
        ProxyConfig next = Config("b") with { Policies = new Dictionary<string, PolicyConfig> { ["p"] = new Failing() } };
        using ReloadService reloads = Service(host, () => Task.FromResult(new ConfigReadResult(next, [])));
        ReloadReport report = await reloads.ReloadAsync(isDryRun: false, who: null, Token);
        Assert.That((report.IsGood, report.Problems.Single(), server.Config.Zone), Is.EqualTo((false, "test: it has changed meanwhile", "a")));
        next = Config("b");
        Assert.That((await reloads.ReloadAsync(isDryRun: false, who: null, Token)).IsGood);
    }

    [Test]
    public async Task WhoCannotFollowIsNamedAndAskedAgain()
    {
        var follower = new Follower();
        using IHost host = await StartAsync(services => services.AddSingleton<IConfigFollower>(follower));
        var server = host.Services.GetRequiredService<ProxyServer>();
        ProxyConfig next = Config("b");
        using ReloadService reloads = Service(host, () => Task.FromResult(new ConfigReadResult(next, [])));
        ReloadReport report = await reloads.ReloadAsync(isDryRun: false, who: null, Token);
        Assert.That((report.IsGood, report.Failures.Single(), server.Config.Zone), Is.EqualTo((true, "a test: not yet", "b")), "what is in use is in use");
        Assert.That(server.LastReload!.Succeeded, Is.False);
        follower.Fails = false;
        report = await reloads.ReloadAsync(isDryRun: false, who: null, Token);
        Assert.That((report.Failures.Count, follower.Followed, server.LastReload!.Succeeded), Is.EqualTo((0, 1, true)), "though nothing else has changed");
        Assert.That(follower.Before, Is.Null, "it begins anew");
        await reloads.ReloadAsync(isDryRun: false, who: null, Token);
        Assert.That(follower.Followed, Is.EqualTo(1));
        next = Config("c");
        await reloads.ReloadAsync(isDryRun: false, who: null, Token);
        Assert.That(follower.Before!.Zone, Is.EqualTo("b"));
    }

    private static async Task<IHost> StartAsync(Action<IServiceCollection>? add = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging().AddLoadBalancer(Config("a"));
        add?.Invoke(builder.Services);
        IHost host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private ReloadService Service(IHost host, Func<Task<ConfigReadResult>> load) => new(
        "test", host.Services.GetRequiredService<ProxyServer>(), host.Services.GetRequiredService<ConfigReloader>(), NullLogger<ReloadService>.Instance, load, timeProvider: _time);

    private static ProxyConfig Config(string zone) => new() { Zone = zone, Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:0" } } };

    private sealed record Failing : PolicyConfig
    {
        public override string Kind => "failing";

        protected internal override IRoutePolicy Create(PolicyServices services) => throw new FormatException("it has changed meanwhile");
    }

    private sealed class Follower : IConfigFollower
    {
        internal bool Fails { get; set; } = true;

        internal ProxyConfig? Before { get; private set; }

        internal int Followed { get; private set; }

        public string Subject => "a test";

        public Task FollowAsync(ProxyConfig? before, ProxyConfig after)
        {
            if (Fails) throw new InvalidOperationException("not yet");
            Before = before;
            Followed++;
            return Task.CompletedTask;
        }
    }

    private sealed class Source : IConfigTextSource
    {
        internal SemaphoreSlim Changed { get; } = new(0);

        public string Name => "test";

        public Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken = default) => Task.FromResult<ReadOnlyMemory<byte>>(default);

        public Task WaitForChangeAsync(Action<string?>? problem = null, CancellationToken cancellationToken = default) => Changed.WaitAsync(cancellationToken);

        public void Dispose() => Changed.Dispose();
    }
}
