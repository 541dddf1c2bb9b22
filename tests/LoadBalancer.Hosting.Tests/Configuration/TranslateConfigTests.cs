using System.Text;
using LoadBalancer.Gateway.Versioning;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

[TestFixture]
public sealed class TranslateConfigTests
{
    private static ConfigReadResult Parse(string translate) => ConfigFile.Parse(Encoding.UTF8.GetBytes($$"""
        { "listeners": { "web": { "address": ":80" } }, "clusters": { "app": { "destinations": { "a": "localhost:1" } } },
          "policies": { "v1": { "translate": {{translate}} } }, "routes": { "a": { "cluster": "app", "policies": "v1" } } }
        """), "/etc/lb/lb.json");

    [Test]
    public void EveryValueIsRead()
    {
        ConfigReadResult result = Parse("""
            { "map": { "routes": [{ "v1": "GET /a", "v2": "GET /b", "query": [{ "v2": "x", "constant": 1.50 }, { "v2": "y", "constant": true }, { "v2": "z", "constant": "${not a variable}" }] }] }, "direction": "v2-to-v1", "etagSuffix": "-1", "bodyBytesMax": "2MiB", "depthMax": 10,
              "refuseCompressed": true, "refuseOtherContent": true, "deprecated": "2026-06-30", "sunset": "2027-06-30T12:00:00+02:00", "deprecationLink": "/why", "sunsetLink": "/when", "successorLink": "/v2" }
            """);
        Assert.That(result.Problems, Is.Empty);
        var config = (TranslateConfig)result.Config!.Policies["v1"];
        Assert.Multiple(() =>
        {
            Assert.That(Encoding.UTF8.GetString(config.Inline!.Value.Span), Does.Contain("1.50").And.Contain("${not a variable}"));
            Assert.That((config.Map, config.Direction, config.ETagSuffix, config.BodyBytesMax, config.DepthMax), Is.EqualTo(((string?)null, TranslateDirection.V2ToV1, "-1", 2 << 20, 10)));
            Assert.That((config.RefusesCompressed, config.RefusesOtherContent), Is.EqualTo((true, true)));
            Assert.That((config.Deprecated, config.Sunset), Is.EqualTo(((DateTimeOffset?)new DateTimeOffset(2026, 6, 30, 0, 0, 0, TimeSpan.Zero), (DateTimeOffset?)new DateTimeOffset(2027, 6, 30, 10, 0, 0, TimeSpan.Zero))));
            Assert.That((config.DeprecationLink, config.SunsetLink, config.SuccessorLink), Is.EqualTo(("/why", "/when", "/v2")));
        });
    }

    [TestCase("\"v1-v2.json\"", "policies.v1.translate.map", "\"/etc/lb/v1-v2.json\" does not exist")]
    [TestCase("{}", "policies.v1.translate", "the key \"map\" is missing")]
    [TestCase("{ \"map\": 5 }", "policies.v1.translate.map", "expected the file of a map, or the map itself, found the number 5")]
    [TestCase("{ \"map\": { \"routes\": [{ \"v1\": \"GET /a\", \"v2\": \"GET\" }] } }", "policies.v1.translate.map.routes[0].v2", "has no path")]
    [TestCase("{ \"map\": { \"routes\": [] }, \"sunset\": \"soon\" }", "policies.v1.translate.sunset", "expected a date such as \"2026-11-29\"")]
    [TestCase("{ \"map\": { \"routes\": [] }, \"depthMax\": 0 }", "policies.v1.translate.depthMax", "out of range")]
    public void ProblemsHaveTheirPlace(string translate, string path, string message)
    {
        ConfigReadResult result = Parse(translate);
        Assert.That(result.Problems.Select(p => (p.Path, p.Message)), Has.Some.Matches<(string Path, string Message)>(p => p.Path == path && p.Message.Contains(message, StringComparison.Ordinal)), string.Join('\n', result.Problems));
    }
}
