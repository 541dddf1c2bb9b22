using System.Text;
using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Yarp;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What means something else in lb than with YARP is told of, and nothing becomes more open.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class YarpMeaningTests
{
    [TestCase("""{ "X-Forwarded": "Set" }""", null)]
    [TestCase("""{ "X-Forwarded": "Off" }""", "X-Forwarded")]
    [TestCase("""{ "X-Forwarded": "Remove" }""", "X-Forwarded")]
    [TestCase("""{ "X-Forwarded": "Append" }""", "X-Forwarded")]
    [TestCase("""{ "X-Forwarded": "Set", "For": "Off" }""", "For")]
    [TestCase("""{ "X-Forwarded": "Set", "HeaderPrefix": "X-My-" }""", "HeaderPrefix")]
    [TestCase("""{ "RequestHeadersCopy": "true" }""", null)]
    [TestCase("""{ "RequestHeadersCopy": "false" }""", "RequestHeadersCopy")]
    [TestCase("""{ "ResponseHeadersCopy": false }""", "ResponseHeadersCopy")]
    [TestCase("""{ "ResponseTrailersCopy": false }""", "ResponseTrailersCopy")]
    [TestCase("""{ "RequestHeaderOriginalHost": "false" }""", null)]
    [TestCase("""{ "RequestHeaderOriginalHost": "yes" }""", "RequestHeaderOriginalHost")]
    [TestCase("""{ "ResponseHeader": "X-A", "Set": "b", "When": "Always" }""", null)]
    [TestCase("""{ "ResponseHeader": "X-A", "Set": "b" }""", "ResponseHeader")]
    [TestCase("""{ "ResponseHeader": "X-A", "Append": "b", "When": "Failure" }""", "When")]
    [TestCase("""{ "ResponseHeaderRemove": "X-A", "When": "Success" }""", "When")]
    [TestCase("""{ "RequestHeader": "Host", "Set": "x.example.com" }""", "RequestHeader")]
    [TestCase("""{ "RequestHeader": "X-Forwarded-For", "Set": "x" }""", "RequestHeader")]
    [TestCase("""{ "PathSet": "/x" }""", "PathSet")]
    [TestCase("""{ "PathPrefix": {} }""", "PathPrefix")]
    [TestCase("1", "0")]
    public void ATransform(string transform, string? told)
    {
        Converted made = One($$"""
            "ClusterId": "c", "Match": {},
            "Transforms": [
            {{transform}} ]
            """, "");
        Assert.That(made.Findings, told is null ? Is.Empty : Has.Length.EqualTo(1));
        if (told is not null) Assert.That(made.Findings[0], Does.StartWith("4: ").And.Contain($":{told}: "));
    }

    [TestCase("admin", 501)]
    [TestCase("Default", 501)]
    [TestCase("Anonymous", null)]
    [TestCase("", null)]
    public void ARouteWithAnAuthorizationPolicy_IsClosed(string policy, int? status)
    {
        Converted made = One($$"""
            "ClusterId": "c", "Match": {},
            "AuthorizationPolicy": "{{policy}}", "Timeout": "00:00:01" 
            """, "");
        Assert.That(made.Config.Routes["r"].Respond?.Status, Is.EqualTo(status));
        Assert.That(made.Config.Routes["r"].Cluster, status is null ? Is.EqualTo("c") : Is.Null);
        Assert.That(made.Findings.Select(finding => finding[..2]), Is.EqualTo(status is null ? [] : new[] { "3:", "3:" }), string.Join('\n', made.Findings));
    }

    // Within others, and where lb cannot tell, its case is as good as open: that is said.
    [TestCase("/admin/{**x}", "/{**all}", true)]
    [TestCase("/admin", "/{**all}", true)]
    [TestCase("/admin/{**x}", "/Admin/open", false)]
    [TestCase("/admin/{**x}", "/{tenant}/x", false)]
    [TestCase("/{tenant}/x", "/{**all}", false)]
    [TestCase("/{**x}", "/open", null)]
    public void AClosedRoute_IsClosedInAnyCase(string closed, string open, bool? isBlocked)
    {
        Converted made = Converted.Yarp($$"""
            { "ReverseProxy": { "Clusters": { "c": { "Destinations": { "d": { "Address": "http://h:1" } } } }, "Routes": {
              "r": { "ClusterId": "c", "Match": { "Path": "{{closed}}" }, "AuthorizationPolicy": "x" },
              "o": { "ClusterId": "c", "Match": { "Path": "{{open}}" } } } } }
            """);
        Assert.That(made.Config.BlockRules, Has.Count.EqualTo(isBlocked == true ? 1 : 0));
        Assert.That(made.Tells(2, "another case"), Is.EqualTo(isBlocked == false), string.Join('\n', made.Findings));
    }

    [TestCase("""{ "Name": "X-A", "Values": ["2"] }""", false)]
    [TestCase("""{ "Name": "X-A", "Values": ["beta"] }""", true)]
    [TestCase("""{ "Name": "X-A", "Values": ["beta"], "IsCaseSensitive": true }""", false)]
    [TestCase("""{ "Name": "X-A", "Mode": "Exists" }""", false)]
    [TestCase("""{ "Name": "X-A", "Values": ["a", "b"], "IsCaseSensitive": true }""", true)]
    public void TheCaseOfAHeadersValue(string header, bool isTold)
    {
        Converted made = One($$"""
            "ClusterId": "c", "Match": { "Headers": [
            {{header}} ] }
            """, "");
        Assert.That(made.Findings.Select(finding => finding[..2]), Is.EqualTo(isTold ? new[] { "3:" } : []), string.Join('\n', made.Findings));
    }

    [Test]
    public void TheCaseOfPaths_IsToldOfOnce()
    {
        Converted made = Converted.Yarp("""
            { "ReverseProxy": {
              "Routes": { "a": { "ClusterId": "c", "Match": { "Path": "/a/{**Rest}" } }, "b": { "ClusterId": "c", "Match": { "Path": "/b" } } },
              "Clusters": { "c": { "Destinations": { "d": { "Address": "http://h:1" } } } } } }
            """);
        Assert.That(made.Findings, Has.Length.EqualTo(1));
        Assert.That(made.Tells(2, "case"), made.Findings[0]);
        Assert.That(One(""" "ClusterId": "c", "Match": { "Path": "/{**Rest}" } """, "").Findings, Is.Empty);
    }

    [TestCase("""{ "Enabled": true, "AffinityKeyName": "k", "FailurePolicy": "Redistribute" }""", false)]
    [TestCase("""{ "Enabled": true, "AffinityKeyName": "k", "FailurePolicy": "Return503Error" }""", true)]
    public void AffinityThatFails(string affinity, bool isTold)
    {
        Converted made = One(""" "ClusterId": "c", "Match": {} """, $", \"SessionAffinity\": {affinity}");
        Assert.That(made.Findings.Any(finding => finding.Contains("FailurePolicy", StringComparison.Ordinal)), Is.EqualTo(isTold), string.Join('\n', made.Findings));
    }

    [Test]
    public void TheHostOfOneRoute_IsToldOfWhereAnotherHasNone()
    {
        Converted made = Converted.Yarp("""
            { "ReverseProxy": {
              "Routes": { "a": { "ClusterId": "c", "Match": { "Hosts": ["a"] }, "Transforms": [{ "RequestHeaderOriginalHost": "true" }] }, "b": { "ClusterId": "c", "Match": {} } },
              "Clusters": {
                "c": { "Destinations": { "d": { "Address": "http://h:1" } } } } } }
            """);
        Assert.That(made.Config.Clusters["c"].Host, Is.EqualTo("client"));
        Assert.That(made.Findings, Has.Length.EqualTo(1));
        Assert.That(made.Tells(4, "RequestHeaderOriginalHost"), made.Findings[0]);
    }

    [Test]
    public void WhatIsNoObjectOrNoText_IsToldOf()
    {
        Converted made = Converted.Yarp("""
            { "Urls": "http://localhost:1",
              "ReverseProxy": {
                "Routes": [{ "ClusterId": "c" }],
                "Clusters": { "c": { "Destinations": { "d": { "Address": "http://h:1" } },
                  "HealthCheck": "on",
                  "LoadBalancingPolicy": { "Name": "x" },
                  "HttpRequest": { "ActivityTimeout": "soon" },
                  "Other": [] } } } }
            """);
        Assert.That(made.Findings.Select(finding => finding[..2]), Is.EqualTo(new[] { "3:", "5:", "6:", "7:", "8:" }), string.Join('\n', made.Findings));
        ConversionResult none = YarpConverter.Convert(Encoding.UTF8.GetBytes("""{ "ReverseProxy": [] }"""), "appsettings.json");
        Assert.That(none.Text, Is.Null);
        Assert.That(none.Findings.Single().Message, Is.EqualTo("\"ReverseProxy\" is no object"));
    }

    [Test]
    public void HttpsWithoutACertificateInAFile_IsNotPlainHttp()
    {
        Converted made = Converted.Yarp("""
            { "Kestrel": { "Endpoints": {
                "Plain": { "Url": "http://*:80" },
                "Secure": { "Url": "https://*:443", "Certificate": { "Subject": "localhost", "Store": "My" } },
                "Mutual": { "Url": "https://*:444", "ClientCertificateMode": "RequireCertificate", "Certificate": { "Path": "a.pfx" } } } },
              "ReverseProxy": { } }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "Plain" }));
        Assert.That((made.Tells(3, "left out"), made.Tells(4, "left out")), Is.EqualTo((true, true)), string.Join('\n', made.Findings));
    }

    [Test]
    public void EndpointsThatAreLeftOut_AreNotReplacedByTheDefault()
    {
        ConversionResult result = YarpConverter.Convert(Encoding.UTF8.GetBytes("""{ "Kestrel": { "Endpoints": { "S": { "Url": "https://*:443" } } }, "ReverseProxy": { } }"""), "appsettings.json");
        Assert.That(result.Text, Does.Not.Contain("5000"));
        Assert.That(result.Findings, Has.Count.EqualTo(1));
    }

    [Test]
    public void AFieldThatIsChangedTwice_IsToldOf()
    {
        Converted made = One(""" "ClusterId": "c", "Match": {}, "Transforms": [{ "RequestHeader": "X", "Set": "a" }, { "RequestHeader": "X", "Set": "b" }, { "RequestHeader": "X", "Append": "c" }] """, "");
        Assert.That(made.Findings, Has.Length.EqualTo(1));
        Assert.That(made.Tells(2, "X is changed"), made.Findings[0]);
    }

    // Sections of any shape: never an exception, always a JSON that can be read.
    [Test]
    public void AnySections_GiveAFileThatCanBeRead()
    {
        string[] values = ["1", "\"x\"", "null", "true", "{}", "[]", "[1, {}]", "{ \"a\": 1 }", "\"/a/{b}\"", "[\"*.a.b\", \"*:80\"]", "[{ \"PathPrefix\": null }, { \"RequestHeader\": \"A\", \"Set\": \"b\" }, { \"X-Forwarded\": {} }]"];
        string[] keys = ["ClusterId", "Match", "Path", "Hosts", "Methods", "Headers", "AuthorizationPolicy", "Transforms", "Timeout", "Destinations", "Address", "HealthCheck", "SessionAffinity", "HttpRequest", "HttpClient", "LoadBalancingPolicy"];
        for (int seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            string Some(int depth) => string.Join(", ", keys.Where(_ => random.Next(3) == 0).Select(key => $"\"{key}\": {(depth > 0 && random.Next(3) == 0 ? $"{{ {Some(depth - 1)} }}" : values[random.Next(values.Length)])}"));
            string text = $$"""{ "Kestrel": { "Endpoints": { "a": { {{Some(1)}} } } }, "ReverseProxy": { "Routes": { "r": { {{Some(2)}} }, "s": { {{Some(2)}} } }, "Clusters": { "c": { {{Some(2)}} } } } }""";
            ConversionResult result = YarpConverter.Convert(Encoding.UTF8.GetBytes(text), "appsettings.json");
            ConfigReadResult read = ConfigFile.Parse(Encoding.UTF8.GetBytes(result.Text!), "lb.json");
            Assert.That(read.Problems.Where(problem => problem.Message.Contains("JSON", StringComparison.Ordinal) || problem.Message.Contains("unknown key", StringComparison.Ordinal) || problem.Message.Contains("twice", StringComparison.Ordinal)), Is.Empty, $"seed {seed}\n{text}\n{result.Text}");
        }
    }

    [Test]
    public void ADestinationHasTheTimeThatYarpGivesIt()
    {
        Core.Configuration.ClusterConfig cluster = One(""" "ClusterId": "c", "Match": {} """, "").Config.Clusters["c"];
        Assert.That((cluster.ResponseHeadTimeout, cluster.IdleTimeout), Is.EqualTo((TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(100))));
    }

    [Test]
    public void APassword_IsToldOf()
    {
        const string Text = """
            { "Kestrel": { "Endpoints": { "S": { "Url": "https://*:443", "Certificate": { "Path": "a.pfx",
                "Password": "secret" } } } },
              "ReverseProxy": { } }
            """;
        ConversionResult result = YarpConverter.Convert(Encoding.UTF8.GetBytes(Text), "appsettings.json");
        Assert.That(result.HasPassword, Is.True);
        Assert.That(result.Findings.Single().ToString(), Does.StartWith("appsettings.json:2: Kestrel:Endpoints:S:Certificate:Password: ").And.Not.Contain("secret"));
    }

    // Of one route "r" and one cluster "c"; the route's members begin on line 2.
    private static Converted One(string route, string cluster) =>
        Converted.Yarp($$"""
            { "ReverseProxy": { "Clusters": { "c": { "Destinations": { "d": { "Address": "http://h:1" } }{{cluster}} } }, "Routes": { "r": {
            {{route}}
            } } } }
            """);
}
