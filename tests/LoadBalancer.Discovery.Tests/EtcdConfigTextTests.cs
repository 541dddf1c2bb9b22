using System.Text;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>A whole configuration in a key of a real etcd. It needs etcd.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(90_000)]
public sealed class EtcdConfigTextTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task TheTextIsReadAndItsChangesAreTold()
    {
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        using EtcdConfigText source = Create($"etcd://{etcd.Address}/lb/config");
        Assert.That(async () => await source.ReadAsync(Token), Throws.TypeOf<IOException>().With.Message.EqualTo("the key \"/lb/config\" does not exist"));
        Assert.That((await ConfigFile.LoadAsync(source, Token)).Problems.Single().ToString(), Is.EqualTo($"etcd://{etcd.Address}/lb/config: the key \"/lb/config\" does not exist"));

        Task change = source.WaitForChangeAsync(cancellationToken: Token);
        await etcd.PutAsync("/lb/config", "{ \"listeners\": { \"web\": { \"address\": \":80\" } }, \"zone\": \"a\" }", Token);
        await change;
        Assert.That((await ConfigFile.LoadAsync(source, Token)).Config!.Zone, Is.EqualTo("a"));

        var problems = System.Threading.Channels.Channel.CreateUnbounded<string?>();
        change = source.WaitForChangeAsync(problem => problems.Writer.TryWrite(problem), Token);
        await etcd.PutAsync("/lb/config2", "x", Token);
        await etcd.DeleteAsync("/lb/config", Token);
        Assert.That(await problems.Reader.ReadAsync(Token), Is.EqualTo("the key \"/lb/config\" does not exist"));
        await etcd.PutAsync("/lb/config", "{ \"listeners\": { \"web\": { \"address\": \":80\" } }, \"zone\": \"a\" }", Token);
        Assert.That(await problems.Reader.ReadAsync(Token), Is.Null);
        Assert.That(change.IsCompleted, Is.False, "it is what it was");
        await etcd.PutAsync("/lb/config", "{ \"zones\": 1 }", Token);
        await change;
        ConfigReadResult result = await ConfigFile.LoadAsync(source, Token);
        Assert.That(result.Problems.Select(p => p.ToString()), Has.Some.StartsWith($"etcd://{etcd.Address}/lb/config:1:3: zones: unknown key"));
    }

    [Test]
    public async Task AnEtcdThatStopsAndComesBackIsWaitedFor()
    {
        var time = new FakeTimeProvider();
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        await etcd.PutAsync("/lb/config", "one", Token);
        using EtcdConfigText source = Create($"etcd://{etcd.Address}/lb/config", time);
        Assert.That(Encoding.UTF8.GetString((await source.ReadAsync(Token)).Span), Is.EqualTo("one"));
        var problems = System.Threading.Channels.Channel.CreateUnbounded<string?>();
        Task change = source.WaitForChangeAsync(problem => problems.Writer.TryWrite(problem), Token);
        await etcd.StopAsync();
        Assert.That(await problems.Reader.ReadAsync(Token), Does.StartWith($"{etcd.Address}: "));
        await etcd.StartAsync(Token);
        await etcd.PutAsync("/lb/config", "two", Token);
        while (!change.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1)); // each back-off in turn
            await Task.WhenAny(change, Task.Delay(20, Token)); // etcd gives no event to wait for
        }
        await change;
        Assert.That(Encoding.UTF8.GetString((await source.ReadAsync(Token)).Span), Is.EqualTo("two"));
    }

    [TestCase("etcd://h", "names no key; expected one such as \"etcd://etcd.internal:2379/lb/config\"")]
    [TestCase("etcd://h/", "names no key; expected one such as \"etcd://etcd.internal:2379/lb/config\"")]
    [TestCase("etcd://u:p@h/k", "has a user, which everybody on this machine sees; set LB_ETCD_USER and LB_ETCD_PASSWORD")]
    [TestCase("etcd://h,:1/k", "\":1\" has no host; did you mean \"localhost:1\"?")]
    [TestCase("etcd://h,h2:99999/k", "\"h2:99999\" ")]
    public void TryCreate_BadPlace_SaysWhy(string location, string expected)
    {
        Assert.That(EtcdConfigText.TryCreate(location, _ => null, out _, out string error), Is.False);
        Assert.That(error, Does.StartWith(expected));
    }

    [TestCase("etcd://h/k", "LB_ETCD_CA", "is plain, though LB_ETCD_CA, LB_ETCD_CERT or LB_ETCD_KEY is set; did you mean \"etcds://\"?")]
    [TestCase("etcds://h/k", "LB_ETCD_USER", "needs both LB_ETCD_USER and LB_ETCD_PASSWORD, or none")]
    public void TryCreate_VariablesThatDoNotFit_SaysWhy(string location, string variable, string expected)
    {
        Assert.That(EtcdConfigText.TryCreate(location, name => name == variable ? "x" : null, out _, out string error), Is.False);
        Assert.That(error, Is.EqualTo(expected));
    }

    private static EtcdConfigText Create(string location, TimeProvider? time = null)
    {
        Assert.That(EtcdConfigText.TryCreate(location, _ => null, out EtcdConfigText? source, out string error, time), Is.True, error);
        return source!;
    }
}
