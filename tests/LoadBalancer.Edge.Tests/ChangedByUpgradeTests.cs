using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What a reload cannot change, and an upgrade can; and what neither can.</summary>
[TestFixture]
public sealed class ChangedByUpgradeTests : UpgradeFixture
{
    [Test]
    public async Task AnotherAdminAddress()
    {
        Write(listeners: $"\"local\": {{ \"address\": \"unix:{Folder}/web.sock\" }}");
        using LbProcess lb = await StartAsync();
        Write(admin: $"unix:{Folder}/other.sock");
        await UpgradeAsync();
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
        using HttpClient admin = UnixHttp.Client($"{Folder}/other.sock");
        Assert.That(await admin.GetStringAsync("http://lb/ready", Token), Is.Not.Null);
        Assert.That(Directory.GetFiles(Folder, "*.sock*").Select(Path.GetFileName), Is.EquivalentTo(new[] { "other.sock", "other.sock.upgrade" }), "files of what is no more are gone");
        LbResult again = await LbProcess.RunAsync(Folder, Token, "upgrade", "--admin", $"unix:{Folder}/other.sock");
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        await StopAsync(int.Parse(again.Output.Split(' ')[1].TrimEnd(','), CultureInfo.InvariantCulture));
    }

    [Test]
    public async Task AListenerThatIsGoneWithItsFolder()
    {
        string folder = Directory.CreateDirectory($"{Folder}/gone").FullName;
        Write(listeners: $"\"local\": {{ \"address\": \"unix:{folder}/web.sock\" }}");
        using LbProcess lb = await StartAsync();
        Directory.Delete(folder, recursive: true);
        Write();
        int next = await UpgradeAsync();
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
        Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
        await StopAsync(next);
    }

    [Test]
    public async Task AnotherTransport()
    {
        string unix = $"\"local\": {{ \"address\": \"unix:{Folder}/web.sock\" }}";
        Write(Transport("epoll", 1), unix);
        using LbProcess lb = await StartAsync();
        Write(Transport("sockets", 1), unix);
        int next = await UpgradeAsync();
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
        Assert.That(await AskAsync("/status"), Does.Contain("\"transport\": \"sockets\""));
        using HttpClient web = UnixHttp.Client($"{Folder}/web.sock");
        Assert.That((await GetAsync("/"), await web.GetStringAsync("http://lb/", Token)), Is.EqualTo((HttpStatusCode.OK, "x")));
        await StopAsync(next);
        Assert.That(Directory.GetFiles(Folder, "*.sock*"), Is.Empty);
    }

    [Test]
    public async Task AnotherTransportOfSeveralLoopsIsRefused()
    {
        Write(Transport("epoll", 2));
        using LbProcess lb = await StartAsync();
        Write(Transport("sockets", 2));
        Assert.That((await TryUpgradeAsync()).ExitCode, Is.EqualTo(1));
        await lb.ErrorLineAsync("the process before has 2 sockets for it, one for each loop", Token);
        Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task AnotherDualStackIsRefused()
    {
        if (!Socket.OSSupportsIPv6) Assert.Ignore("this machine has no IPv6");
        string port = Port.ToString(CultureInfo.InvariantCulture);
        string Config(string dualStack) => $$"""
            { "listeners": { "web": { "address": "[::]:{{port}}", "dualStack": {{dualStack}} } }, "routes": { "all": { "respond": { "status": 200, "body": "x" } } }, "admin": "unix:{{AdminPath}}", "drainTimeout": "5s" }
            """;
        File.WriteAllText($"{Folder}/lb.json", Config("true"));
        using LbProcess lb = await StartAsync();
        File.WriteAllText($"{Folder}/lb.json", Config("false"));
        Assert.That((await TryUpgradeAsync()).ExitCode, Is.EqualTo(1));
        await lb.ErrorLineAsync("another \"dualStack\" needs a restart", Token);
        Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
        File.WriteAllText($"{Folder}/lb.json", Config("true"));
        await UpgradeAsync();
    }

    private static string Transport(string kind, int loops) => $$"""
        "transport": { "kind": "{{kind}}", "loops": {{loops.ToString(CultureInfo.InvariantCulture)}} }, "routes": { "all": { "respond": { "status": 200, "body": "x" } } },
        """;
}
