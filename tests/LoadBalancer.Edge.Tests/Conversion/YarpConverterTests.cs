using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Yarp;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What becomes of YARP's section. Every result passes the check.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class YarpConverterTests
{
    [Test]
    public void ClustersAndRoutes()
    {
        (ProxyConfig config, string[] findings) = Convert("""
            {
              // as .NET has it, with comments
              "Kestrel": { "Endpoints": { "Http": { "Url": "http://*:8080" } } },
              "Logging": { "LogLevel": { "Default": "Information" } },
              "ReverseProxy": {
                "Routes": {
                  "api": { "ClusterId": "app", "Match": { "Path": "/api/{**rest}", "Hosts": ["a.example.com"], "Methods": ["get"] }, "Timeout": "00:00:10",
                    "Transforms": [{ "PathRemovePrefix": "/api" }, { "RequestHeader": "X-Env", "Set": "prod" }, { "ResponseHeaderRemove": "Server", "When": "Always" }, { "RequestHeaderOriginalHost": "true" }] },
                  "user": { "clusterId": "other", "match": { "path": "/users/{id:int}" , "Headers": [{ "Name": "X-Version", "Values": ["2"], "Mode": "ExactHeader" }] } },
                },
                "Clusters": {
                  "app": {
                    "LoadBalancingPolicy": "LeastRequests",
                    "Destinations": { "a": { "Address": "https://10.0.0.1:8443/" }, "b": { "Address": "http://app.internal" } },
                    "HealthCheck": { "Active": { "Enabled": true, "Path": "/health", "Interval": "00:00:05" }, "Passive": { "Enabled": true, "ReactivationPeriod": "00:01:00" } },
                    "SessionAffinity": { "Enabled": false },
                    "HttpRequest": { "ActivityTimeout": "00:00:30" },
                  },
                  "other": { "Destinations": { "a": { "Address": "http://10.0.0.3:80" } }, "Metadata": { "team": "x" } },
                }
              }
            }
            """);
        Assert.That(config.Listeners["Http"].Address, Is.EqualTo(":8080"));
        RouteConfig api = config.Routes["api"];
        Assert.That((api.Path, api.Hosts[0], api.Methods[0], api.Cluster, api.Deadline), Is.EqualTo(("/api/**", "a.example.com", "GET", "app", TimeSpan.FromSeconds(10))));
        Assert.That(api.Policies, Is.EqualTo(new[] { "api-path", "api-headers" }));
        Assert.That((config.Routes["user"].Path, config.Routes["user"].Headers["X-Version"]), Is.EqualTo(("/users/{id}", "2")));
        ClusterConfig app = config.Clusters["app"];
        Assert.That((app.Balance, app.Host, app.HealthCheck!.Path, app.HealthCheck.Interval, app.ResponseHeadTimeout), Is.EqualTo(("least-outstanding", "client", "/health", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30))));
        Assert.That((app.Ejection.Enabled, app.Ejection.Duration), Is.EqualTo((true, TimeSpan.FromMinutes(1))));
        Assert.That(app.Destinations.Values.Select(d => d.Address), Is.EqualTo(new[] { "https://10.0.0.1:8443", "app.internal:80" }));
        Assert.That((config.Clusters["other"].Balance, config.Clusters["other"].Host, config.Clusters["other"].Ejection.Enabled), Is.EqualTo(("power-of-two", "destination", false)));
        Assert.That(findings, Is.EqualTo(new[] { "6: ReverseProxy:Routes: YARP matches paths without regard to case, lb by case", "9: ReverseProxy:Routes:user:Match:Path: the constraint of {id:int} is left out: any segment matches", "19: ReverseProxy:Clusters:other:Metadata: left out" }));
    }

    [Test]
    public void WhatLbHasNot_IsListedWithItsLine()
    {
        (ProxyConfig config, string[] findings) = Convert("""
            {
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "c", "Match": { "Path": "{**all}",
                  "QueryParameters": [{ "Name": "a" }] },
                  "Order": 5,
                  "AuthorizationPolicy": "admin",
                  "Transforms": [{ "PathSet": "/x" }] } },
                "Clusters": { "c": { "Destinations": { "a": { "Address": "http://h:1" } },
                  "LoadBalancingPolicy": "Mine",
                  "SessionAffinity": { "Enabled": true, "Policy": "CustomHeader", "AffinityKeyName": "X" } } }
              }
            }
            """);
        Assert.That(config.Listeners["web"].Address, Is.EqualTo("localhost:5000"));
        Assert.That(config.Routes["all"].Path, Is.EqualTo("/**"));
        Assert.That(findings.Select(finding => finding.Split(':')[0]).Distinct(), Is.EqualTo(new[] { "4", "5", "6", "7", "9", "10" }));
    }

    [TestCase("", "JSON")]
    [TestCase("[]", "no JSON object")]
    [TestCase("{}", "ReverseProxy")]
    [TestCase("{ \"ReverseProxy\": }", "JSON")]
    public void WhatIsNone_IsToldOf(string text, string message)
    {
        ConversionResult result = YarpConverter.Convert(Encoding.UTF8.GetBytes(text), "appsettings.json");
        Assert.That(result.Text, Is.Null);
        Assert.That(result.Findings.Single().Message, Does.Contain(message));
    }

    [TestCase("http://*:80", ":80")]
    [TestCase("http://localhost:5000", "localhost:5000")]
    [TestCase("http://[::]:8080", ":8080")]
    [TestCase("http://0.0.0.0", "0.0.0.0:80")]
    [TestCase("http://unix:/run/x.sock", "unix:/run/x.sock")]
    [TestCase("nothing", null)]
    public void AnAddressOfKestrel_IsOneOfLb(string url, string? address) => Assert.That(YarpListeners.Address(url), Is.EqualTo(address));

    private static (ProxyConfig Config, string[] Findings) Convert(string text)
    {
        ConversionResult result = YarpConverter.Convert(Encoding.UTF8.GetBytes(text), "appsettings.json");
        ConfigReadResult read = ConfigFile.Parse(Encoding.UTF8.GetBytes(result.Text ?? ""), "lb.json");
        Assert.That(read.Problems, Is.Empty, result.Text);
        return (read.Config!, [.. result.Findings.Select(finding => $"{finding.Line}: {finding.Message}")]);
    }
}
