using System.Net.Sockets;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Upgrading;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>The two sides of a hand-over, in one process.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), NonParallelizable, CancelAfter(60_000)]
public sealed class HandoverTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-handover-").FullName;
    private readonly ProxyServer _server;
    private readonly AdminServer _admin;

    public HandoverTests()
    {
        var app = new ClusterConfig { Registration = true, Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "127.0.0.1:1" }, ["b"] = new() { Address = "127.0.0.1:2" } } };
        _server = new ProxyServer(new ProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:0" } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = app },
        }, NullLoggerFactory.Instance);
        _admin = new AdminServer(_server, new AdminConfig { Address = $"unix:{_folder}/admin.sock" }, NullLoggerFactory.Instance);
    }

    [SetUp]
    public void SkipWhereUnsupported()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("sockets are handed over on Linux");
    }

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task WhoIsTooLateIsNotLeftToAndTheNextOneIs()
    {
        await _admin.StartAsync();
        using HandoverServer before = HandoverServer.TryStart(_server, _admin, NullLogger.Instance)!;
        using (HandoverClient late = HandoverClient.Take(before.Path))
        {
            Assert.That(before.TryGiveUp(Environment.ProcessId), Is.True);
            Assert.That((late.Serving("1"), before.Taken.IsCompleted), Is.EqualTo((false, false)), "it said so after it was given up");
        }
        before.TryGiveUp(0);
        using HandoverClient next = HandoverClient.Take(before.Path);
        Assert.That(next.Serving("2.0"), Is.True);
        Assert.That(await before.Taken, Is.EqualTo(new Successor(Environment.ProcessId, "2.0")));
        Assert.That((before.TryGiveUp(Environment.ProcessId), before.TryClose()), Is.EqualTo((false, false)), "it is too late for that");
    }

    [Test]
    public async Task AProcessThatStopsIsNotTakenOverFrom()
    {
        await _admin.StartAsync();
        using HandoverServer before = HandoverServer.TryStart(_server, _admin, NullLogger.Instance)!;
        using HandoverClient next = HandoverClient.Take(before.Path);
        Assert.That((before.TryClose(), next.Serving("1")), Is.EqualTo((true, false)));
        Assert.That((before.Taken.IsCompleted, File.Exists(before.Path)), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task WhatWasTakenBackMeanwhileIsTakenBackHereToo()
    {
        var first = new HandoverState([new("app", "a"), new("app", "found later")], [new("app", "own", "127.0.0.1:3", 1, 0, 0, null, TimeSpan.FromMinutes(1))], [new("192.0.2.1", null, "x")]);
        var last = new HandoverState([new("app", "b")], [new("app", "other", "127.0.0.1:4", 2, 0, 0, null, TimeSpan.FromMinutes(1))], [new("192.0.2.2", null, "y")]);
        await first.ApplyAsync(HandoverState.Empty, _server, _admin);
        Assert.That(HandoverState.Of(_server, _admin).ToJson(), Is.EqualTo((first with { Drained = [first.Drained[1], first.Drained[0]] }).ToJson()), "what is not there yet comes first");
        await last.ApplyAsync(first, _server, _admin);
        Assert.That(HandoverState.Of(_server, _admin).ToJson(), Is.EqualTo(last.ToJson()));
    }

    [Test]
    public void OnlyTheSameUserAndRootAreTrusted()
    {
        string path = $"{_folder}/socket";
        using Socket listener = HandoverSocket.Create(), client = HandoverSocket.Create();
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        client.Connect(new UnixDomainSocketEndPoint(path));
        using Socket accepted = listener.Accept();
        Assert.That((HandoverSocket.IsTrusted(accepted), HandoverSocket.Peer(accepted).Process, HandoverSocket.Peer(client).Process), Is.EqualTo((true, Environment.ProcessId, Environment.ProcessId)));
        Assert.That(new[] { (0, 1000), (1000, 1000), (1001, 1000), (1000, 0), (-1, 1000) }.Select(one => HandoverSocket.IsTrusted(one.Item1, one.Item2)), Is.EqualTo(new[] { true, true, false, false, false }));
    }

    [TestCase("{0}/current/lb", "{0}/current/lb", TestName = "ProgramPath_OfALink_IsTheLink")]
    [TestCase("lb", "{0}/current/lb", TestName = "ProgramPath_OfAName_IsThatOfPath")]
    [TestCase("{0}/other/lb", "{0}/v1/lb", TestName = "ProgramPath_OfAnother_IsTheFile")]
    [TestCase("service", "{0}/v1/lb", TestName = "ProgramPath_OfANameOfTheStartersChoice_IsTheFile")]
    [TestCase("", "{0}/v1/lb", TestName = "ProgramPath_OfNone_IsTheFile")]
    public void ProgramIsStartedAgainByThePathItWasStartedBy(string name, string expected)
    {
        foreach (string folder in new[] { "v1", "other" }) Directory.CreateDirectory($"{_folder}/{folder}");
        foreach (string file in new[] { "v1/lb", "other/lb", "v1/service.txt" }) File.WriteAllText($"{_folder}/{file}", "");
        Directory.CreateSymbolicLink($"{_folder}/current", $"{_folder}/v1");
        string In(string text) => text.Replace("{0}", _folder, StringComparison.Ordinal);
        Assert.That(ProgramPath.Find(In(name), $"relative:{_folder}/none:{_folder}/current", $"{_folder}/v1/lb"), Is.EqualTo(In(expected)));
    }

    [Test]
    public void TakeOverIsLeftOutOfTheArgumentsForTheNextOne()
    {
        string[] arguments = ["run", "--take-over", "/run/a.upgrade", "--config", "x", "--take-over=/run/b", "--take-over", "--log", "warn", "--take-over"];
        Assert.That(Upgrader.WithoutTakeOver(arguments), Is.EqualTo(new[] { "run", "--config", "x", "--log", "warn" }));
    }
}
