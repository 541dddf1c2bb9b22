using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Good files and what is read from them.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ReadTests
{
    internal const string Full = """
        // a comment
        {
          "$schema": "./lb.schema.json",
          "listeners": { "web": {
            "address": "127.0.0.1:${PORT:-8080}", "backlog": "${BACKLOG:-128}", "dualStack": false, "connectionsMax": 10, "tcpKeepAlive": 0,
            "trustedProxies": ["10.0.0.0/8", "192.0.2.1"], "forwarded": { "xForwarded": false, "forwarded": true, "via": "" },
            "proxyProtocol": { "trustedPeers": ["10.0.0.0/8"], "mode": "from-trusted", "timeout": "1s" },
            "limits": { "requestHeadTimeout": "500ms", "requestHeadBytesMax": "16KiB", "requestLineBytesMax": 1000, "requestBodyBytesMax": "1GB" },
          } },
          "routes": {
            "api": { "hosts": "example.com", "path": "/v1/{id}/**", "methods": ["GET", "HEAD"], "headers": { "X-A": "*" }, "cookies": { "canary": "1" }, "cluster": "app", "deadline": "2m", "listeners": "web",
              "mirror": { "cluster": "limited", "percent": 10 } },
            "new": { "path": "/new", "cluster": "app", "mirror": "limited" },
            "old": { "path": "/old", "redirect": "https://{host}/new{query}" },
            "ok": { "path": "/ok", "respond": { "status": 201, "body": "costs $${5}\n", "headers": { "X-B": "1" } }, "requestBodyBytesMax": null },
          },
          "clusters": { "app": {
            "destinations": { "a": "localhost:5000", "b": { "address": "[::1]:81", "weight": 3 }, "c": "unix:/run/x.sock" },
            "host": "destination", "connectTimeout": "1s", "pool": { "lifeMax": "1d" }, "retriesMax": 0,
            "healthCheck": { "kind": "http", "path": "/health?x=1", "status": ["200", "204-299"], "body": "ok", "interval": "1s", "waitForFirstProbe": true },
            "ejection": { "enabled": false, "failurePercentMax": 30, "endOnGoodProbes": false }, "retryBudget": { "percent": 10 }, "hedge": { "percentMax": 2 },
            "sticky": { "cookie": "id", "keys": ["${STICKY_KEY:-0123456789abcdef}", "fedcba9876543210"], "maxAge": "1d", "secure": true, "sameSite": "strict" },
          }, "limited": {
            "destinations": { "a": { "address": "localhost:5000", "requestsMax": 9, "tier": 1, "zone": "z1" } }, "healthCheck": "/up", "sticky": "lb", "queue": { "requestsMax": 5 }, "hedge": "50ms",
            "slowStart": 0, "panicThresholdPercent": 0, "tls": true,
          }, "probed": {
            "destinations": {}, "balance": "prequal", "probe": "/load?x", "proxyProtocol": "v2", "tls": { "verify": false, "serverName": "api.internal", "policy": "modern" },
          } },
          "zone": "${ZONE:-}",
          "transport": { "kind": "sockets", "loops": 2 }, /* and */
          "drainTimeout": "0",
        }
        """;

    [Test]
    public void Parse_FullFile_ReadsEveryValue()
    {
        ConfigReadResult result = Parse(Full);
        Assert.That(result.Problems, Is.Empty);
        ProxyConfig config = result.Config!;
        ListenerConfig web = config.Listeners["web"];
        RouteConfig api = config.Routes["api"];
        ClusterConfig app = config.Clusters["app"], limited = config.Clusters["limited"];
        Assert.Multiple(() =>
        {
            Assert.That(web.Address, Is.EqualTo("127.0.0.1:8080"));
            Assert.That(web.Backlog, Is.EqualTo(128));
            Assert.That(web.DualStack, Is.False);
            Assert.That(web.TcpKeepAlive, Is.EqualTo(TimeSpan.Zero));
            Assert.That(web.TrustedProxies, Is.EqualTo(new[] { "10.0.0.0/8", "192.0.2.1" }));
            Assert.That(web.Forwarded, Is.EqualTo(new ForwardedConfig { XForwarded = false, Forwarded = true, Via = "" }));
            Assert.That(web.Limits, Is.EqualTo(new ListenerLimitsConfig
            {
                RequestHeadTimeout = TimeSpan.FromMilliseconds(500), RequestHeadBytesMax = 16384, RequestLineBytesMax = 1000, RequestBodyBytesMax = 1_000_000_000,
            }));
            Assert.That(web.ProxyProtocol!.TrustedPeers, Is.EqualTo(new[] { "10.0.0.0/8" }));
            Assert.That((web.ProxyProtocol.Mode, web.ProxyProtocol.Timeout), Is.EqualTo((ProxyProtocolMode.FromTrusted, TimeSpan.FromSeconds(1))));
            Assert.That((app.ProxyProtocol, config.Clusters["probed"].ProxyProtocol), Is.EqualTo((ProxyProtocolVersion.Off, ProxyProtocolVersion.V2)));
            Assert.That(api.Hosts, Is.EqualTo(new[] { "example.com" }));
            Assert.That(api.Listeners, Is.EqualTo(new[] { "web" }));
            Assert.That(api.Path, Is.EqualTo("/v1/{id}/**"));
            Assert.That(api.Methods, Is.EqualTo(new[] { "GET", "HEAD" }));
            Assert.That(api.Headers["X-A"], Is.EqualTo("*"));
            Assert.That(api.Cookies["canary"], Is.EqualTo("1"));
            Assert.That(api.Deadline, Is.EqualTo(TimeSpan.FromMinutes(2)));
            Assert.That(api.Mirror, Is.EqualTo(new MirrorConfig { Cluster = "limited", Percent = 10 }));
            Assert.That(config.Routes["new"].Mirror, Is.EqualTo(new MirrorConfig { Cluster = "limited" }));
            Assert.That(config.Routes["old"].Redirect, Is.EqualTo(new RedirectConfig { To = "https://{host}/new{query}" }));
            Assert.That(config.Routes["ok"].Respond!.Body, Is.EqualTo("costs ${5}\n"));
            Assert.That(config.Routes["ok"].Respond!.Status, Is.EqualTo(201));
            Assert.That(app.Destinations["a"], Is.EqualTo(new DestinationConfig { Address = "localhost:5000" }));
            Assert.That(app.Destinations["b"], Is.EqualTo(new DestinationConfig { Address = "[::1]:81", Weight = 3 }));
            Assert.That(app.Host, Is.EqualTo("destination"));
            Assert.That(app.Pool.LifeMax, Is.EqualTo(TimeSpan.FromDays(1)));
            Assert.That(app.RetriesMax, Is.Zero);
            Assert.That(app.IdleTimeout, Is.EqualTo(new ClusterConfig().IdleTimeout));
            Assert.That(app.HealthCheck! with { Status = [] }, Is.EqualTo(new HealthCheckConfig
            {
                Path = "/health?x=1", Status = [], Body = "ok", Interval = TimeSpan.FromSeconds(1), WaitForFirstProbe = true,
            }));
            Assert.That(app.HealthCheck!.Status, Is.EqualTo(new[] { "200", "204-299" }));
            Assert.That(app.Ejection, Is.EqualTo(new EjectionConfig { Enabled = false, FailurePercentMax = 30, EndOnGoodProbes = false }));
            Assert.That(app.RetryBudget, Is.EqualTo(new RetryBudgetConfig { Percent = 10 }));
            Assert.That(app.Sticky! with { Keys = [] }, Is.EqualTo(new StickyConfig
            {
                Cookie = "id", Keys = [], MaxAge = TimeSpan.FromDays(1), Secure = true, SameSite = StickySameSite.Strict,
            }));
            Assert.That(app.Sticky!.Keys, Is.EqualTo(new[] { "0123456789abcdef", "fedcba9876543210" }));
            Assert.That(limited.Sticky!.Cookie, Is.EqualTo("lb"));
            Assert.That(app.Hedge, Is.EqualTo(new HedgeConfig { PercentMax = 2 }));
            Assert.That(limited.Hedge, Is.EqualTo(new HedgeConfig { After = "50ms" }));
            Assert.That(limited.HealthCheck!.Path, Is.EqualTo("/up"));
            Assert.That(limited.Queue, Is.EqualTo(new QueueConfig { RequestsMax = 5 }));
            Assert.That(limited.Destinations["a"], Is.EqualTo(new DestinationConfig { Address = "localhost:5000", RequestsMax = 9, Tier = 1, Zone = "z1" }));
            Assert.That((limited.SlowStart, limited.PanicThresholdPercent), Is.EqualTo((TimeSpan.Zero, 0)));
            Assert.That((app.Tls, limited.Tls), Is.EqualTo(((UpstreamTlsConfig?)null, new UpstreamTlsConfig())));
            Assert.That(config.Clusters["probed"].Tls, Is.EqualTo(new UpstreamTlsConfig { Verify = false, ServerName = "api.internal", Policy = TlsPolicy.Modern }));
            Assert.That(config.Zone, Is.Empty);
            Assert.That(config.Clusters["probed"].Probe, Is.EqualTo(new LoadProbeConfig { Path = "/load?x" }));
            Assert.That(config.Transport, Is.EqualTo(new TransportConfig { Kind = TransportKind.Sockets, Loops = 2 }));
            Assert.That(config.DrainTimeout, Is.EqualTo(TimeSpan.Zero));
        });
    }

    [Test]
    public void Parse_EnvironmentIsSet_TakesItsValueAndDefaultsForEmpty()
    {
        var values = new Dictionary<string, string?> { ["PORT"] = "81", ["BACKLOG"] = "" };
        ProxyConfig config = Parse(Full, values.GetValueOrDefault).Config!;
        Assert.That(config.Listeners["web"].Address, Is.EqualTo("127.0.0.1:81"));
        Assert.That(config.Listeners["web"].Backlog, Is.EqualTo(128));
    }

    [Test]
    public void Parse_HttpsOnly_AsTextOrAtLength()
    {
        ConfigReadResult result = Read("""
            { "certificates": "a.pem", "httpsOnly": ":80" }
            """), full = Read("""
            { "certificates": "a.pem", "httpsOnly": { "redirectFrom": ["127.0.0.1:80", "[::1]:80"], "redirectPort": 443, "maxAge": "730d", "includeSubDomains": true, "preload": true } }
            """);
        Assert.That(result.Problems.Concat(full.Problems).Select(p => p.Path), Is.All.EqualTo("listeners.web.tls.certificates[0].file"), "which does not exist");
        Assert.That(Read("""{ "certificates": "a.pem", "httpsOnly": true }""").Problems.Select(p => p.Message), Does.Contain("expected an object or a string, found true"));
        Assert.That(Read("""{ "certificates": "a.pem", "hsts": true }""").Problems.Select(p => p.Message), Does.Contain("unknown key \"hsts\"; did you mean \"httpsOnly\"?"));

        static ConfigReadResult Read(string tls) => Parse($$"""{ "listeners": { "web": { "address": ":443", "tls": {{tls}} } }, "routes": {}, "clusters": {} }""");
    }

    [Test]
    public void Parse_ProxyProtocolAsText_IsItsTrustedPeer()
    {
        ConfigReadResult result = Parse("""{ "listeners": { "web": { "address": ":80", "proxyProtocol": "10.0.0.0/8" } }, "routes": {}, "clusters": {} }""");
        Assert.That(result.Problems, Is.Empty);
        ProxyProtocolConfig proxyProtocol = result.Config!.Listeners["web"].ProxyProtocol!;
        Assert.That((proxyProtocol.TrustedPeers.Single(), proxyProtocol.Mode), Is.EqualTo(("10.0.0.0/8", ProxyProtocolMode.Required)));
    }

    [Test]
    public void Parse_TcpAsText_IsItsCluster()
    {
        ConfigReadResult result = Parse("""{ "listeners": { "db": { "address": ":80", "tcp": "c" } }, "clusters": { "c": { "destinations": {} } } }""");
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Listeners["db"].Tcp!.Cluster, Is.EqualTo("c"));
    }

    [Test]
    public void Parse_Sni_IsNamesAndClusters()
    {
        ConfigReadResult result = Parse("""{ "listeners": { "t": { "address": ":443", "tcp": { "sni": { "*.a.test": "c" } } } }, "clusters": { "c": { "destinations": {} } } }""");
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Listeners["t"].Tcp!.Sni, Is.EqualTo(new Dictionary<string, string> { ["*.a.test"] = "c" }));
    }

    [Test]
    public void Parse_ByteOrderMark_IsSkipped() =>
        Assert.That(ConfigFile.Parse(Encoding.UTF8.GetBytes("\uFEFF" + Full), "f", _ => null).Problems, Is.Empty);

    [Test]
    public void Load_FileReference_IsRelativeToTheFileAndTrimmed()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "address"), "  :81\n");
            string path = Path.Combine(directory.FullName, "lb.json");
            File.WriteAllText(path, """{ "listeners": { "web": { "address": "@file:address" } } }""");
            Assert.That(ConfigFile.Load(path).Config?.Listeners["web"].Address, Is.EqualTo(":81"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Test]
    public void Load_OcspResponse_IsRelativeToTheFileAndChecked()
    {
        using var authority = new TestAuthority();
        string site = authority.IssueFile(["a.test"]), directory = Path.GetDirectoryName(site)!, path = Path.Combine(directory, "lb.json");
        File.WriteAllText(path, $$"""{ "listeners": { "web": { "address": ":443", "tls": { "certificates": { "file": "{{Path.GetFileName(site)}}", "ocsp": "none.der" } } } }, "routes": {}, "clusters": {} }""");
        ConfigDiagnostic problem = ConfigFile.Load(path).Problems.Single();
        Assert.That((problem.Path, problem.Message), Is.EqualTo(("listeners.web.tls.certificates[0].ocsp", $"\"{directory}/none.der\" does not exist")));
    }

    [Test]
    public void Parse_Discover_TakesATextAnObjectOrAList()
    {
        ConfigReadResult result = ConfigFile.Parse("""
            { "listeners": { "web": { "address": ":80" } }, "clusters": {
              "text": { "discover": "a.internal:80" },
              "object": { "discover": { "srv": "_http._tcp.a.internal.", "resolver": "[fd00::2]:53", "intervalMin": "2s", "intervalMax": "9s", "tier": 2, "requestsMax": 5 }, "queue": { "requestsMax": 1 } },
              "list": { "discover": [ { "file": "fleet.json" }, { "file": "/etc/fleet.json" }, "b.internal.:80" ], "destinations": {} },
            } }
            """u8.ToArray(), "/etc/lb/lb.json");
        Assert.That(result.Problems, Is.Empty);
        IReadOnlyDictionary<string, ClusterConfig> clusters = result.Config!.Clusters;
        Assert.That(clusters["text"].Discover, Is.EqualTo(new[] { new DiscoverConfig { Dns = "a.internal:80" } }));
        Assert.That(clusters["object"].Discover, Is.EqualTo(new[]
        {
            new DiscoverConfig { Srv = "_http._tcp.a.internal.", Resolver = "[fd00::2]:53", IntervalMin = TimeSpan.FromSeconds(2), IntervalMax = TimeSpan.FromSeconds(9), Tier = 2, RequestsMax = 5 },
        }));
        Assert.That(clusters["list"].Discover, Is.EqualTo(new[]
        {
            new DiscoverConfig { File = "/etc/lb/fleet.json" }, new DiscoverConfig { File = "/etc/fleet.json" }, new DiscoverConfig { Dns = "b.internal.:80" },
        }));
    }

    [Test]
    public void Parse_DiscoverInEtcdAndKubernetes_IsRead()
    {
        ConfigReadResult result = ConfigFile.Parse("""
            { "listeners": { "web": { "address": ":80" } }, "clusters": {
              "etcd": { "discover": { "etcd": { "endpoints": ["a.internal", "[::1]:4001"], "prefix": "/s/", "user": "lb", "password": "${PASSWORD}", "tls": { "verify": false, "serverName": "etcd.internal" } }, "requestsMax": 5 } },
              "pods": { "discover": { "kubernetes": { "service": "api", "namespace": "shop", "port": "http", "kubeconfig": "admin.yaml" }, "tier": 1 } },
              "short": { "discover": [ { "kubernetes": "api" }, { "etcd": { "endpoints": "h", "prefix": "/s/", "tls": true } } ] },
            } }
            """u8.ToArray(), "/etc/lb/lb.json", name => name == "PASSWORD" ? "secret" : null);
        Assert.That(result.Problems, Is.Empty);
        IReadOnlyDictionary<string, ClusterConfig> clusters = result.Config!.Clusters;
        EtcdConfig etcd = clusters["etcd"].Discover[0].Etcd!;
        Assert.That(etcd.Endpoints, Is.EqualTo(new[] { "a.internal", "[::1]:4001" }));
        Assert.That((etcd.Prefix, etcd.User, etcd.Password, etcd.Tls, clusters["etcd"].Discover[0].RequestsMax), Is.EqualTo(("/s/", "lb", "secret", new UpstreamTlsConfig { Verify = false, ServerName = "etcd.internal" }, 5)));
        Assert.That(clusters["pods"].Discover, Is.EqualTo(new[] { new DiscoverConfig { Kubernetes = new() { Service = "api", Namespace = "shop", Port = "http", Kubeconfig = "/etc/lb/admin.yaml" }, Tier = 1 } }));
        Assert.That(clusters["short"].Discover[0], Is.EqualTo(new DiscoverConfig { Kubernetes = new() { Service = "api" } }));
        Assert.That(clusters["short"].Discover[1].Etcd!.Tls, Is.EqualTo(new UpstreamTlsConfig()));
    }

    [Test]
    public void Parse_VariableThatHoldsAFileReference_OpensNoFile()
    {
        ConfigReadResult result = Parse("""{ "listeners": { "web": { "address": "${X}" } } }""", _ => "@file:/etc/hostname");
        Assert.That(result.Problems.Single().Message, Does.StartWith("\"@file:/etc/hostname\" has "));
    }

    internal static ConfigReadResult Parse(string text, Func<string, string?>? environment = null) =>
        ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "f", environment ?? (_ => null));
}
