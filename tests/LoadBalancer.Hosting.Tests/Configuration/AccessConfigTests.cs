using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>What keeps clients out, as it is read and checked.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AccessConfigTests
{
    private static string File(string listener = "", string rest = "") => $$"""
        { "listeners": { "web": { "address": ":80"{{(listener.Length > 0 ? "," : "")}} {{listener}} } }, "routes": { "r": { "respond": {} } }{{(rest.Length > 0 ? "," : "")}} {{rest}} }
        """;

    private static ConfigReadResult Parse(string text) => ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "/etc/lb/lb.json");

    [Test]
    public void EveryKey_IsRead()
    {
        ConfigReadResult result = Parse(File("""
            "access": { "allow": "us", "block": ["bad"], "dryRun": true },
            "perSource": { "connectionsMax": 100, "newConnectionsPerSecondMax": 20, "newConnectionsBurst": 40, "dryRun": true },
            "limits": { "responseRateMin": 1000, "responseRateGrace": "5s" }
            """, """
            "addressLists": { "us": "10.0.0.0/8", "bad": { "addresses": ["192.0.2.7", "2001:db8::/32"] } },
            "blockRules": { "scan": { "listeners": "web", "hosts": "*.test", "paths": ["/a/**", "*.php"], "methods": "TRACE", "headers": { "X-A": "" }, "userAgents": ["", "*bot*"], "addresses": "bad", "status": 404, "dryRun": true } },
            "bansMax": 10, "autoBan": { "refusals": 20, "within": "10s", "for": "1h", "ignore": "us", "dryRun": true }
            """));
        Assert.That(result.Problems, Is.Empty);
        ProxyConfig config = result.Config!;
        ListenerConfig web = config.Listeners["web"];
        BlockRuleConfig rule = config.BlockRules["scan"];
        Assert.Multiple(() =>
        {
            Assert.That((web.Access!.Allow[0], web.Access.Block[0], web.Access.DryRun), Is.EqualTo(("us", "bad", true)));
            Assert.That(web.PerSource, Is.EqualTo(new PerSourceConfig { ConnectionsMax = 100, NewConnectionsPerSecondMax = 20, NewConnectionsBurst = 40, DryRun = true }));
            Assert.That((web.Limits.ResponseRateMin, web.Limits.ResponseRateGrace), Is.EqualTo((1000, TimeSpan.FromSeconds(5))));
            Assert.That(config.AddressLists["us"].Addresses, Is.EqualTo(new[] { "10.0.0.0/8" }));
            Assert.That((rule.Listeners[0], rule.Hosts[0], rule.Methods[0], rule.Headers["X-A"], rule.UserAgents[0], rule.Addresses[0], rule.Status, rule.DryRun), Is.EqualTo(("web", "*.test", "TRACE", "", "", "bad", 404, true)));
            Assert.That(rule.Paths, Is.EqualTo(new[] { "/a/**", "*.php" }));
            Assert.That((config.BansMax, config.AutoBan!.Refusals, config.AutoBan.Within, config.AutoBan.For, config.AutoBan.Ignore[0], config.AutoBan.DryRun),
                Is.EqualTo((10, 20, TimeSpan.FromSeconds(10), TimeSpan.FromHours(1), "us", true)));
        });
        Assert.That(Parse(File("\"access\": \"bad\"", "\"addressLists\": { \"bad\": \"10.0.0.1\" }")).Config!.Listeners["web"].Access!.Block, Is.EqualTo(new[] { "bad" }));
    }

    [TestCase("", "\"addressLists\": { \"a\": {} }", "addressLists.a", "says no addresses")]
    [TestCase("", "\"addressLists\": { \"a\": \"10.0.0.1/8\" }", "addressLists.a.addresses[0]", "has bits set after its prefix; did you mean \"10.0.0.0/8\"")]
    [TestCase("", "\"addressLists\": { \"a\": { \"file\": \"\" } }", "addressLists.a.file", "is empty")]
    [TestCase("", "\"addressLists\": { \"a\": { \"file\": \"nowhere.txt\" } }", "addressLists.a.file", "\"/etc/lb/nowhere.txt\" does not exist")]
    [TestCase("\"access\": { \"block\": \"bda\" }", "\"addressLists\": { \"bad\": \"10.0.0.1\" }", "listeners.web.access.block[0]", "there is no address list \"bda\"; did you mean \"bad\"?")]
    [TestCase("\"access\": { \"allow\": [\"no\"] }", "", "listeners.web.access.allow[0]", "there is no address list \"no\"")]
    [TestCase("\"access\": {}", "", "listeners.web.access", "names no list")]
    [TestCase("\"perSource\": {}", "", "listeners.web.perSource", "has no limit")]
    [TestCase("\"perSource\": { \"connectionsMax\": 1, \"newConnectionsBurst\": 5 }", "", "listeners.web.perSource.newConnectionsBurst", "has no effect without")]
    [TestCase("\"perSource\": { \"connectionsMax\": -1 }", "", "listeners.web.perSource.connectionsMax", "out of range")]
    [TestCase("", "\"bansMax\": 0", "bansMax", "out of range")]
    [TestCase("", "\"autoBan\": {}", "autoBan", "the key \"refusals\" is missing")]
    [TestCase("", "\"autoBan\": { \"refusals\": 0 }", "autoBan.refusals", "out of range")]
    [TestCase("", "\"autoBan\": { \"refusals\": 1, \"ignore\": \"x\" }", "autoBan.ignore[0]", "there is no address list")]
    [TestCase("", "\"autoBan\": { \"refusals\": 1, \"within\": \"1ms\" }", "autoBan.within", "out of range")]
    [TestCase("", "\"blockRules\": { \"a\": {} }", "blockRules.a", "has no condition, so it would refuse everything")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"admin\" } }", "blockRules.a.paths[0]", "did you mean \"/admin\" or \"*admin\"?")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"/a/{id}\" } }", "blockRules.a.paths[0]", "has \"{\"")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"/a?b\" } }", "blockRules.a.paths[0]", "has a query")]
    [TestCase("", "\"blockRules\": { \"a\": { \"hosts\": \"a.test:80\" } }", "blockRules.a.hosts[0]", "has a port")]
    [TestCase("", "\"blockRules\": { \"a\": { \"hosts\": \"http://a.test\" } }", "blockRules.a.hosts[0]", "is a URL")]
    [TestCase("", "\"blockRules\": { \"a\": { \"methods\": \"get\" } }", "blockRules.a.methods[0]", "did you mean \"GET\"?")]
    [TestCase("", "\"blockRules\": { \"a\": { \"userAgents\": \"a\\tb\\r\" } }", "blockRules.a.userAgents[0]", "a line end")]
    [TestCase("", "\"blockRules\": { \"a\": { \"headers\": { \"X A\": \"*\" } } }", "blockRules.a.headers[\"X A\"]", "is no header name")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"/\", \"status\": 200 } }", "blockRules.a.status", "out of range")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"/\", \"listeners\": \"wbe\" } }", "blockRules.a.listeners[0]", "did you mean \"web\"?")]
    [TestCase("", "\"blockRules\": { \"a\": { \"paths\": \"/\", \"addresses\": \"x\" } }", "blockRules.a.addresses[0]", "there is no address list")]
    public void Faults_HaveTheirPathAndSayWhatToDo(string listener, string rest, string path, string says)
    {
        ConfigDiagnostic[] problems = [.. Parse(File(listener, rest)).Problems];
        Assert.That(problems.Select(problem => problem.Path), Is.EqualTo(new[] { path }), string.Join('\n', problems.Select(problem => problem.ToString())));
        Assert.That(problems[0].Message, Does.Contain(says));
    }

    [Test]
    public void OnAUnixSocket_AddressesHaveNoEffect()
    {
        ConfigReadResult result = Parse(File("\"access\": \"a\", \"perSource\": { \"connectionsMax\": 1 }", "\"addressLists\": { \"a\": \"10.0.0.1\" }").Replace(":80", "unix:/run/lb.sock", StringComparison.Ordinal));
        Assert.That(result.Problems.Select(problem => problem.Path), Is.EqualTo(new[] { "listeners.web.access", "listeners.web.perSource" }));
        Assert.That(result.Problems.Select(problem => problem.Message), Has.All.Contains("has no effect on a Unix socket"));
    }
}
