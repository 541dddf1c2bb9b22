using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Tables of what the validator takes and refuses.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ValidatorTests
{
    [TestCase(":80", "[::]:80")]
    [TestCase("127.0.0.1:0", "127.0.0.1:0")]
    [TestCase("[::1]:65535", "[::1]:65535")]
    [TestCase("localhost:8080", "127.0.0.1:8080")]
    [TestCase("unix:/run/lb.sock", "/run/lb.sock")]
    public void TryParseListener_Valid_YieldsEndPoint(string address, string expected)
    {
        Assert.That(AddressParser.TryParseListener(address, out EndPoint? endPoint, out string? error), Is.True, error);
        Assert.That(endPoint!.ToString(), Is.EqualTo(expected));
    }

    [TestCase("", "is empty; expected \"host:port\", \":port\", \"[::1]:port\" or \"unix:/path\"")]
    [TestCase("8080", "is only a port; did you mean \":8080\"?")]
    [TestCase("*:8080", "has \"*\" as host; did you mean \":8080\"?")]
    [TestCase("http://:80/", "is a URL, not an address; did you mean \":80\"?")]
    [TestCase("::1", "is an IPv6 address without brackets and port; did you mean \"[::1]:80\"?")]
    [TestCase("[::1]", "has no port; expected \"host:port\", \":port\", \"[::1]:port\" or \"unix:/path\"")]
    [TestCase("[::1:80", "has no closing bracket")]
    [TestCase("127.0.0.1:65536", "has \"65536\" as port; expected 0 to 65535")]
    [TestCase("127.0.0.1:-1", "has \"-1\" as port; expected 0 to 65535")]
    [TestCase("example.com:80", "has a host that is neither an IP address nor \"localhost\"; a listener does not look names up")]
    [TestCase("127.1:80", "has a host that is neither an IP address nor \"localhost\"; a listener does not look names up")]
    [TestCase("unix:run/lb.sock", "needs an absolute path, as in \"unix:/run/lb.sock\"")]
    [TestCase("unix:///run/lb.sock", "has slashes of a URL; did you mean \"unix:/run/lb.sock\"?")]
    public void TryParseListener_Invalid_SaysWhy(string address, string expected)
    {
        Assert.That(AddressParser.TryParseListener(address, out _, out string? error), Is.False);
        Assert.That(error, Is.EqualTo(expected));
    }

    [Test]
    public void TryParseDestination_Name_StaysAName()
    {
        Assert.That(AddressParser.TryParseDestination("api.internal:80", out EndPoint? endPoint, out _), Is.True);
        Assert.That(endPoint, Is.EqualTo(new DnsEndPoint("api.internal", 80, AddressFamily.Unspecified)));
    }

    [TestCase("https://api.test", "api.test", 443, true)]
    [TestCase("https://api.test/", "api.test", 443, true)]
    [TestCase("HTTPS://api.test:8443", "api.test", 8443, true)]
    [TestCase("https://[::1]", "::1", 443, true)]
    [TestCase("https://10.0.0.1:8443", "10.0.0.1", 8443, true)]
    [TestCase("api.test:443", "api.test", 443, false)]
    public void TryParseDestination_WithTls_Table(string address, string host, int port, bool isHttps)
    {
        Assert.That(AddressParser.TryParseDestination(address, out EndPoint? endPoint, out bool found, out _), Is.True);
        Assert.That(found, Is.EqualTo(isHttps));
        Assert.That(endPoint, Is.EqualTo(IPAddress.TryParse(host, out IPAddress? ip) ? new IPEndPoint(ip, port) : new DnsEndPoint(host, port)));
    }

    [TestCase("https://", "has no host; did you mean \"localhost:443\"?")]
    [TestCase("https://h/v1", "has a path, which requests bring themselves; did you mean \"https://h\"?")]
    [TestCase("https://h?a", "has a path, which requests bring themselves; did you mean \"https://h\"?")]
    [TestCase("https://a:b@h", "has a user, which does not belong into an address")]
    [TestCase("https://h:0", "has port 0; expected 1 to 65535")]
    [TestCase("http://h", "is a URL, not an address; did you mean \"h:80\"?")]
    public void TryParseDestination_WithTls_SaysWhyNot(string address, string expected)
    {
        Assert.That(AddressParser.TryParseDestination(address, out _, out bool _, out string? error), Is.False);
        Assert.That(error, Is.EqualTo(expected));
    }

    [Test]
    public void UpstreamTls_Table()
    {
        var cluster = new ClusterConfig { Tls = new() { Ca = "/no/such.pem", ServerName = "a.test:443", Certificate = new() { File = "/no/such.pem" } } };
        Assert.That(Problems(cluster), Is.EqualTo(new[] { "clusters.c.tls.serverName", "clusters.c.tls.ca", "clusters.c.tls.certificate.file" }));
        Assert.That(Problems(new() { Tls = new() { Verify = false, ServerName = "::1" } }), Is.Empty);
        foreach (string name in new[] { "fe80::1%2", "0x7f000001", "10.0x1", "10.1" })
            Assert.That(Problems(new() { Tls = new() { Verify = false, ServerName = name } }), Is.EqualTo(new[] { "clusters.c.tls.serverName" }), name);
        Assert.That(Problems(new() { Tls = new() { Verify = false, Ca = "/no/such.pem" } }), Does.Contain("clusters.c.tls.ca"));
    }

    [TestCase(":80", "has no host; did you mean \"localhost:80\"?")]
    [TestCase("h:0", "has port 0; expected 1 to 65535")]
    [TestCase("0.0.0.0:80", "is a wildcard, which can be listened on but not connected to")]
    [TestCase("1.2.3:80", "has a host that is neither an IP address nor a valid name")]
    [TestCase("-a:80", "has a host that is neither an IP address nor a valid name")]
    public void TryParseDestination_Invalid_SaysWhy(string address, string expected)
    {
        Assert.That(AddressParser.TryParseDestination(address, out _, out string? error), Is.False);
        Assert.That(error, Is.EqualTo(expected));
    }

    [TestCase("/")]
    [TestCase("/**")]
    [TestCase("/a/b")]
    [TestCase("/a/")]
    [TestCase("/users/{id}/x-{", false)]
    [TestCase("/users/{id}/**")]
    [TestCase("/a%20b")]
    [TestCase("/a%2", false)]
    [TestCase("/a b", false)]
    [TestCase("/ä", false)]
    [TestCase("a", false)]
    [TestCase("/**/a", false)]
    [TestCase("/a*", false)]
    [TestCase("/a/*", false)]
    [TestCase("/{a}/{a}", false)]
    [TestCase("/{}", false)]
    [TestCase("/../a", false)]
    [TestCase("/a?b", false)]
    public void PathPattern_Table(string pattern, bool isValid = true) => Assert.That(PathPattern.Error(pattern), isValid ? Is.Null : Is.Not.Null);

    [TestCase("example.com")]
    [TestCase("EXAMPLE.com:8443")]
    [TestCase("*.example.com")]
    [TestCase("10.0.0.1")]
    [TestCase("[::1]:80")]
    [TestCase("[::1]")]
    [TestCase("", false)]
    [TestCase("*", false)]
    [TestCase("a.*.com", false)]
    [TestCase("*.example.com:80", false)]
    [TestCase("example.com.", false)]
    [TestCase("example.com:0", false)]
    [TestCase("exämple.com", false)]
    [TestCase("http://example.com", false)]
    [TestCase("a..b", false)]
    public void HostPattern_Table(string pattern, bool isValid = true) => Assert.That(HostName.PatternError(pattern), isValid ? Is.Null : Is.Not.Null);

    [TestCase("https://{host}{path}{query}")]
    [TestCase("/new")]
    [TestCase("", false)]
    [TestCase("new", false)]
    [TestCase("/{hots}", false)]
    [TestCase("/{host", false)]
    [TestCase("/a}", false)]
    [TestCase("/a\r\nSet-Cookie: x", false)]
    public void RedirectTarget_Table(string to, bool isValid = true) => Assert.That(RedirectTarget.Error(to), isValid ? Is.Null : Is.Not.Null);

    [TestCase("10.0.0.0/8")]
    [TestCase("2001:db8::/32")]
    [TestCase("192.0.2.1")]
    [TestCase("10.0.0.1/8", false)]
    [TestCase("10.0.0.0/33", false)]
    [TestCase("x", false)]
    public void TrustedProxies_Table(string range, bool isValid = true) =>
        Assert.That(ConfigValidator.Validate(Config(new ListenerConfig { Address = ":80", TrustedProxies = [range] })), isValid ? Is.Empty : Has.Count.EqualTo(1));

    [TestCase(":80", ":80", false)]
    [TestCase(":80", "0.0.0.0:80", false)]
    [TestCase("0.0.0.0:80", ":80", false)]
    [TestCase("localhost:80", "127.0.0.1:80", false)]
    [TestCase("127.0.0.1:0", "127.0.0.1:0", true)]
    [TestCase("127.0.0.1:80", "[::1]:80", true)]
    public void Listeners_AddressGivenTwice_IsAProblem(string first, string second, bool isValid) =>
        Assert.That(ConfigValidator.Validate(Config(new ListenerConfig { Address = first }, new ListenerConfig { Address = second })), isValid ? Is.Empty : Has.Count.EqualTo(1));

    [Test]
    public void Headers_ThatWouldBreakTheAnswer_AreProblems()
    {
        var respond = new RespondConfig
        {
            Headers = new Dictionary<string, string> { ["X-A"] = "a\r\nb", ["Content-Length"] = "1", ["b c"] = "d", ["x-d"] = "1", ["X-D"] = "2" },
        };
        ProxyConfig config = Config(new ListenerConfig { Address = ":80" }) with { Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { Respond = respond } } };
        Assert.That(ConfigValidator.Validate(config).Select(p => p.Path), Is.EquivalentTo(new[]
        {
            "routes.r.respond.headers.X-A", "routes.r.respond.headers.Content-Length", "routes.r.respond.headers[\"b c\"]", "routes.r.respond.headers.X-D",
        }));
    }

    [Test]
    public void Cookies_ThatCannotBeSent_AreProblems()
    {
        var cookies = new Dictionary<string, string> { ["a"] = "1", ["b c"] = "1", ["d"] = "1;2", ["e"] = "\n", ["f"] = "*" };
        ProxyConfig config = Config(new ListenerConfig { Address = ":80" }) with { Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { Cookies = cookies, Respond = new() } } };
        Assert.That(ConfigValidator.Validate(config).Select(p => p.Path), Is.EquivalentTo(new[] { "routes.r.cookies[\"b c\"]", "routes.r.cookies.d", "routes.r.cookies.e" }));
    }

    [Test]
    public void Routes_OfTheSameMatch_AreAProblem()
    {
        var routes = new Dictionary<string, RouteConfig>
        {
            ["a"] = new() { Path = "/u/{id}", Hosts = ["b.c", "a.c"], Redirect = new() { To = "/" } },
            ["b"] = new() { Path = "/u/{name}", Hosts = ["A.c", "b.c"], Respond = new() },
        };
        ProxyConfig config = Config(new ListenerConfig { Address = ":80" }) with { Routes = routes };
        Assert.That(ConfigValidator.Validate(config).Single().ToString(), Is.EqualTo("routes.b: matches the same requests as route \"a\"; one of them would never be used"));
    }

    [TestCase("app", "shadow", 10, 5)]
    [TestCase("app", "shadow", 0, 1)]
    [TestCase("app", "shadow", 101, 0, "routes.r.mirror.percent", "routes.r.mirror.requestsMax")]
    [TestCase("app", "shado", 10, 5, "routes.r.mirror.cluster")]
    [TestCase("app", "app", 10, 5, "routes.r.mirror.cluster")]
    [TestCase(null, "shadow", 10, 5, "routes.r.mirror")]
    public void Mirror_Table(string? cluster, string shadow, int percent, int requestsMax, params string[] problems)
    {
        ProxyConfig config = Config(new ListenerConfig { Address = ":80" }) with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = new(), ["shadow"] = new() },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["r"] = new() { Cluster = cluster, Respond = cluster is null ? new() : null, Mirror = new() { Cluster = shadow, Percent = percent, RequestsMax = requestsMax } },
            },
        };
        Assert.That(ConfigValidator.Validate(config).Select(p => p.Path), Is.EqualTo(problems));
    }

    [TestCase("50ms")]
    [TestCase("2s")]
    [TestCase("p50")]
    [TestCase("p95")]
    [TestCase("p99")]
    [TestCase("0", false)]
    [TestCase("0ms", false)]
    [TestCase("30s", false)] // the time-out of the response head
    [TestCase("p49", false)]
    [TestCase("p100", false)]
    [TestCase("p9", false)]
    [TestCase("p+5", false)]
    [TestCase("fast", false)]
    public void HedgeAfter_Table(string after, bool isValid = true) =>
        Assert.That(Problems(new() { Hedge = new() { After = after } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.hedge.after" }));

    [TestCase(1)]
    [TestCase(100)]
    [TestCase(0, false)]
    [TestCase(101, false)]
    public void HedgePercentMax_Table(int percentMax, bool isValid = true) =>
        Assert.That(Problems(new() { Hedge = new() { PercentMax = percentMax } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.hedge.percentMax" }));

    [TestCase("/health")]
    [TestCase("/health?full=1")]
    [TestCase("health", false)]
    [TestCase("", false)]
    [TestCase("/a b", false)]
    [TestCase("/a\r\nX: y", false)]
    [TestCase("/a#b", false)]
    public void HealthCheckPath_Table(string path, bool isValid = true) =>
        Assert.That(Problems(new() { HealthCheck = new() { Path = path } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.healthCheck.path" }));

    [TestCase("200")]
    [TestCase("200-599")]
    [TestCase("200-200")]
    [TestCase("199", false)]
    [TestCase("600", false)]
    [TestCase("300-200", false)]
    [TestCase("2xx", false)]
    [TestCase("200-", false)]
    [TestCase("-200", false)]
    [TestCase("", false)]
    public void HealthCheckStatus_Table(string status, bool isValid = true) =>
        Assert.That(Problems(new() { HealthCheck = new() { Status = [status] } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.healthCheck.status[0]" }));

    [Test]
    public void HealthCheck_OutOfItsRanges_IsAProblemEach()
    {
        var check = new HealthCheckConfig { Host = "a b", Status = [], Body = "", Interval = TimeSpan.Zero, Timeout = TimeSpan.Zero, Fall = 0, Rise = 101 };
        Assert.That(Problems(new() { HealthCheck = check }), Is.EquivalentTo(new[]
        {
            "clusters.c.healthCheck.host", "clusters.c.healthCheck.status", "clusters.c.healthCheck.body", "clusters.c.healthCheck.interval",
            "clusters.c.healthCheck.timeout", "clusters.c.healthCheck.fall", "clusters.c.healthCheck.rise",
        }));
    }

    [Test]
    public void HealthCheck_TcpWithAPath_IsAProblem() =>
        Assert.That(Problems(new() { HealthCheck = new() { Kind = HealthCheckKind.Tcp, Path = "/x" } }), Is.EqualTo(new[] { "clusters.c.healthCheck.kind" }));

    [TestCase("prequal", true)]
    [TestCase("prequal", false, false)]
    [TestCase("round-robin", true, false)]
    [TestCase("round-robin", false)]
    public void Probe_IsNeededByPrequalAndByNobodyElse(string balance, bool hasProbe, bool isValid = true) =>
        Assert.That(Problems(new() { Balance = balance, Probe = hasProbe ? new() : null }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.probe" }));

    [Test]
    public void Probe_OutOfItsRanges_IsAProblemEach()
    {
        var probe = new LoadProbeConfig { Path = "load", Host = "a b", Timeout = TimeSpan.Zero, InFlightMax = 0 };
        Assert.That(Problems(new() { Balance = "prequal", Probe = probe }), Is.EquivalentTo(new[]
        {
            "clusters.c.probe.path", "clusters.c.probe.host", "clusters.c.probe.timeout", "clusters.c.probe.inFlightMax",
        }));
    }

    [Test]
    public void Fleet_OutOfItsRanges_IsAProblemEach()
    {
        var cluster = new ClusterConfig
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "h:1", RequestsMax = -1, Tier = 16 } },
            Ejection = new() { ConsecutiveFailures = -1, FailurePercentMax = 101, RequestsMin = 0, Window = TimeSpan.Zero, Duration = TimeSpan.FromMinutes(6), EjectedPercentMax = -1 },
            RetryBudget = new() { Percent = 101, PerSecondMin = -1 },
            Queue = new() { RequestsMax = -1, Timeout = TimeSpan.Zero },
            SlowStart = TimeSpan.FromSeconds(-1),
            PanicThresholdPercent = 101,
        };
        Assert.That(Problems(cluster).Select(p => p["clusters.c.".Length..]), Is.EquivalentTo(new[]
        {
            "destinations.a.requestsMax", "destinations.a.tier", "ejection.consecutiveFailures", "ejection.failurePercentMax", "ejection.requestsMin", "ejection.window",
            "ejection.durationMax", "ejection.ejectedPercentMax", "retryBudget.percent", "retryBudget.perSecondMin", "queue.requestsMax", "queue.timeout", "slowStart",
            "panicThresholdPercent",
        }));
    }

    [TestCase("eu-1a")]
    [TestCase("")]
    [TestCase("a\nb", false)]
    public void Zone_Table(string zone, bool isValid = true)
    {
        var destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "h:1", Zone = zone } };
        Assert.That(Problems(new() { Destinations = destinations }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.destinations.a.zone" }));
        Assert.That(ConfigValidator.Validate(Config(new ListenerConfig { Address = ":80" }) with { Zone = zone }).Select(p => p.Path), isValid ? Is.Empty : Is.EqualTo(new[] { "zone" }));
    }

    [Test]
    public void Discover_OutOfItsRanges_IsAProblemEach()
    {
        DiscoverConfig[] discover =
        [
            new(), new() { Dns = "h:1", IntervalMin = TimeSpan.Zero, IntervalMax = TimeSpan.FromDays(2), Tier = 16, RequestsMax = -1 },
            new() { File = "", Tier = 1 }, new() { Dns = "unix:/x" }, new() { Srv = "" },
        ];
        Assert.That(Problems(new() { Discover = discover }).Select(p => p["clusters.c.discover".Length..]), Is.EquivalentTo(new[]
        {
            "[0]", "[1].intervalMin", "[1].intervalMax", "[1].tier", "[1].requestsMax", "[2].file", "[2].file", "[3].dns", "[4].srv",
        }));
    }

    [Test]
    public void Discover_EtcdAndKubernetesThatCannotBe_AreAProblemEach()
    {
        DiscoverConfig[] discover =
        [
            new() { Etcd = new() { Endpoints = [], Prefix = "" } }, new() { Etcd = new() { Endpoints = ["http://h:1", "h:0", "unix:/x", "h"], Prefix = "/s" } },
            new() { Etcd = new() { Endpoints = ["h"], Prefix = "/s/", User = "u" }, Resolver = "10.0.0.2:53" }, new() { Etcd = new() { Endpoints = ["h"], Prefix = "/s/", User = "u", Password = "p" }, Dns = "h:1" },
            new() { Etcd = new() { Endpoints = ["h"], Prefix = "/s/", Tls = new() { Ca = "/missing.pem" } } },
            new() { Kubernetes = new() { Service = "" } }, new() { Kubernetes = new() { Service = "a", Namespace = "A_b", Port = "70000", Kubeconfig = "" } }, new() { Kubernetes = new() { Service = "a", Port = "8080" } },
        ];
        Assert.That(Problems(new() { Discover = discover }).Select(p => p["clusters.c.discover".Length..]), Is.EquivalentTo(new[]
        {
            "[0].etcd.endpoints", "[0].etcd.prefix", "[1].etcd.endpoints[0]", "[1].etcd.endpoints[1]", "[1].etcd.endpoints[2]", "[1].etcd.prefix", "[2].etcd.password", "[2].resolver", "[3]", "[4].etcd.tls.ca",
            "[5].kubernetes.service", "[6].kubernetes.namespace", "[6].kubernetes.port", "[6].kubernetes.kubeconfig",
        }));
    }

    [TestCase(0, false)]
    [TestCase(1, true)]
    public void Queue_DiscoveryWithoutALimit_IsAProblem(int requestsMax, bool isValid) =>
        Assert.That(Problems(new() { Discover = [new() { Dns = "h:1", RequestsMax = requestsMax }], Queue = new() { RequestsMax = 1 } }),
            isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.discover[0].requestsMax" }));

    [TestCase(0, 1, false)]
    [TestCase(1, 1, true)]
    public void Queue_ADestinationWithoutLimit_IsAProblem(int first, int second, bool isValid)
    {
        var destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "h:1", RequestsMax = first }, ["b"] = new() { Address = "h:2", RequestsMax = second } };
        Assert.That(Problems(new() { Destinations = destinations, Queue = new() { RequestsMax = 1 } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.queue.requestsMax" }));
    }

    [Test]
    public void Sticky_OutOfItsRanges_IsAProblemEach()
    {
        var sticky = new StickyConfig { Cookie = "a b", Keys = ["short", "0123456789abcdef"], Path = "/a;b", MaxAge = TimeSpan.FromDays(401), SameSite = StickySameSite.None };
        Assert.That(Problems(new() { Sticky = sticky }), Is.EquivalentTo(new[]
        {
            "clusters.c.sticky.cookie", "clusters.c.sticky.keys[0]", "clusters.c.sticky.path", "clusters.c.sticky.maxAge", "clusters.c.sticky.sameSite",
        }));
        Assert.That(Problems(new() { Sticky = new() { Cookie = "lb", Keys = [.. Enumerable.Repeat("0123456789abcdef", 9)] } }), Is.EqualTo(new[] { "clusters.c.sticky.keys" }));
    }

    [TestCase("__Secure-lb", false, "/", false)]
    [TestCase("__Secure-lb", true, "/a", true)]
    [TestCase("__Host-lb", true, "/", true)]
    [TestCase("__Host-lb", true, "/a", false)]
    [TestCase("__Host-lb", false, "/", false)]
    public void Sticky_Prefix_NeedsItsAttributes(string cookie, bool secure, string path, bool isValid) =>
        Assert.That(Problems(new() { Sticky = new() { Cookie = cookie, Secure = secure, Path = path } }), isValid ? Is.Empty : Is.EqualTo(new[] { "clusters.c.sticky.cookie" }));

    [Test]
    public void Sticky_KeyThatIsTooShort_IsNotRepeated()
    {
        ProxyConfig config = Config(new ListenerConfig { Address = ":80" }) with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() { Sticky = new() { Cookie = "lb", Keys = ["hunter2"] } } } };
        Assert.That(ConfigValidator.Validate(config).Single().ToString(), Does.Not.Contain("hunter2"));
    }

    [TestCase(":80", "365d", false, false, 0)]
    [TestCase(":80", "0", true, false, 65535)]
    [TestCase(":443", "365d", false, false, 0, "redirectFrom[0]")]
    [TestCase("80", "365d", false, false, 0, "redirectFrom[0]")]
    [TestCase(":81", "365d", false, false, 0, "redirectFrom[0]", Description = "the other listener's")]
    [TestCase(":80", "1ms", false, false, 65536, "redirectPort", "maxAge")]
    [TestCase(":80", "364d", false, true, 0, "preload", "preload")]
    [TestCase(":80", "365d", true, true, 0)]
    public void HttpsOnly_Table(string from, string maxAge, bool subDomains, bool preload, int port, params string[] problems)
    {
        Assert.That(DurationText.TryParse(maxAge, out TimeSpan age), Is.True);
        var tls = new TlsConfig { HttpsOnly = new() { RedirectFrom = [from], MaxAge = age, IncludeSubDomains = subDomains, Preload = preload, RedirectPort = port } };
        IEnumerable<string> found = ConfigValidator.Validate(Config(new ListenerConfig { Address = ":81" }, new ListenerConfig { Address = ":443", Tls = tls })).Select(p => p.Path);
        Assert.That(found.Where(path => !path.EndsWith("certificates", StringComparison.Ordinal)), Is.EquivalentTo(problems.Select(p => $"listeners.l1.tls.httpsOnly.{p}")));
    }

    [Test]
    public void HttpsOnly_NameOfAnotherListener_IsAProblem()
    {
        ProxyConfig config = Config(new ListenerConfig { Address = ":443", Tls = new() { HttpsOnly = new() { RedirectFrom = [":80"] } } });
        config = config with { Listeners = new Dictionary<string, ListenerConfig>(config.Listeners) { ["l0-redirect"] = new() { Address = ":81" } } };
        Assert.That(ConfigValidator.Validate(config).Select(p => p.Path), Does.Contain("listeners.l0.tls.httpsOnly.redirectFrom[0]"));
    }

    [TestCase(":80", new[] { "10.0.0.0/8", "::1" }, 5000)]
    [TestCase("unix:/s", new string[0], 1)]
    [TestCase(":80", new[] { "0.0.0.0/0" }, 5000, Description = "all, on purpose")]
    [TestCase(":80", new string[0], 5000, "trustedPeers")]
    [TestCase("unix:/s", new[] { "10.0.0.0/8" }, 5000, "trustedPeers")]
    [TestCase(":80", new[] { "10.0.0.1/8", "proxy.internal" }, 0, "trustedPeers[0]", "trustedPeers[1]", "timeout")]
    public void ProxyProtocol_Table(string address, string[] trusted, int timeout, params string[] problems)
    {
        var listener = new ListenerConfig { Address = address, ProxyProtocol = new() { TrustedPeers = trusted, Timeout = TimeSpan.FromMilliseconds(timeout) } };
        Assert.That(ConfigValidator.Validate(Config(listener)).Select(p => p.Path), Is.EqualTo(problems.Select(p => $"listeners.l0.proxyProtocol.{p}")));
    }

    [Test]
    public void Tcp_Table()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Tcp(new TcpConfig { Cluster = "c" }), Is.Empty);
            Assert.That(Tcp(new TcpConfig { Sni = Names("a.test") }), Is.Empty);
            Assert.That(Tcp(new TcpConfig()), Is.EqualTo(new[] { "tcp" }));
            Assert.That(Tcp(new TcpConfig { Cluster = "d" }), Is.EqualTo(new[] { "tcp.cluster" }));
            Assert.That(Tcp(new TcpConfig { Sni = Names("a.test", "A.test", "*.b.test", "*.*.test", "10.0.0.1", "a.test:443", "") }),
                Is.EqualTo(new[] { "tcp.sni[\"A.test\"]", "tcp.sni[\"*.*.test\"]", "tcp.sni[\"10.0.0.1\"]", "tcp.sni[\"a.test:443\"]", "tcp.sni[\"\"]" }));
            Assert.That(Tcp(new TcpConfig { Sni = new Dictionary<string, string> { ["a.test"] = "d" } }), Is.EqualTo(new[] { "tcp.sni[\"a.test\"]" }));
            Assert.That(Tcp(new TcpConfig { Cluster = "c", HelloTimeout = TimeSpan.Zero, IdleTimeout = TimeSpan.Zero, HalfCloseTimeout = TimeSpan.Zero }),
                Is.EqualTo(new[] { "tcp.helloTimeout", "tcp.idleTimeout", "tcp.halfCloseTimeout" }));
            var tcp = new TcpConfig { Cluster = "c" };
            Assert.That(Tcp(tcp, l => l with { TrustedProxies = ["10.0.0.0/8"] }), Is.EqualTo(new[] { "trustedProxies" }));
            Assert.That(Tcp(tcp, l => l with { Forwarded = new() { Via = "x" } }), Is.EqualTo(new[] { "forwarded" }));
            Assert.That(Tcp(tcp, l => l with { Limits = new() { RequestHeaderCountMax = 5 } }), Is.EqualTo(new[] { "limits" }));
            Assert.That(Tcp(tcp, l => l with { Tls = new() { HttpsOnly = new() } }), Does.Contain("tls.httpsOnly"));
            Assert.That(Tcp(tcp with { Sni = Names("a.test") }, l => l with { Tls = new() }), Does.Contain("tcp.sni"));
            Assert.That(Tcp(tcp, cluster: new() { Sticky = new() { Cookie = "lb" } }), Is.EqualTo(new[] { "tcp.cluster" }));
            Assert.That(Tcp(tcp, cluster: new() { Balance = "rendezvous", HashOn = "path" }), Is.EqualTo(new[] { "tcp.cluster" }));
            Assert.That(Tcp(tcp, cluster: new() { Balance = "rendezvous", HashOn = "ip" }), Is.Empty);
            Assert.That(Tcp(tcp, cluster: new() { Balance = "prequal", Probe = new() }), Is.EqualTo(new[] { "tcp.cluster" }));
            Assert.That(Tcp(tcp, cluster: new() { HealthCheck = new() }), Is.Empty);
        });

        static Dictionary<string, string> Names(params string[] names) => names.ToDictionary(name => name, _ => "c");

        static string[] Tcp(TcpConfig tcp, Func<ListenerConfig, ListenerConfig>? change = null, ClusterConfig? cluster = null)
        {
            var listener = new ListenerConfig { Address = ":80", Tcp = tcp };
            ProxyConfig config = Config(change is null ? listener : change(listener)) with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = cluster ?? new() } };
            return [.. ConfigValidator.Validate(config).Select(p => p.Path.Replace("listeners.l0.", "", StringComparison.Ordinal))];
        }
    }

    [Test]
    public void Tcp_ARouteOfSuchAListener_IsAProblem()
    {
        ProxyConfig config = Config(new ListenerConfig { Address = ":80", Tcp = new() { Cluster = "c" } }) with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() },
            Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { Cluster = "c", Listeners = ["l0"] } },
        };
        Assert.That(ConfigValidator.Validate(config).Select(p => p.Path), Is.EqualTo(new[] { "routes.r.listeners[0]" }));
    }

    private static string[] Problems(ClusterConfig cluster) =>
        [.. ConfigValidator.Validate(Config(new ListenerConfig { Address = ":80" }) with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = cluster } }).Select(p => p.Path)];

    private static ProxyConfig Config(params ListenerConfig[] listeners) =>
        new() { Listeners = listeners.Select((l, i) => (l, i)).ToDictionary(x => $"l{x.i}", x => x.l) };
}
