using System.Diagnostics;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>samples/Keepalived as it stands, on two machines that are network namespaces. It needs keepalived, curl, ip and root.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class KeepalivedTests : IDisposable
{
    private const string Virtual = "192.0.2.10", Sample = "samples/Keepalived";

    private readonly string _directory = Directory.CreateTempSubdirectory("lb-vrrp-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(240_000)]
    public async Task RequestsGoOnWithoutTheBalancerAndWithoutTheNode(CancellationToken cancellationToken)
    {
        string keepalived = SystemProgram.Require("keepalived"), curl = SystemProgram.Require("curl");
        await using Namespaces network = await Namespaces.CreateAsync(cancellationToken,
            ("1", ["192.0.2.11/24"]), ("2", ["192.0.2.12/24"]), ("client", ["192.0.2.30/24", "192.0.2.21/24", "192.0.2.22/24"]));
        string servers = $"{_directory}/servers.json";
        await File.WriteAllTextAsync(servers, """{ "listeners": { "web": { "address": ":8080" } }, "routes": { "all": { "respond": { "body": "ok" } } }, "admin": "off" }""", cancellationToken);
        StartBalancer(network, "client", servers);
        var balancers = new Dictionary<string, Process>();
        foreach (string node in (string[])["1", "2"])
        {
            string folder = Directory.CreateDirectory($"{_directory}/{node}").FullName;
            // Two machines have a file system each; the namespaces share one.
            await File.WriteAllTextAsync($"{folder}/lb.json", Repository.Read($"{Sample}/lb.json").Replace("/run/lb/", $"{folder}/", StringComparison.Ordinal), cancellationToken);
            await File.WriteAllTextAsync($"{folder}/keepalived.conf", Repository.Read($"{Sample}/keepalived-{node}.conf").Replace("/run/lb/", $"{folder}/", StringComparison.Ordinal), cancellationToken);
            balancers[node] = StartBalancer(network, node, $"{folder}/lb.json");
            network.Start(node, $"{folder}/keepalived.log", keepalived, "--dont-fork", "--log-console", "--log-detail", "--use-file", $"{folder}/keepalived.conf", "--pid", $"{folder}/keepalived.pid", "--vrrp_pid", $"{folder}/vrrp.pid");
        }

        await AnswersAsync();
        string owner = await HasAddressAsync("1") ? "1" : "2", other = owner == "1" ? "2" : "1";
        Assert.That((await HasAddressAsync(owner), await HasAddressAsync(other)), Is.EqualTo((true, false)));
        await EntersBackupAsync(other, 1); // ready to take over

        long start = Stopwatch.GetTimestamp();
        balancers[owner].Kill();
        await balancers[owner].WaitForExitAsync(cancellationToken);
        await AnswersAsync();
        TestContext.Out.WriteLine($"balancer killed: the other node answers after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        Assert.That(await HasAddressAsync(other), Is.True);

        int before = BackupsOf(owner);
        StartBalancer(network, owner, $"{_directory}/{owner}/lb.json");
        await EntersBackupAsync(owner, before + 1); // ready again, and leaves the address where it is
        Assert.That((await HasAddressAsync(owner), await HasAddressAsync(other)), Is.EqualTo((false, true)));
        await AnswersAsync();
        start = Stopwatch.GetTimestamp();
        await network.CutAsync(other, cancellationToken);
        await AnswersAsync();
        TestContext.Out.WriteLine($"node off the network: the other answers after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        Assert.That(await HasAddressAsync(owner), Is.True);

        // Other programs give no events to wait for; each of these is asked until it is so, or the test's time is up.
        async Task AnswersAsync()
        {
            while ((await network.RunAsync("client", [curl, "--silent", "--fail", "--max-time", "1", "--output", "/dev/null", $"http://{Virtual}/"], cancellationToken)).ExitCode != 0) await Task.Delay(20, cancellationToken);
        }

        async Task EntersBackupAsync(string node, int count)
        {
            while (BackupsOf(node) < count) await Task.Delay(50, cancellationToken);
        }

        int BackupsOf(string node) => File.ReadAllText($"{_directory}/{node}/keepalived.log").Split("Entering BACKUP STATE").Length - 1;

        async Task<bool> HasAddressAsync(string node) => (await network.AddressesAsync(node, cancellationToken)).Contains($"{Virtual}/", StringComparison.Ordinal);
    }

    private Process StartBalancer(Namespaces network, string machine, string config)
    {
        string? binary = Environment.GetEnvironmentVariable("LB_BINARY");
        string[] run = ["run", "--config", config];
        return network.Start(machine, $"{_directory}/lb-{machine}.log", binary ?? "dotnet", binary is null ? [Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll"), .. run] : run);
    }
}
