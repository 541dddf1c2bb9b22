using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Nginx;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What becomes of nginx's directives. Every result passes the check.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class NginxConverterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private string[] _findings = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Upstream_ItsServersAndPolicy()
    {
        ClusterConfig cluster = Http("""
            upstream app {
              least_conn;
              server 10.0.0.1:8080 weight=3 max_conns=50;
              server 10.0.0.2;
              server 10.0.0.3:80 backup;
              server 10.0.0.4:80 down;
              server unix:/run/app.sock;
              keepalive 16;
              keepalive_timeout 30s;
            }
            server { listen 8080; location / { proxy_pass http://app; proxy_set_header Host $host; proxy_connect_timeout 3s; proxy_read_timeout 1m30s; proxy_next_upstream_tries 3; } }
            """).Clusters["app"];
        Assert.That(cluster.Balance, Is.EqualTo("least-outstanding"));
        Assert.That(cluster.Destinations.Values.Select(d => (d.Address, d.Weight, d.RequestsMax, d.Tier)),
            Is.EqualTo(new[] { ("10.0.0.1:8080", 3, 50, 0), ("10.0.0.2:80", 1, 0, 0), ("10.0.0.3:80", 1, 0, 1), ("unix:/run/app.sock", 1, 0, 0) }));
        Assert.That((cluster.Pool.IdleConnectionsMax, cluster.Pool.IdleTimeout), Is.EqualTo((16, TimeSpan.FromSeconds(30))));
        Assert.That((cluster.ConnectTimeout, cluster.ResponseHeadTimeout, cluster.RetriesMax), Is.EqualTo((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(90), 2)));
        Assert.That(cluster.Host, Is.EqualTo("client"));
        Assert.That(_findings, Is.EqualTo(new[] { "7: server 10.0.0.4:80 down: is down, and left out" }));
    }

    [Test]
    public void AccessLog_OffInAPlace_StaysOutOfTheLog()
    {
        ProxyConfig config = Http("access_log /a.log; server { listen 80; location / { proxy_pass http://a; } location /ping/ { access_log off; return 204; } }");
        Assert.That(config.Routes.Values.Select(route => (route.Path, route.Log)), Is.EquivalentTo(new[] { ("/**", true), ("/ping/**", false) }));
        Assert.That(_findings, Has.None.Contains("access_log"));
        Assert.That(Http("access_log off; server { listen 80; location / { proxy_pass http://a; } }").Routes.Values.Single().Log, "there is no log to stay out of");
    }

    [Test]
    public void Upstream_FailuresAndHashes()
    {
        ProxyConfig config = Http("""
            upstream a { hash $cookie_session consistent; server a:80 max_fails=5 fail_timeout=20s; }
            upstream b { server b:80 max_fails=0; }
            server { listen 80; location / { proxy_pass http://a; } location /b/ { proxy_pass http://b; proxy_next_upstream off; } }
            """);
        Assert.That((config.Clusters["a"].Balance, config.Clusters["a"].HashOn, config.Clusters["a"].Ejection.ConsecutiveFailures, config.Clusters["a"].Ejection.Duration),
            Is.EqualTo(("consistent-hash", "cookie:session", 5, TimeSpan.FromSeconds(20))));
        Assert.That((config.Clusters["b"].Balance, config.Clusters["b"].Ejection.Enabled, config.Clusters["b"].RetriesMax), Is.EqualTo(("round-robin", false, 0)));
        Assert.That(config.Clusters["a"].Host, Is.EqualTo("a"), "nginx sends the name in proxy_pass where nothing is said");
    }

    [Test]
    public void Servers_AddressesNamesAndDefaults()
    {
        ProxyConfig config = Http("""
            server { listen 80 default_server; listen [::]:80 default_server; return 301 https://$host$request_uri; }
            server { listen 127.0.0.1:81; server_name a.example.com *.b.example.com; location / { proxy_pass http://10.0.0.1; } location = /old { return 302 /new; } }
            server { listen 127.0.0.1:81; server_name .c.example.com; location /only/ { return 200 yes; } }
            """);
        Assert.That(config.Listeners.ToDictionary(l => l.Key, l => l.Value.Address), Is.EqualTo(new Dictionary<string, string> { ["http-80"] = ":80", ["http-81"] = "127.0.0.1:81" }));
        Assert.That(config.Routes["http-80"].Redirect!.To, Is.EqualTo("https://{host}{path}{query}"));
        RouteConfig[] of81 = [.. config.Routes.Values.Where(route => route.Listeners.SequenceEqual(["http-81"]))];
        Assert.That(of81.Where(route => route.Hosts.Count == 0).Select(route => route.Path), Is.EquivalentTo(new[] { "/**", "/old" }), "the first server of an address is its default");
        Assert.That(of81.Where(route => route.Hosts.Contains("*.c.example.com")).Select(route => (route.Path, route.Respond!.Status)), Is.EquivalentTo(new[] { ("/only/**", 200), ("/**", 404) }));
        Assert.That(_findings.Select(finding => finding.Split(':')[0]), Is.EqualTo(new[] { "3", "3" }), "slashes, and the Location of a.example.com's destination");
    }

    [Test]
    public void Locations_PrefixesBodiesAndPaths()
    {
        ProxyConfig config = Http("""
            client_max_body_size 2m;
            server {
              listen 80;
              location / { proxy_pass http://10.0.0.1:1; client_max_body_size 0; }
              location /api/ { proxy_pass http://10.0.0.1:1/v1/; }
              location /same/ { proxy_pass http://10.0.0.1:1/same/; }
              location /part { proxy_pass http://10.0.0.1:1; }
              location ~ \.php$ { fastcgi_pass unix:/run/php.sock; }
              location /files/ { root /srv; }
            }
            """);
        Assert.That(config.Routes["default"].RequestBodyBytesMax, Is.Null);
        Assert.That(config.Routes["default/api/**"].RequestBodyBytesMax, Is.EqualTo(2 << 20));
        Assert.That(config.Routes["default/api/**"].Policies, Has.Count.EqualTo(1));
        Assert.That(config.Routes["default/api"].Redirect, Is.EqualTo(new RedirectConfig { To = "/api/{query}", Status = 301 }));
        Assert.That(config.Routes["default/same/**"].Policies, Is.Empty);
        Assert.That(config.Routes["default/part/**"].Cluster, Is.Not.Null);
        Assert.That(config.Routes["default/files/**"].Respond!.Status, Is.EqualTo(501), "what lb cannot do is not left to a wider route");
        Assert.That(_findings.Select(finding => finding.Split(':')[0]), Is.EqualTo(new[] { "5", "6", "6", "7", "8", "8", "9", "10" }));
    }

    [Test]
    public void Limits_CacheAndFields()
    {
        ProxyConfig config = Http($$"""
            limit_req_zone $binary_remote_addr zone=one:10m rate=10r/s;
            limit_conn_zone $host zone=perserver:10m;
            proxy_cache_path {{_folder}}/cache keys_zone=store:10m max_size=1g inactive=1h;
            server {
              listen 80;
              limit_req_status 429;
              limit_conn_status 429;
              location / {
                proxy_pass http://10.0.0.1;
                proxy_redirect off;
                limit_req zone=one burst=20 nodelay;
                limit_conn perserver 100;
                proxy_cache store;
                proxy_cache_valid 200 302 10m;
                proxy_cache_valid 404 1m;
                proxy_cache_use_stale error updating;
                proxy_set_header X-Env prod;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection "upgrade";
                proxy_http_version 1.1;
                proxy_hide_header X-Powered-By;
                add_header X-Served by-lb always;
              }
            }
            """);
        RouteConfig route = config.Routes["default"];
        Assert.That(route.Limits.Keys, Is.EquivalentTo(new[] { "one-burst-20", "perserver-100" }));
        Assert.That((config.Limits["one-burst-20"].Rate, config.Limits["one-burst-20"].Burst), Is.EqualTo(("10/s", 21)));
        Assert.That((config.Limits["perserver-100"].Concurrency, config.Limits["perserver-100"].Key[0]), Is.EqualTo((100, "host")));
        Assert.That(route.Cache!.Ttl, Is.EqualTo(new Dictionary<string, TimeSpan> { ["200"] = TimeSpan.FromMinutes(10), ["302"] = TimeSpan.FromMinutes(10), ["404"] = TimeSpan.FromMinutes(1) }));
        Assert.That((route.Cache.StaleIfError, route.Cache.StaleWhileRevalidate), Is.EqualTo((TimeSpan.FromHours(1), TimeSpan.FromHours(1))));
        Assert.That(config.Caches["store"].Disk!.BytesMax, Is.EqualTo(1 << 30));
        var headers = (Gateway.Headers.HeadersConfig)config.Policies[route.Policies.Single()];
        Assert.That(headers.Request!.Set, Is.EqualTo(new Dictionary<string, string> { ["X-Env"] = "prod" }));
        Assert.That((headers.Response!.Remove[0], headers.Response.Add["X-Served"]), Is.EqualTo(("X-Powered-By", "by-lb")));
        Assert.That(_findings, Is.Empty);
    }

    [Test]
    public void Stream_ForwardsTcpAndBySni()
    {
        ProxyConfig config = Convert("""
            events { worker_connections 1024; }
            stream {
              upstream db { server 10.0.0.1:5432; server 10.0.0.2:5432 backup; }
              map $ssl_preread_server_name $to { a.example.com a; default db; }
              upstream a { server 10.0.0.3:443; }
              server { listen 5432; proxy_pass db; proxy_timeout 1h; }
              server { listen 443; ssl_preread on; proxy_pass $to; }
            }
            """);
        Assert.That((config.Listeners["tcp-5432"].Tcp!.Cluster, config.Listeners["tcp-5432"].Tcp!.IdleTimeout), Is.EqualTo(("db", TimeSpan.FromHours(1))));
        Assert.That((config.Listeners["tcp-443"].Tcp!.Cluster, config.Listeners["tcp-443"].Tcp!.Sni["a.example.com"]), Is.EqualTo(("db", "a")));
        Assert.That(_findings, Is.Empty);
    }

    [Test]
    public void WhatIsUnknown_IsListedWithItsLine()
    {
        Http("""
            gzip on;
            upstream nobody { server 10.0.0.1; }
            server {
              listen 80;
              some_module_directive x
                y;
              location / { proxy_pass http://10.0.0.1; proxy_redirect off; sub_filter "x" "y"; if ($a) { return 302 /; } }
            }
            """);
        Assert.That(_findings, Is.EqualTo(new[]
        {
            "2: gzip on: left out", "3: upstream nobody { }: nothing sends requests to it", "6: some_module_directive x y: left out", "8: sub_filter x y: left out", "8: if ($a) { }: left out",
        }));
    }

    [Test]
    public void ASyntaxError_IsToldOfWithItsLine()
    {
        File.WriteAllText(Path.Combine(_folder, "nginx.conf"), "http {\n server {\n");
        ConversionResult result = NginxConverter.Convert(Path.Combine(_folder, "nginx.conf"));
        Assert.That(result.Text, Is.Null);
        Assert.That(result.Findings.Single().ToString(), Does.EndWith("nginx.conf:3: the text ends within a block; expected \"}\""));
    }

    // Blocks of real directives in any order: the result is always a JSON that can be read, whatever the check thinks of it.
    [Test]
    public void AnyDirectives_GiveAFileThatCanBeRead()
    {
        string[] pieces =
        [
            "listen 80;", "listen 443 ssl;", "listen x:y;", "server_name a.b *.c ~x _;", "location / { proxy_pass http://u; }", "location /a/ { proxy_pass http://u/b/; return 301 /$uri; }", "location = /x { return 200 \"a\\n\\\"b\"; }",
            "proxy_set_header \"X Y\" \"\u2028*/\n//\";", "return 404;", "return 301 $scheme://$host;", "limit_req zone=z burst=1;", "proxy_cache c;", "proxy_read_timeout 1y;", "client_max_body_size 1x;", "add_header A b;", "location @n { }", "proxy_pass https://1.2.3.4:99999;",
            "deny all;", "allow 10.0.0.1;", "deny 10.0.0.0/8;", "internal;", "auth_basic x;", "limit_except GET { deny all; }", "location /a/ { allow all; deny x; location /a/b/ { internal; proxy_pass http://u; } }", "if ($a) { return 403; }",
            "listen [::]:80 ipv6only=off;", "listen 81 udp;", "listen 82 proxy_protocol;", "listen unix:/x proxy_protocol;", "set_real_ip_from 10.0.0.0/8;", "real_ip_header X-Forwarded-For;", "ssl_certificate a.pem;", "ssl_verify_client on;",
        ];
        for (int seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            string Some() => string.Join(' ', Enumerable.Range(0, random.Next(6)).Select(_ => pieces[random.Next(pieces.Length)]));
            File.WriteAllText(Path.Combine(_folder, "nginx.conf"),
                $"http {{ limit_req_zone $host zone=z:1m rate=1r/s; proxy_cache_path /x keys_zone=c:1m; upstream u {{ server 1.2.3.4; {(random.Next(2) == 0 ? "ip_hash;" : "")} }} server {{ {Some()} }} server {{ {Some()} }} }}");
            ConversionResult result = NginxConverter.Convert(Path.Combine(_folder, "nginx.conf"));
            ConfigReadResult read = ConfigFile.Parse(Encoding.UTF8.GetBytes(result.Text!), Path.Combine(_folder, "lb.json"));
            Assert.That(read.Problems.Where(problem => problem.Message.Contains("JSON", StringComparison.Ordinal) || problem.Message.Contains("unknown key", StringComparison.Ordinal) || problem.Message.Contains("twice", StringComparison.Ordinal)), Is.Empty, $"seed {seed}\n{result.Text}");
        }
    }

    private ProxyConfig Http(string block) => Convert($"http {{\n{block}\n}}");

    private ProxyConfig Convert(string text)
    {
        File.WriteAllText(Path.Combine(_folder, "nginx.conf"), text);
        ConversionResult result = NginxConverter.Convert(Path.Combine(_folder, "nginx.conf"));
        _findings = [.. result.Findings.Select(finding => $"{finding.Line}: {finding.Message}")];
        ConfigReadResult read = ConfigFile.Parse(Encoding.UTF8.GetBytes(result.Text!), Path.Combine(_folder, "lb.json"));
        Assert.That(read.Problems, Is.Empty, result.Text);
        return read.Config!;
    }
}
