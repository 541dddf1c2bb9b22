using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>A configuration in a key of etcd, by the commands that read it. It needs etcd.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class EtcdTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(90_000)]
    public async Task TheConfigurationIsReadFromItsKey(CancellationToken cancellationToken)
    {
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(cancellationToken);
        string location = $"etcd://{etcd.Address}/lb/config";
        Assert.That(await LbProcess.RunAsync(_directory, cancellationToken, "check", location), Is.EqualTo(new LbResult(1, "", $"{location}: the key \"/lb/config\" does not exist\n1 problem\n")));

        await etcd.PutAsync("/lb/config", """{ "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "all": { "respond": { "body": "ok" } } }, "admin": "off" }""", cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run", "--config", location);
        Assert.That(await lb.LineAsync("lb ", cancellationToken), Does.Contain($", {location}: 1 listener, 1 route"));
        await lb.LineAsync("Ready.", cancellationToken);
        // Whoever changes it there changes it here; what cannot be used changes nothing.
        await etcd.PutAsync("/lb/config", """{ "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "all": { "respond": { "body": "other" } } }, "admin": "off" }""", cancellationToken);
        await lb.ErrorLineAsync("routes.all.respond.body: \"ok\" -> \"other\"", cancellationToken);
        await etcd.PutAsync("/lb/config", "{", cancellationToken);
        await lb.ErrorLineAsync("[5008] Refused to reload", cancellationToken);
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);
    }
}
