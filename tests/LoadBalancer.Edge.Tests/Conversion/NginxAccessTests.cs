using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What nginx lets nobody or few in to is not open in lb.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class NginxAccessTests
{
    [TestCase("auth_basic x; auth_basic_user_file f;", 501)]
    [TestCase("auth_basic off;", null)]
    [TestCase("auth_request /auth;", 501)]
    [TestCase("auth_jwt realm;", 501)]
    [TestCase("access_by_lua_file x.lua;", 501)]
    [TestCase("allow 10.0.0.0/8; deny all;", 501)]
    [TestCase("deny 10.0.0.1;", 501)]
    [TestCase("deny all;", 403)]
    [TestCase("allow all; deny 10.0.0.1;", null)]
    [TestCase("allow 10.0.0.1;", null)]
    [TestCase("limit_except GET { deny all; }", 501)]
    [TestCase("if ($http_x_key != secret) { return 401; }", 501)]
    [TestCase("if ($a) { return 302 /x; }", null)]
    [TestCase("internal;", 404)]
    [TestCase("", null)]
    public void ALocationWithRules_IsClosed(string rules, int? status)
    {
        Converted made = Converted.NginxHttp($$"""
            server {
              listen 80;
              location / { proxy_pass http://10.0.0.1; proxy_redirect off; }
              location /x/ {
                {{rules}}
                proxy_pass http://10.0.0.1; proxy_redirect off; }
            }
            """);
        Assert.That(made.Config.Routes["default/x/**"].Respond?.Status, Is.EqualTo(status), string.Join('\n', made.Findings));
        Assert.That(made.Config.Routes["default"].Cluster, Is.Not.Null);
        if (status is 501 or 404) Assert.That(made.Findings, Has.Some.StartsWith("6: "));
    }

    [Test]
    public void RulesOfTheServer_HoldForItsLocations()
    {
        Converted made = Converted.NginxHttp("""
            server {
              listen 80;
              auth_basic x;
              location / { proxy_pass http://10.0.0.1; }
              location /open/ { auth_basic off; proxy_pass http://10.0.0.1; }
              location /moved/ { return 302 /open/; }
            }
            """);
        Assert.That(made.Config.Routes["default"].Respond!.Status, Is.EqualTo(501));
        Assert.That(made.Config.Routes["default/open/**"].Cluster, Is.Not.Null);
        Assert.That(made.Config.Routes["default/moved/**"].Redirect, Is.Not.Null, "nginx answers it before it asks who it is");
        Assert.That(made.Tells(4, "501"), string.Join('\n', made.Findings));
    }

    [Test]
    public void AnInternalLocation_IsNotRedirectedTo()
    {
        Converted made = Converted.NginxHttp("server { listen 80; location / { proxy_pass http://10.0.0.1; } location /x/ { internal; proxy_pass http://10.0.0.2; } location = /auth { internal; proxy_pass http://10.0.0.2; } }");
        foreach (string path in (string[])["/x", "/x/**", "/auth"]) Assert.That(made.Config.Routes[$"default{path}"].Respond!.Status, Is.EqualTo(404), path);
        Assert.That(made.Config.Clusters.Keys, Is.EqualTo(new[] { "10.0.0.1" }));
    }

    [TestCase("location /x/ { deny all; proxy_pass http://a; }", new[] { "/x/*" })]
    [TestCase("location /x { deny all; proxy_pass http://a; }", new[] { "/x/**" })]
    [TestCase("location = /x { internal; proxy_pass http://a; }", new[] { "/x" })]
    [TestCase("location /x/ { deny all; proxy_pass http://a; } location /x/open/ { proxy_pass http://a; }", new string[0])]
    [TestCase("location /x/ { deny all; location /x/y/ { allow all; proxy_pass http://a; } }", new string[0])]
    [TestCase("location / { deny all; proxy_pass http://a; }", new string[0])]
    public void AClosedLocation_IsClosedInAnyEncoding(string location, string[] paths) =>
        Assert.That(Converted.NginxHttp($"server {{ listen 80; {location} }}").Config.BlockRules.Values.SelectMany(rule => rule.Paths), Is.EqualTo(paths));

    [Test]
    public void AClosedLocationOfADefaultServer_DoesNotCloseThoseOfOthers()
    {
        Converted made = Converted.NginxHttp("server { listen 80; location /x/ { deny all; } } server { listen 80; server_name b; location /x/ { proxy_pass http://a; } location /y/ { deny all; } }");
        Assert.That(made.Config.BlockRules.Values.Select(rule => (rule.Hosts.Single(), rule.Paths.Single())), Is.EqualTo(new[] { ("b", "/y/*") }));
    }

    [Test]
    public void AddressesOfAWholeListener_AreItsAccess()
    {
        Converted made = Converted.NginxHttp("""
            deny 10.0.0.66; allow 10.0.0.0/8; allow 2001:db8::1; deny all;
            server { listen 80; server_name a; location / { proxy_pass http://10.0.0.1; } location /x/ { proxy_pass http://10.0.0.1; } }
            server { listen 80; server_name b; location / { proxy_pass http://10.0.0.1; } }
            """);
        AccessConfig access = made.Config.Listeners["http-80"].Access!;
        Assert.That(made.Config.AddressLists[access.Allow.Single()].Addresses, Is.EqualTo(new[] { "10.0.0.0/8", "2001:db8::1" }));
        Assert.That(made.Config.AddressLists[access.Block.Single()].Addresses, Is.EqualTo(new[] { "10.0.0.66" }));
        Assert.That(made.Config.Routes.Values.Where(route => route.Cluster is null && route.Redirect is null), Is.Empty);
        Assert.That(made.Tells(2, "reset"), string.Join('\n', made.Findings));
    }

    [TestCase("allow 10.0.0.1; deny all;", "location /y/ { allow all; proxy_pass http://10.0.0.1; }", TestName = "ALocationWithItsOwn")]
    [TestCase("allow 10.0.0.1; deny all;", "location /y/ { return 200 y; }", TestName = "AnAnswerForEverybody")]
    [TestCase("allow 10.0.0.1; deny 10.0.0.0/8; allow 0.0.0.0/0; deny all;", "", TestName = "AnOrderThatLbHasNot")]
    [TestCase("allow 10.0.0.1; deny all; set_real_ip_from 10.0.0.2; real_ip_header X-Real-IP;", "", TestName = "AnAddressThatLbDoesNotSee")]
    [TestCase("allow unix:; deny all;", "", TestName = "NoAddress")]
    public void AddressesThatAreNoAccess_CloseTheLocation(string rules, string other)
    {
        Converted made = Converted.NginxHttp($"server {{ listen 80; {rules} location / {{ proxy_pass http://10.0.0.1; }} {other} }}");
        Assert.That(made.Config.Listeners["http-80"].Access, Is.Null);
        Assert.That(made.Config.Routes["default"].Respond!.Status, Is.EqualTo(501));
        if (other.Length > 0) Assert.That(made.Config.Routes["default/y/**"].Respond?.Status, Is.Not.EqualTo(501));
    }

    [Test]
    public void RulesOfOneServerOfTwo_AreNoAccess()
    {
        Converted made = Converted.NginxHttp("server { listen 80; location / { proxy_pass http://10.0.0.1; } } server { listen 80; server_name b; allow 10.0.0.1; deny all; location / { proxy_pass http://10.0.0.1; } }");
        Assert.That(made.Config.Listeners["http-80"].Access, Is.Null);
        Assert.That((made.Config.Routes["default"].Cluster, made.Config.Routes["b"].Respond?.Status), Is.EqualTo(("10.0.0.1", 501)));
    }

    [Test]
    public void ClientCertificatesOfOneServerOfTwo_CloseIt()
    {
        Converted made = Converted.NginxHttp("""
            server { listen 443 ssl; ssl_certificate a.pem; location / { proxy_pass http://10.0.0.1; } }
            server { listen 443 ssl; server_name b; ssl_certificate b.pem;
              ssl_client_certificate ca.pem; ssl_verify_client on;
              location / { proxy_pass http://10.0.0.1; } location /r { return 200 secret; } }
            """);
        Assert.That(made.Config.Listeners["https-443"].Tls!.ClientCertificates, Is.Null);
        Assert.That((made.Config.Routes["default"].Cluster, made.Config.Routes["b"].Respond?.Status, made.Config.Routes["b/r/**"].Respond?.Status), Is.EqualTo(("10.0.0.1", 501, 501)));
        Assert.That(made.Tells(4, "ssl_verify_client on: "), string.Join('\n', made.Findings));
    }

    [Test]
    public void ClientCertificatesOfTheDefault_HoldForAll()
    {
        Converted made = Converted.NginxHttp("""
            server { listen 80; return 200 plain; }
            server { listen 443 ssl; ssl_certificate a.pem; ssl_client_certificate ca.pem;
              ssl_verify_client on; location / { proxy_pass http://10.0.0.1; } }
            server { listen 443 ssl; server_name b; ssl_certificate b.pem; location / { proxy_pass http://10.0.0.1; } }
            server { listen 444 ssl; ssl_certificate a.pem;
              ssl_verify_client on; location / { proxy_pass http://10.0.0.1; } }
            """);
        Assert.That(made.Config.Listeners["https-443"].Tls!.ClientCertificates!.Mode, Is.EqualTo(ClientCertificateMode.Required));
        Assert.That(made.Tells(4, "all servers"), string.Join('\n', made.Findings));
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "http-80", "https-443" }), "without its authorities nobody is verified");
        Assert.That(made.Tells(7, "ssl_verify_client on: "), string.Join('\n', made.Findings));
    }

    [Test]
    public void AddressesOfAStream_AreItsAccess()
    {
        Converted made = Converted.Nginx("""
            stream {
              server { listen 5000; proxy_pass 10.0.0.1:5000; deny 10.1.2.3/8; }
              server { listen 5001; proxy_pass 10.0.0.1:5000;
                allow 10.0.0.1; deny 10.0.0.0/8; }
              server { listen 5002; proxy_pass 10.0.0.1:5000;
                deny all; }
            }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "tcp-5000" }));
        Assert.That(made.Config.AddressLists[made.Config.Listeners["tcp-5000"].Access!.Block.Single()].Addresses, Is.EqualTo(new[] { "10.0.0.0/8" }), "nginx masks the bits behind a prefix");
        Assert.That((made.Tells(4, "allow 10.0.0.1"), made.Tells(6, "deny all")), Is.EqualTo((true, true)), string.Join('\n', made.Findings));
    }
}
