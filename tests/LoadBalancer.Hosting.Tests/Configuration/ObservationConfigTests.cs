using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>"accessLog", "requestId", "recentRequests", "tracing" and "logBody": what is read, and what is said about what is wrong.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ObservationConfigTests
{
    private static ConfigReadResult Parse(string settings, string route = "") => ConfigFile.Parse(Encoding.UTF8.GetBytes($$"""
        { "listeners": { "web": { "address": ":80" } }, "routes": { "all": { "cluster": "app"{{route}} } }, "clusters": { "app": { "destinations": { "a": "h:1" } } }, {{settings}} }
        """), "/etc/lb/f");

    private static string Problem(string settings, string route = "") => Parse(settings, route).Problems.Single().ToString();

    [Test]
    public void AccessLog_EveryKey_IsRead()
    {
        AccessLogConfig log = Parse("""
            "accessLog": { "format": "template", "template": "{id} {protocol} {user_agent}", "path": "access.log", "rotateSize": "100MB", "rotateDaily": true, "keep": 3, "sampleOneIn": 10,
              "statusMin": 500, "slowerThan": "1s", "redact": ["email", "card"], "bufferBytes": "256KiB" }
            """).Config!.AccessLog!;
        Assert.That((log.Format, log.Template, log.Path, log.RotateSize, log.RotateDaily, log.Keep, log.SampleOneIn), Is.EqualTo(
            (AccessLogFormat.Template, "{id} {protocol} {user_agent}", "/etc/lb/access.log", 100_000_000L, true, 3, 10)));
        Assert.That((log.StatusMin, log.SlowerThan, log.BufferBytes), Is.EqualTo((500, TimeSpan.FromSeconds(1), 256 << 10)));
        Assert.That(log.Redact, Is.EqualTo(new[] { "email", "card" }));
        Assert.That(Parse("\"accessLog\": \"syslog:/dev/log\"").Config!.AccessLog!.Path, Is.EqualTo("syslog:/dev/log"));
    }

    [TestCase("\"accessLog\": { \"keep\": 3 }", "accessLog.keep: has no effect but on a file")]
    [TestCase("\"accessLog\": { \"path\": \"a.log\", \"keep\": 3 }", "accessLog.keep: has no effect without \"rotateSize\" or \"rotateDaily\"")]
    [TestCase("\"accessLog\": { \"rotateDaily\": true }", "accessLog.rotateDaily: has no effect but on a file")]
    [TestCase("\"accessLog\": { \"template\": \"{id}\" }", "accessLog.template: has no effect without \"format\": \"template\"")]
    [TestCase("\"accessLog\": { \"path\": \"syslog:here\" }", "accessLog.path: is no syslog; expected \"syslog:/dev/log\" or an address with its port, \"syslog:127.0.0.1:514\"")]
    [TestCase("\"accessLog\": { \"sampleOneIn\": 0 }", "accessLog.sampleOneIn: 0 is out of range; expected 1 to 1000000")]
    [TestCase("\"requestId\": \"Host\"", "\"Host\" has a meaning of its own; expected a name such as \"X-Request-Id\"")]
    [TestCase("\"requestId\": { \"header\": \"a b\" }", "requestId.header: \"a b\" is no name of a header field; expected one such as \"X-Request-Id\"")]
    [TestCase("\"requestId\": { \"accept\": \"allways\" }", "requestId.accept: \"allways\" is unknown; did you mean \"always\"?")]
    [TestCase("\"recentRequests\": -1", "recentRequests: -1 is out of range; expected 0 to 65536")]
    [TestCase("\"tracing\": \"localhost:4318\"", "\"localhost:4318\" is no URL; expected one such as \"http://127.0.0.1:4318/v1/traces\"")]
    [TestCase("\"tracing\": { \"endpoint\": \"http://h\", \"sampleRatio\": 2 }", "tracing.sampleRatio: is out of range; expected 0 to 1")]
    [TestCase("\"tracing\": { \"endpoint\": \"http://h\", \"sampleRatio\": \"half\" }", "tracing.sampleRatio: expected a number from 0 to 1, found the string \"half\"")]
    [TestCase("\"tracing\": { \"endpoint\": \"http://h\", \"headers\": { \"X-Key\": \"a,b\" } }", "the value has a comma, which the exporter cannot send")]
    public void Wrong_SaysWhy(string settings, string expected) => Assert.That(Problem(settings), Does.EndWith(expected));

    [TestCase("", "routes.all.logBody: has no effect without an \"accessLog\"")]
    [TestCase("\"accessLog\": { \"format\": \"combined\" }", "routes.all.logBody: has no effect but with the \"json\" format of \"accessLog\"")]
    public void LogBody_WithoutEffect_SaysWhy(string settings, string expected) => Assert.That(Problem(settings.Length > 0 ? settings : "\"drainTimeout\": \"1s\"", ", \"logBody\": {}"), Does.EndWith(expected));

    [Test]
    public void Log_OfARoute_IsRead()
    {
        Assert.That(Parse("\"accessLog\": {}").Config!.Routes["all"].Log, Is.True);
        Assert.That(Parse("\"accessLog\": {}", ", \"log\": false").Config!.Routes["all"].Log, Is.False);
        Assert.That(Problem("\"accessLog\": {}", ", \"log\": false, \"logBody\": {}"), Does.EndWith("routes.all.logBody: has no effect where \"log\" is false"));
        Assert.That(Problem("\"accessLog\": {}", ", \"access_log\": false"), Does.Contain("\"log\""));
    }

    [Test]
    public void LogBody_OutOfRange_SaysSo() =>
        Assert.That(Problem("\"accessLog\": {}", ", \"logBody\": { \"requestBytes\": \"1MB\" }"), Does.EndWith("routes.all.logBody.requestBytes: 1000000 is out of range; expected 0 to 16384"));

    [Test]
    public void TheOthers_AreRead()
    {
        ProxyConfig config = Parse("""
            "accessLog": {}, "requestId": { "header": "X-Correlation-Id", "accept": "always", "respond": false }, "recentRequests": 0,
            "tracing": { "endpoint": "https://otel.test/v1/traces", "sampleRatio": 0.25, "serviceName": "edge", "headers": { "X-Key": "secret" } }
            """, ", \"logBody\": { \"requestBytes\": 0, \"responseBytes\": \"2KiB\", \"redact\": \"card\" }").Config!;
        Assert.That(config.RequestId, Is.EqualTo(new RequestIdConfig { Header = "X-Correlation-Id", Accept = RequestIdAcceptance.Always, Respond = false }));
        Assert.That(config.RecentRequests, Is.Zero);
        Assert.That((config.Tracing!.Endpoint, config.Tracing.SampleRatio, config.Tracing.ServiceName, config.Tracing.Headers["X-Key"]), Is.EqualTo(("https://otel.test/v1/traces", 0.25, "edge", "secret")));
        BodyLogConfig body = config.Routes["all"].LogBody!;
        Assert.That((body.RequestBytes, body.ResponseBytes, body.Redact.Single()), Is.EqualTo((0, 2048, "card")));
        Assert.That(Parse("\"requestId\": \"X-Id\", \"tracing\": \"http://h/\"").Config is { RequestId.Header: "X-Id", Tracing.Endpoint: "http://h/" }, Is.True);
    }
}
