using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Edge.Upgrading;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What goes wrong between two processes takes nothing from the one that serves.</summary>
[TestFixture]
public sealed class FailedUpgradeTests : UpgradeFixture
{
    [Test]
    public async Task WhatFailsAfterTheSocketsWereTakenLeavesTheirFiles()
    {
        string unix = $"\"local\": {{ \"address\": \"unix:{Folder}/web.sock\" }},";
        Write(listeners: unix);
        using LbProcess lb = await StartAsync();
        using (var taken = new TcpListener(IPAddress.Loopback, 0))
        {
            taken.Start();
            Write(listeners: $"{unix} \"more\": {{ \"address\": \"{taken.LocalEndpoint}\" }}");
            LbResult refused = await TryUpgradeAsync();
            Assert.That((refused.ExitCode, refused.Error), Is.EqualTo((1, refused.Error)));
        }
        using HttpClient web = UnixHttp.Client($"{Folder}/web.sock");
        Assert.That(await web.GetStringAsync("http://lb/", Token), Is.EqualTo("x"));
        Assert.That(await TellAsync(HttpMethod.Get, "/ready"), Is.EqualTo(HttpStatusCode.OK));
        // Once another serves, the files are its.
        Write(listeners: unix);
        await StopAsync(await UpgradeAsync());
        Assert.That(Directory.GetFiles(Folder, "*.sock*"), Is.Empty);
    }

    [Test]
    public async Task ASocketOfSystemdIsNotDeleted()
    {
        string activate = SystemProgram.Require("systemd-socket-activate"), path = $"{Folder}/web.sock";
        Write(listeners: $"\"local\": {{ \"address\": \"unix:{path}\" }}");
        string[] command = Environment.GetEnvironmentVariable("LB_BINARY") is { } binary ? [binary] : ["dotnet", Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll")];
        using Process systemd = Process.Start(new ProcessStartInfo(activate, ["--listen", path, "-E", "PATH", "-E", "HOME", "-E", "DOTNET_ROOT", .. command, "run"]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            for (string? line = ""; line is not null && !line.Contains("Listening on", StringComparison.Ordinal);) line = await systemd.StandardError.ReadLineAsync(Token);
            _ = systemd.StandardError.ReadToEndAsync(Token);
            using HttpClient web = UnixHttp.Client(path);
            Assert.That(await web.GetStringAsync("http://lb/", Token), Is.EqualTo("x"));
            int next = await UpgradeAsync();
            await systemd.WaitForExitAsync(Token);
            await StopAsync(next);
            Assert.That(Directory.GetFiles(Folder, "*.sock*"), Is.EqualTo(new[] { path }), "handed on, it is systemd's still");
        }
        finally
        {
            if (!systemd.HasExited) systemd.Kill();
        }
    }

    [Test]
    public async Task WhoIsNotLeftToEnds()
    {
        string path = $"{Folder}/before";
        using Socket listener = HandoverSocket.Create();
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        Write();
        using LbProcess next = LbProcess.Start(Folder, "run", $"--take-over={path}");
        using (Socket connection = await listener.AcceptAsync(Token))
        {
            byte[] buffer = new byte[1024];
            Assert.That(Encoding.UTF8.GetString(buffer, 0, await connection.ReceiveAsync(buffer, Token)), Is.EqualTo(HandoverSocket.TakeOver));
            await connection.SendAsync(Encoding.UTF8.GetBytes(HandoverSocket.State + HandoverState.Empty.ToJson()), Token);
            await connection.SendAsync(Encoding.UTF8.GetBytes(HandoverSocket.End), Token);
            Assert.That(Encoding.UTF8.GetString(buffer, 0, await connection.ReceiveAsync(buffer, Token)), Does.StartWith(HandoverSocket.Serving));
        } // as one that has waited for too long, and goes on
        LbResult result = await next.EndAsync(Token);
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((1, result.Error)));
        Assert.That(result.Error, Does.Contain("goes on"));
    }

    [Test]
    public async Task WhereTheProcessBeforeDiesTheNextServes()
    {
        Write();
        using LbProcess lb = await StartAsync();
        // Discovery asks for its names after the sockets were taken, and before anything is served.
        using var resolver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        Write($$"""
            "routes": { "all": { "respond": { "status": 200, "body": "y" } } }, "clusters": { "app": { "discover": { "dns": "x.test:80", "resolver": "{{resolver.Client.LocalEndPoint}}" } } },
            """);
        using LbProcess next = LbProcess.Start(Folder, "run", "--take-over");
        await resolver.ReceiveAsync(Token);
        await lb.SignalAsync("KILL", Token);
        await next.LineAsync("Ready.", Token);
        Assert.That((await GetAsync("/"), await TellAsync(HttpMethod.Get, "/ready")), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
    }

    [Test]
    public async Task AsTheFirstProcessOfAContainerItRefuses()
    {
        string unshare = SystemProgram.Require("unshare");
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("namespaces of processes are root's");
        Write();
        string[] command = Environment.GetEnvironmentVariable("LB_BINARY") is { } binary ? [binary] : ["dotnet", Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll")];
        using Process container = Process.Start(new ProcessStartInfo(unshare, ["--pid", "--fork", "--mount-proc", "--kill-child", .. command, "run"]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            for (string? line = ""; line is not null && !line.StartsWith("Ready.", StringComparison.Ordinal);) line = (await container.StandardOutput.ReadLineAsync(Token))?.TrimStart();
            Assert.That(await TellAsync(HttpMethod.Post, "/upgrade"), Is.EqualTo(HttpStatusCode.Conflict));
            LbResult refused = await TryUpgradeAsync();
            Assert.That((refused.ExitCode, refused.Error), Is.EqualTo((1, refused.Error)));
            Assert.That(refused.Error, Does.Contain("process 1"));
            Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
        }
        finally
        {
            container.Kill();
            await container.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Test]
    public async Task AnAdminSocketWithoutRoomForASecondNameServesAllTheSame()
    {
        string path = Path.Combine(Folder, new string('a', 104 - Folder.Length));
        Write(admin: $"unix:{path}");
        using LbProcess lb = await StartAsync();
        await lb.ErrorLineAsync("[5103] No process can take over", Token);
        LbResult refused = await LbProcess.RunAsync(Folder, Token, "upgrade", "--admin", $"unix:{path}");
        Assert.That((refused.ExitCode, await GetAsync("/")), Is.EqualTo((1, HttpStatusCode.OK)), refused.Error);
        LbResult taking = await LbProcess.RunAsync(Folder, Token, "run", "--take-over");
        Assert.That((taking.ExitCode, taking.Error), Is.EqualTo((1, taking.Error)));
        Assert.That(taking.Error, Does.Contain("hands its sockets over there").And.Not.Contains("   at "));
    }
}
