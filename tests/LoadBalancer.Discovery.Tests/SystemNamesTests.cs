using System.Net;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Discovery.Dns;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Names as the system knows them.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class SystemNamesTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb").FullName;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("options ndots:2\nsearch a.b c.", "x", "x.a.b,x.c,x")]
    [TestCase("options ndots:2\nsearch a.b c.", "x.y", "x.y.a.b,x.y.c,x.y")]
    [TestCase("options ndots:2\nsearch a.b c.", "x.y.z", "x.y.z,x.y.z.a.b,x.y.z.c")]
    [TestCase("search a.b", "x.y.", "x.y")]
    [TestCase("domain a.b # own\n", "x", "x.a.b,x")]
    [TestCase("", "x", "x")]
    [TestCase("options ndots:zwei ndots:99999999999\nsearch ..", "x.y", "x.y")]
    public void Read_Candidates_AreThoseOfTheCLibrary(string resolvConf, string name, string candidates) =>
        Assert.That(string.Join(',', Names(resolvConf).Read(name).Candidates), Is.EqualTo(candidates));

    [Test]
    public void Read_Servers_AtMostThreeAndNoNonsense() =>
        Assert.That(Names("nameserver 10.0.0.1\nnameserver x\nnameserver\nnameserver fd00::1\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n").Read("x").Servers.Select(s => s.ToString()),
            Is.EqualTo(new[] { "10.0.0.1:53", "[fd00::1]:53", "10.0.0.3:53" }));

    [Test]
    public async Task TheHostsFileComesFirstAndTheSystemLast()
    {
        var fallback = new Fallback();
        var resolver = new DnsResolver(server: null, timeProvider: null, Names("", "127.0.0.9 one.internal two # three\n::1 two\n"), fallback);
        Assert.That((await resolver.ResolveAsync("TWO", Token)).Addresses, Is.EqualTo(new[] { IPAddress.Parse("127.0.0.9"), IPAddress.IPv6Loopback }));
        Assert.That(fallback.Names, Is.Empty);
        Assert.That((await resolver.ResolveAsync("three", Token)).Addresses, Is.EqualTo(new[] { IPAddress.Parse("10.9.9.9") }));
        Assert.That((await resolver.ResolveAsync("localhost", Token)).Addresses, Is.EqualTo(new[] { IPAddress.Parse("10.9.9.9") }));
        Assert.That(fallback.Names, Is.EqualTo(new[] { "three", "localhost" }));
    }

    [Test]
    public async Task MissingFilesAreNoFault() =>
        Assert.That((await new DnsResolver(null, null, new SystemNames("/nonexistent/a", "/nonexistent/b"), new Fallback()).ResolveAsync("x", Token)).Addresses, Has.Count.EqualTo(1));

    [Test]
    public async Task LocalhostOfThisMachineIsFound() => Assert.That((await new DnsResolver().ResolveAsync("localhost", Token)).Addresses, Is.Not.Empty);

    private SystemNames Names(string resolvConf, string hosts = "")
    {
        File.WriteAllText($"{_folder}/resolv.conf", resolvConf);
        File.WriteAllText($"{_folder}/hosts", hosts);
        return new SystemNames($"{_folder}/resolv.conf", $"{_folder}/hosts");
    }

    private sealed class Fallback : INameResolver
    {
        internal List<string> Names { get; } = [];

        public Task<NameAnswer> ResolveAsync(string name, CancellationToken cancellationToken = default)
        {
            Names.Add(name);
            return Task.FromResult(new NameAnswer([IPAddress.Parse("10.9.9.9")], TimeSpan.FromSeconds(30)));
        }
    }
}
