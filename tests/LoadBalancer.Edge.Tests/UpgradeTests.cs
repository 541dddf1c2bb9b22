using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb upgrade</c>: one process after the other, and no client sees it.</summary>
[TestFixture]
public sealed class UpgradeTests : UpgradeFixture
{
    [Test]
    public async Task UnderLoadNoConnectionIsRefusedOrResetAndEveryRequestIsAnswered()
    {
        const int Clients = 8, Upgrades = 3;
        Write();
        using LbProcess lb = await StartAsync();
        using var done = new CancellationTokenSource();
        Task<(int Served, int Connections)>[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => LoadAsync(done.Token)))];
        Task<int> probes = Task.Run(() => ProbeAsync(done.Token));
        int before = 0;
        for (int i = 0; i < Upgrades; i++)
        {
            int process = await UpgradeAsync(lb);
            Assert.That(process, Is.Not.EqualTo(before));
            before = process;
            if (i == 0) Assert.That(await lb.ExitAsync(Token), Is.Zero); // it has drained
        }
        await done.CancelAsync();
        (int Served, int Connections)[] results = await Task.WhenAll(clients);
        Assert.That(await probes, Is.GreaterThan(Upgrades), "somebody was ready all the time");
        TestContext.Out.WriteLine($"{results.Sum(one => one.Served)} requests by {results.Sum(one => one.Connections)} connections through {Upgrades} upgrades");
        Assert.That(results.Select(one => one.Connections), Is.All.GreaterThan(1), "each client was sent to the next process");
    }

    [Test]
    public async Task WhatWasRegisteredAndDrainedAndBannedHoldsOn()
    {
        await using var origin = new EchoOrigin();
        Write($$"""
            "routes": { "all": { "cluster": "app" } }, "clusters": { "app": { "registration": true, "destinations": { "fixed": "{{origin.Address}}" } } },
            """);
        using LbProcess lb = await StartAsync();
        using (HttpClient admin = UnixHttp.Client(AdminPath))
        {
            using HttpResponseMessage registered = await admin.PutAsync("http://lb/clusters/app/destinations/own", new StringContent($$"""{ "address": "{{origin.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}}", "lease": "60s" }"""), Token);
            using HttpResponseMessage drained = await admin.PostAsync("http://lb/clusters/app/destinations/fixed:drain", null, Token);
            using HttpResponseMessage banned = await admin.PutAsync("http://lb/bans/192.0.2.1", new StringContent("""{ "reason": "test" }"""), Token);
            Assert.That(new[] { registered, drained, banned }.Select(answer => answer.IsSuccessStatusCode), Is.All.True);
        }
        await UpgradeAsync();
        using HttpClient next = UnixHttp.Client(AdminPath);
        string destinations = await next.GetStringAsync("http://lb/clusters/app/destinations", Token);
        Assert.That(destinations, Does.Contain("\"own\"").And.Contain("draining"));
        Assert.That(await next.GetStringAsync("http://lb/bans", Token), Does.Contain("192.0.2.1"));
        Assert.That(await GetAsync("/bytes/3"), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task WhereTheNextProcessCannotServeThisOneGoesOn()
    {
        Write();
        using LbProcess lb = await StartAsync();
        File.WriteAllText(Path.Combine(Folder, "lb.json"), "{");
        LbResult refused = await LbProcess.RunAsync(Folder, Token, "upgrade", "--admin", $"unix:{AdminPath}");
        Assert.That((refused.ExitCode, await GetAsync("/")), Is.EqualTo((1, HttpStatusCode.OK)));
        Assert.That(refused.Error, Does.Contain("has ended with code 1 before it served; this process goes on"));
        Write();
        await UpgradeAsync();
        Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task ARequestUnderWayIsAnsweredByTheProcessThatHasIt()
    {
        await using var origin = new HeldOrigin();
        Write($$"""
            "routes": { "all": { "cluster": "app" } }, "clusters": { "app": { "destinations": { "a": "{{origin.Address}}" } } },
            """);
        using LbProcess lb = await StartAsync();
        using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await origin.ArrivedAsync(Token);
        await UpgradeAsync();
        origin.Answer(HeldOrigin.Ok("late"));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200").And.EndsWith("late"));
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
    }

    [Test]
    public async Task NobodyToTakeOverFromIsALine()
    {
        Write();
        LbResult result = await LbProcess.RunAsync(Folder, Token, "run", "--take-over");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((1, result.Error)));
        Assert.That(result.Error, Does.Contain("no lb that serves hands its sockets over there"));
    }

    [Test]
    public async Task ASocketOfSystemdIsUsed()
    {
        string activate = SystemProgram.Require("systemd-socket-activate");
        Write();
        string[] command = Environment.GetEnvironmentVariable("LB_BINARY") is { } binary ? [binary] : ["dotnet", Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll")];
        using Process systemd = Process.Start(new ProcessStartInfo(activate, ["--listen", $"127.0.0.1:{Port}", "-E", "PATH", "-E", "HOME", "-E", "DOTNET_ROOT", .. command, "run"]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            // It starts the program at the first connection, which waits in the socket's queue until that serves.
            for (string? line = ""; line is not null && !line.Contains("Listening on", StringComparison.Ordinal);) line = await systemd.StandardError.ReadLineAsync(Token);
            _ = systemd.StandardError.ReadToEndAsync(Token);
            Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
        }
        finally
        {
            systemd.Kill();
            await systemd.WaitForExitAsync(CancellationToken.None);
        }
    }

    // As a health check that asks without a pause; how often.
    private async Task<int> ProbeAsync(CancellationToken done)
    {
        int asked = 0;
        for (; !done.IsCancellationRequested; asked++)
        {
            using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint(AdminPath), Token);
            await client.SendAsync("GET /ready HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n", Token);
            Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200"));
        }
        return asked;
    }

    // As a client that keeps its connection and never asks twice: whatever is not answered is a failure.
    private async Task<(int Served, int Connections)> LoadAsync(CancellationToken done)
    {
        int served = 0, connections = 0;
        RawClient? client = null;
        try
        {
            while (!done.IsCancellationRequested)
            {
                if (client is null)
                {
                    client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), Token);
                    connections++;
                }
                await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                string answer = await client.ReadResponseAsync(Token);
                Assert.That(answer, Does.StartWith("HTTP/1.1 200").And.EndsWith("x"));
                served++;
                if (!answer.Contains("Connection: close", StringComparison.Ordinal)) continue;
                client.Dispose();
                client = null;
            }
        }
        finally
        {
            client?.Dispose();
        }
        return (served, connections);
    }
}
