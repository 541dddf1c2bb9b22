using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What means something else in lb is told of.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class NginxMeaningTests
{
    [TestCase("", true)]
    [TestCase("proxy_redirect default;", true)]
    [TestCase("proxy_redirect off;", false)]
    [TestCase("proxy_redirect http://a/ /;", true)]
    [TestCase("proxy_set_header Host $host;", false)]
    [TestCase("proxy_set_header Host app.example.com;", false)]
    [TestCase("proxy_set_header Host $proxy_host;", true)]
    public void RedirectsOfDestinations_AreToldOfWhereNginxChangesThem(string directive, bool isTold)
    {
        Converted made = Converted.NginxHttp($"server {{ listen 80; location / {{ {directive} proxy_pass http://app.internal; }} }}");
        Assert.That(made.Findings.Any(finding => finding.Contains("Location", StringComparison.Ordinal)), Is.EqualTo(isTold), string.Join('\n', made.Findings));
    }

    [TestCase("X-Forwarded-Proto $scheme", true)]
    [TestCase("X-Forwarded-Proto https", false)]
    [TestCase("X-Forwarded-Proto $http_x_forwarded_proto", false)]
    [TestCase("X-Forwarded-Host $host", true)]
    [TestCase("X-Forwarded-Host $http_host", true)]
    [TestCase("X-Forwarded-Host a.example.com", false)]
    [TestCase("X-Forwarded-For $proxy_add_x_forwarded_for", true)]
    [TestCase("X-Forwarded-For ${remote_addr}", true)]
    [TestCase("X-Forwarded-For ''", false)]
    [TestCase("Forwarded for=$remote_addr", false)]
    [TestCase("Via nginx", false)]
    [TestCase("Upgrade $http_upgrade", true)]
    [TestCase("Upgrade ''", false)]
    [TestCase("Connection ''", true)]
    public void FieldsThatLbSets_AreToldOfWhereTheirValueIsAnother(string field, bool isSame)
    {
        Converted made = Converted.NginxHttp($"server {{ listen 80; location / {{ proxy_redirect off; proxy_pass http://a;\nproxy_set_header {field}; }} }}");
        Assert.That(made.Findings.Select(finding => finding[..1]), Is.EqualTo(isSame ? [] : new[] { "3" }), string.Join('\n', made.Findings));
        Assert.That(made.Config.Policies, Is.Empty);
    }

    [Test]
    public void ADestinationHasTheTimeThatNginxGivesIt() =>
        Assert.That(Converted.NginxHttp("server { listen 80; location / { proxy_pass http://a; } }").Config.Clusters["a"].ResponseHeadTimeout, Is.EqualTo(TimeSpan.FromMinutes(1)));

    [Test]
    public void SlashesAndTheirEncoding_AreToldOfOnce()
    {
        Converted made = Converted.NginxHttp("""
            server { listen 80; location / { return 200 a; } }
            server { listen 81; location / { return 200 a; }
              location /b/ { return 200 b; } location /c/ { return 200 b; } }
            """);
        Assert.That(made.Findings, Has.Length.EqualTo(1));
        Assert.That(made.Tells(4, "%2F"), made.Findings[0]);
        Assert.That(Converted.NginxHttp("server { listen 80; location / { return 200 a; } }").Findings, Is.Empty);
    }

    [TestCase("server a:80 max_fails=0; server b:80;", true, 1)]
    [TestCase("server a:80 max_fails=0; server b:80 max_fails=0;", false, 5)]
    [TestCase("server a:80 max_fails=3; server b:80 max_fails=3;", true, 3)]
    [TestCase("server a:80; server b:80;", true, 5)]
    public void MaxFails_OfOneServerDoesNotHoldForAll(string servers, bool isOn, int failures)
    {
        Converted made = Converted.NginxHttp($"upstream u {{\n{servers} }} server {{ listen 80; location / {{ proxy_pass http://u; proxy_redirect off; }} }}");
        Assert.That(made.Config.Clusters["u"].Ejection.Enabled, Is.EqualTo(isOn));
        if (isOn) Assert.That(made.Config.Clusters["u"].Ejection.ConsecutiveFailures, Is.EqualTo(failures));
        Assert.That(made.Findings, Has.Length.EqualTo(servers.Contains("b:80;", StringComparison.Ordinal) && servers.Contains("max", StringComparison.Ordinal) ? 1 : 0));
    }

    [Test]
    public void FailTimeout_OfOneServerIsToldOf()
    {
        Converted made = Converted.NginxHttp("upstream u {\nserver a:80 fail_timeout=30s; server b:80; } server { listen 80; location / { proxy_pass http://u; proxy_redirect off; } }");
        Assert.That((made.Config.Clusters["u"].Ejection.Duration, made.Config.Clusters["u"].Ejection.ConsecutiveFailures), Is.EqualTo((TimeSpan.FromSeconds(30), 5)));
        Assert.That(made.Tells(3, "fail_timeout"), string.Join('\n', made.Findings));
    }

    [Test]
    public void OneZoneWithTwoBursts_IsToldOf()
    {
        Converted made = Converted.NginxHttp("""
            limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s; limit_conn_zone $binary_remote_addr zone=c:1m;
            limit_req_status 429; limit_conn_status 429;
            server { listen 80;
              location / { proxy_redirect off; proxy_pass http://a; limit_req zone=z burst=5 nodelay; limit_conn c 1; }
              location = /a { proxy_redirect off; proxy_pass http://a; limit_req zone=z burst=5 nodelay; limit_conn c 1; }
              location = /b { proxy_redirect off; proxy_pass http://a; limit_req zone=z burst=9 nodelay; limit_conn c 2; } }
            """);
        Assert.That(made.Config.Limits, Has.Count.EqualTo(4));
        string[] shared = [.. made.Findings.Where(finding => finding.Contains("counts", StringComparison.Ordinal))];
        Assert.That(shared.Select(finding => finding[..2]), Is.EqualTo(new[] { "7:", "7:" }), string.Join('\n', made.Findings));
    }

    [Test]
    public void ALimitByServerName_IsToldOf()
    {
        Converted made = Converted.NginxHttp("limit_conn_zone $server_name zone=c:1m;\nlimit_conn_status 429; server { listen 80; location / { proxy_redirect off; proxy_pass http://a; limit_conn c 1; } }");
        Assert.That(made.Tells(2, "$server_name"), string.Join('\n', made.Findings));
    }
}
