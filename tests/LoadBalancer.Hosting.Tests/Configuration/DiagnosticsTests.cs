using System.Text;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Bad files and exactly what is said about them.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class DiagnosticsTests
{
    private const string Web = "\"listeners\":{\"web\":{\"address\":\":80\"}}";
    private const string App = "\"clusters\":{\"app\":{\"destinations\":{\"a\":\"h:1\"}}}";

    // Syntax
    [TestCase("", "f:1:1: not valid JSON: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true")]
    [TestCase("{\n \"ü\" 2 }", "f:2:6: not valid JSON: '2' is invalid after a property name. Expected a ':'")]
    [TestCase("{" + Web + "} x", "f:1:41: not valid JSON: 'x' is invalid after a single JSON value. Expected end of data")]
    [TestCase("[]", "f:1:1: expected an object, found a list")]
    // Keys
    [TestCase("{" + Web + ",\n\"routs\":{}}", "f:2:1: routs: unknown key \"routs\"; did you mean \"routes\"?")]
    [TestCase("{" + Web + ",\n \"pools\":{}}", "f:2:2: pools: unknown key \"pools\"; did you mean \"clusters\"?")]
    [TestCase("{" + Web + ",\n/* äö */ \"zzz\":0}", "f:2:10: zzz: unknown key \"zzz\"; expected one of \"listeners\", \"routes\", \"clusters\", \"caches\", \"addressLists\", \"blockRules\", \"bansMax\", \"autoBan\", \"policies\", \"policyBodyBytesMax\", \"limits\", \"redis\", \"accessLog\", \"requestId\", \"recentRequests\", \"tracing\", \"zone\", \"transport\", \"drainTimeout\", \"acme\", \"admin\"")]
    [TestCase("{" + Web + ",\n" + Web + "}", "f:2:1: listeners: the key \"listeners\" is given twice; the first is at 1:2")]
    [TestCase("{\"listeners\":{\"web\":{}}}", "f:1:21: listeners.web: the key \"address\" is missing: \"host:port\", \":port\" (every address, IPv4 and IPv6), \"[::1]:port\" or \"unix:/path\". The host is an IP address or \"localhost\".")]
    [TestCase("{\"listeners\":{\"web\":{\"bind\":\":80\"}}}",
        "f:1:22: listeners.web.bind: unknown key \"bind\"; did you mean \"address\"?")]
    // Types
    [TestCase("{\"listeners\":[]}", "f:1:14: listeners: expected an object with a name for each entry, found a list")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":80}}}", "f:1:32: listeners.web.address: expected a string (write \"80\"), found the number 80")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":80\",\"dualStack\":\"yes\"}}}", "f:1:50: listeners.web.dualStack: expected true or false, found the string \"yes\"")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":80\",\"backlog\":\"5\"}}}", "f:1:48: listeners.web.backlog: expected a whole number (1 to 65535), found the string \"5\"")]
    [TestCase("{" + Web + ",\"drainTimeout\":30}", "f:1:55: drainTimeout: expected a duration such as \"500ms\", \"30s\", \"2m\", \"1h\" or \"1d\" (did you mean \"30s\"?), found the number 30")]
    [TestCase("{" + Web + ",\"drainTimeout\":\"30\"}", "f:1:55: drainTimeout: \"30\" has no unit; did you mean \"30s\"?")]
    [TestCase("{" + Web + ",\"drainTimeout\":\"30 sec\"}", "f:1:55: drainTimeout: expected a duration such as \"500ms\", \"30s\", \"2m\", \"1h\" or \"1d\", found the string \"30 sec\"")]
    [TestCase("{" + Web + ",\"drainTimeout\":\"99999999999d\"}", "f:1:55: drainTimeout: expected a duration such as \"500ms\", \"30s\", \"2m\", \"1h\" or \"1d\", found the string \"99999999999d\"")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":80\",\"limits\":{\"requestHeadBytesMax\":\"1MiB\"}}}}", "f:1:70: listeners.web.limits.requestHeadBytesMax: 1048576 is out of range; expected 1024 to 65536")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":80\",\"limits\":{\"requestHeadBytesMax\":\"1 KB\"}}}}", "f:1:70: listeners.web.limits.requestHeadBytesMax: expected a size such as \"16KiB\", \"1MB\" or a number of bytes (1024 to 65536), found the string \"1 KB\"")]
    [TestCase("{" + Web + ",\"transport\":{\"kind\":\"epol\"}}", "f:1:60: transport.kind: \"epol\" is unknown; did you mean \"epoll\"?")]
    [TestCase("{" + Web + ",\"transport\":null}", "f:1:52: transport: expected an object, found null")]
    // Substitution
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":${NONE}\"}}}", "f:1:32: listeners.web.address: the environment variable NONE is not set; set it, or write \"${NONE:-default}\"")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":${NONE\"}}}", "f:1:32: listeners.web.address: \"${\" has no \"}\"; write \"$${\" for a plain \"${\"")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":${1-x}\"}}}", "f:1:32: listeners.web.address: \"1-x\" is no name of an environment variable; expected \"${NAME}\" or \"${NAME:-default}\"")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\"@file:/nonexistent/a\"}}}", "f:1:32: listeners.web.address: the file \"/nonexistent/a\" does not exist")]
    [TestCase("{\"listeners\":{\"web\":{\"address\":\":80\",\"backlog\":\"${WORD}\"}}}", "f:1:48: listeners.web.backlog: expected a whole number (1 to 65535), found \"word\" from \"${WORD}\"")]
    // Meaning, at the place where it is written
    [TestCase("{}", "f:1:1: listeners: there is no listener; expected at least one, as in \"web\": { \"address\": \":8080\" }")]
    [TestCase("{" + Web + "," + App + ",\n\"routes\":{\"r\":{\"cluster\":\"ap\"}}}", "f:2:26: routes.r.cluster: there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("{" + Web + ",\n\"routes\":{\"r\":{\"hosts\":\"*\",\"redirect\":\"/\"}}}", "f:2:24: routes.r.hosts[0]: \"*\" matches nothing; leave \"hosts\" out to match any host")]
    [TestCase("{" + Web + ",\n\"routes\":{\"a.b\":{\"redirect\":\"/{pth}\"}}}", "f:2:29: routes[\"a.b\"].redirect.to: \"/{pth}\" has \"{pth}\"; did you mean \"{path}\"?")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"destinations\":{\"a\":\"http://h\"}}}}", "f:2:38: clusters.c.destinations.a.address: \"http://h\" is a URL, not an address; did you mean \"h:80\"?")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{}}}", "f:2:17: clusters.c: the key \"destinations\" is missing: Destinations by name; a plain string stands for one with that address.")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":\"h\"}}}", "f:2:29: clusters.c.discover[0].dns: \"h\" has no port; expected \"host:port\", \"[::1]:port\" or \"unix:/path\"")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":{\"dns\":\"10.0.0.1:80\"}}}}", "f:2:36: clusters.c.discover[0].dns: \"10.0.0.1:80\" is an address, not a name; list it under \"destinations\"")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":[\"h:1\",{\"srv\":\"_a._b\",\"file\":\"x\"}]}}}", "f:2:36: clusters.c.discover[1]: has several of \"dns\", \"srv\", \"file\", \"etcd\" and \"kubernetes\"; expected one of them")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":{\"srv\":\"a b\"}}}}", "f:2:36: clusters.c.discover[0].srv: \"a b\" is no valid name; expected one such as \"_http._tcp.api.internal\", without a port")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":{\"dns\":\"h:1\",\"resolver\":\"ns:53\"}}}}", "f:2:53: clusters.c.discover[0].resolver: \"ns:53\" is no address of a name server; expected one such as \"10.0.0.2:53\" or \"[fd00::2]:53\"")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"discover\":{\"dns\":\"h:1\",\"intervalMax\":\"500ms\"}}}}", "f:2:56: clusters.c.discover[0].intervalMax: 500ms is less than \"intervalMin\", 1s")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"balance\":\"consistent-hash\",\"destinations\":{}}}}", "f:2:17: clusters.c.hashOn: consistent-hash needs to know what to hash; expected one of ip, path, header:X-User, cookie:session, query:id")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"hashOn\":\"ip\",\"destinations\":{}}}}", "f:2:27: clusters.c.hashOn: has no effect with \"balance\": \"latency-weighted\"; it is for consistent-hash and rendezvous")]
    [TestCase("{" + Web + ",\n\"clusters\":{\"c\":{\"balance\":\"rendezvous\",\"hashOn\":\"header\",\"destinations\":{}}}}", "f:2:50: clusters.c.hashOn: \"header\" is nothing to hash; expected one of ip, path, header:X-User, cookie:session, query:id")]
    [TestCase("{" + Web + "," + App + ",\n\"routes\":{\"r\":{\"split\":{\"ap\":1}}}}", "f:2:30: routes.r.split.ap: there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("{" + Web + "," + App + ",\n\"routes\":{\"r\":{\"split\":{\"app\":0}}}}", "f:2:24: routes.r.split: gives every cluster a share of 0; nothing could be forwarded")]
    public void Parse_BadFile_SaysExactlyWhatAndWhere(string text, string expected)
    {
        ConfigReadResult result = ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "f", name => name == "WORD" ? "word" : null);
        Assert.That(result.Problems.Select(p => p.ToString()), Is.EqualTo(new[] { expected }));
        Assert.That(result.Config, Is.Null);
    }

    [Test]
    public void Parse_ManyProblems_ReportsAllInTheOrderOfTheFile()
    {
        ConfigReadResult result = Parse("""
            {
              "transport": { "loops": -1 },
              "listeners": { "web": { "address": "8080", "backlog": 0 } },
              "routes": {
                "a": { "path": "x", "cluster": "nope" },
                "b": { "methods": ["get"], "cluster": "app", "redirect": "/" },
              },
              "clusters": { "app": { "destinations": { "d": { "address": "h:1", "weight": 0 } }, "balance": "round-robbin" } },
            }
            """);
        Assert.That(result.Problems.Select(p => $"{p.Line}:{p.Column} {p.Path}"), Is.EqualTo(new[]
        {
            "2:27 transport.loops",
            "3:38 listeners.web.address",
            "3:57 listeners.web.backlog",
            "5:20 routes.a.path",
            "5:36 routes.a.cluster",
            "6:10 routes.b",
            "6:24 routes.b.methods[0]",
            "8:79 clusters.app.destinations.d.weight",
            "8:97 clusters.app.balance",
        }));
    }

    [Test]
    public void Parse_ValueThatCannotBeRead_LeavesNoEcho()
    {
        // The route has its action under a mistyped key, and the cluster it names could not be read: two problems, not four.
        ConfigReadResult result = Parse("""
            {
              "listeners": { "web": { "address": ":80" } },
              "routes": { "a": { "clustre": "app" }, "b": { "path": "/b", "cluster": "bad" } },
              "clusters": { "bad": 5 },
            }
            """);
        Assert.That(result.Problems.Select(p => p.Path), Is.EqualTo(new[] { "routes.a.clustre", "clusters.bad" }));
    }

    [Test]
    public void Parse_TooDeep_IsAProblem()
    {
        ConfigReadResult result = Parse(string.Concat(Enumerable.Repeat("{\"a\":", 40)));
        Assert.That(result.Problems, Has.Count.EqualTo(1));
        Assert.That(result.Problems[0].Message, Does.StartWith("not valid JSON: The maximum configured depth of 32 has been exceeded"));
    }

    [Test]
    public void Parse_TooLarge_IsAProblem()
    {
        ConfigReadResult result = ConfigFile.Parse(new byte[ConfigFile.BytesMax + 1], "f");
        Assert.That(result.Problems.Single().ToString(), Is.EqualTo("f: the configuration file is larger than 16777216 bytes"));
    }

    [Test]
    public void Parse_InvalidUtf8_IsAProblem()
    {
        ConfigReadResult result = ConfigFile.Parse(new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' }, "f");
        Assert.That(result.Problems.Single().ToString(), Is.EqualTo("f:1:2: not valid JSON: the string is not valid Unicode; expected the file to be UTF-8"));
    }

    [Test]
    public void Parse_EveryPrefixOfAFile_NeverThrows()
    {
        byte[] text = Encoding.UTF8.GetBytes(ReadTests.Full);
        for (int length = 0; length < text.Length; length++)
        {
            ConfigReadResult result = ConfigFile.Parse(text.AsMemory(0, length), "f");
            Assert.That(result.Config is null, Is.EqualTo(result.Problems.Count > 0), $"prefix of {length}");
        }
    }

    [Test]
    public void Load_MissingFile_IsOneProblem() =>
        Assert.That(ConfigFile.Load("/nonexistent/lb.json").Problems.Single().ToString(), Is.EqualTo("/nonexistent/lb.json: the configuration file does not exist"));

    [Test]
    public void Load_Directory_IsOneProblem() =>
        Assert.That(ConfigFile.Load(Path.GetTempPath()).Problems.Single().Message, Is.EqualTo("the configuration file is a directory"));

    private static ConfigReadResult Parse(string text) => ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "f");
}
