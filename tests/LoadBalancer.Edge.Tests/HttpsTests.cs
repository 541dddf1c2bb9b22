using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using LoadBalancer.Edge.Development;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>--https</c>: a development certificate made on the fly, and the printed command that trusts it.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
[UnsupportedOSPlatform("windows")]
public sealed class HttpsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    private string Kept => Path.Combine(_directory, "lb");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [TestCase("127.0.0.1:0")]
    [TestCase("127.0.0.2:0", Description = "no name or address of the certificate")]
    [TestCase("unix:lb's.sock")]
    [CancelAfter(60_000)]
    public async Task RunServesHttpsAndPrintsTheCurlThatWorks(string listen, CancellationToken token)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        if (listen.StartsWith("unix:", StringComparison.Ordinal)) listen = $"unix:{_directory}/{listen[5..]}";
        using LbProcess lb = Start(_directory, "run", "--https", "--listen", listen, "--to", origin.Address);
        if (!listen.StartsWith("unix:", StringComparison.Ordinal)) Assert.That(await lb.LineAsync("listening", token), Does.Contain("web: https://127.0.0."));
        Assert.That(await lb.LineAsync("certificate", token), Does.Contain("self-signed, for development only, until 20").And.EndsWith($": {Kept}/development.crt"));
        Assert.That(await lb.LineAsync("SHA-256", token), Does.Match("( [0-9A-F]{2}|:[0-9A-F]{2}){32}$"));
        string command = After(await lb.LineAsync("try", token), "try");
        await lb.LineAsync("Ready.", token);
        Assert.That(await ShellAsync(command, token), Does.Contain("X-Forwarded-Proto: https\r\n"));
    }

    [Test, CancelAfter(60_000)]
    public async Task TheNextRunHasTheSameCertificate(CancellationToken token)
    {
        var prints = new List<string>();
        for (int i = 0; i < 2; i++)
        {
            using LbProcess lb = Start(_directory, "run", "--https", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1");
            prints.Add(await lb.LineAsync("SHA-256", token));
        }
        Assert.That(prints[1], Is.EqualTo(prints[0]));
        Assert.That(File.GetUnixFileMode(Kept), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(Directory.GetFiles(Kept).Select(Path.GetFileName), Is.EquivalentTo(new[] { "development.pem", "development.crt" }));
        Assert.That(Directory.GetFiles(Kept).Select(File.GetUnixFileMode), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(await File.ReadAllTextAsync($"{Kept}/development.crt", token), Does.Not.Contain("PRIVATE KEY"));
    }

    [Test, CancelAfter(60_000)]
    public async Task WhereNothingCanBeKeptTheCertificateIsForOneRun(CancellationToken token)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        using LbProcess lb = Start("/proc/nowhere", "run", "--https", "--listen", "127.0.0.1:0", "--to", origin.Address);
        string file = After(await lb.LineAsync("certificate", token), ": ");
        Assert.That(await lb.LineAsync("not kept", token), Does.Contain("/proc/nowhere/lb"));
        string command = After(await lb.LineAsync("try", token), "try");
        await lb.LineAsync("Ready.", token);
        Assert.That(await ShellAsync(command, token), Does.Contain("X-Forwarded-Proto: https\r\n"));
        await lb.SignalAsync("TERM", token);
        Assert.That((await lb.EndAsync(token)).ExitCode, Is.Zero);
        Assert.That(Directory.Exists(Path.GetDirectoryName(file)), Is.False);
    }

    [Test, CancelAfter(60_000)]
    public async Task DemoServesHttpsToItselfAndToCurl(CancellationToken token)
    {
        using LbProcess lb = Start(_directory, "demo", "--https", "--port", "0", "--balance", "round-robin");
        Assert.That(await lb.LineAsync("Balancer on", token), Does.Contain("https://127.0.0.1:"));
        Assert.That(await lb.LineAsync("30 requests", token), Does.Match(@"fast +33 % .* medium +33 % .* slow +33 % .* ms$"));
        string line = After(await lb.LineAsync("Your turn:", token), "Your turn:");
        Assert.That(await ShellAsync(line[..line.IndexOf("      ", StringComparison.Ordinal)], token), Does.StartWith("Hello from "));
        await lb.SignalAsync("TERM", token);
        LbResult result = await lb.EndAsync(token);
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
    }

    [Test]
    public void Open_NearItsEnd_IsRenewed()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        string first = Open(time);
        time.Advance(TimeSpan.FromDays(75.9));
        Assert.That(Open(time), Is.EqualTo(first), "14 days and more are left");
        time.Advance(TimeSpan.FromDays(0.2));
        string second = Open(time);
        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That(Open(time), Is.EqualTo(second));
        Assert.That(Open(new FakeTimeProvider(DateTimeOffset.UtcNow)), Is.Not.EqualTo(second), "is not valid yet");
    }

    [Test]
    public void Open_WhatCannotBeUsed_IsReplaced([Values("garbage", "cut", "readable", "gone", "public")] string what)
    {
        string first = Open(TimeProvider.System), pem = $"{Kept}/development.pem", crt = $"{Kept}/development.crt", text = File.ReadAllText(pem);
        switch (what)
        {
            case "garbage": File.WriteAllText(pem, "nothing"); break;
            case "cut": File.WriteAllText(pem, text[..text.IndexOf("-----BEGIN PRIVATE", StringComparison.Ordinal)]); break;
            case "readable": File.SetUnixFileMode(pem, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead); break;
            case "gone": File.Delete(pem); break;
            case "public": File.WriteAllText(crt, "nothing"); break;
        }
        Assert.That(Open(TimeProvider.System), what == "public" ? Is.EqualTo(first) : Is.Not.EqualTo(first));
        Assert.That(File.ReadAllText(pem), Does.StartWith(File.ReadAllText(crt)));
    }

    [Test]
    public void Open_AtOnce_AllUseTheSame()
    {
        string[] prints = new string[8];
        Thread[] threads = [.. prints.Select((_, i) => new Thread(() => prints[i] = Open(TimeProvider.System)))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.That(prints.Distinct().Count(), Is.EqualTo(1));
    }

    private string Open(TimeProvider time)
    {
        using DevelopmentCertificate certificate = DevelopmentCertificate.Open(Kept, time);
        Assert.That(certificate.Note, Is.Null);
        return certificate.Fingerprint;
    }

    private LbProcess Start(string data, params string[] args) => LbProcess.StartIn(_directory, [new("XDG_DATA_HOME", data)], args);

    private static string After(string line, string mark) => line[(line.IndexOf(mark, StringComparison.Ordinal) + mark.Length)..].Trim();

    private static async Task<string> ShellAsync(string command, CancellationToken token)
    {
        SystemProgram.Require("curl");
        Assert.That(command, Does.StartWith("curl --cacert "));
        (int exitCode, string output) = await SystemProgram.RunAsync("/bin/sh", token, "-c", command.Replace("curl ", "curl -sS --fail ", StringComparison.Ordinal));
        Assert.That(exitCode, Is.Zero, $"{command}: {output}");
        return output;
    }
}
