using System.Text;
using System.Text.Json;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.AccessLog.Tests;

[TestFixture]
public sealed class FormatTests
{
    private static readonly byte[][] Hostile =
    [
        "/\"quoted\\\""u8.ToArray(), "/a\r\n{\"status\":200}\n"u8.ToArray(), [(byte)'/', 0, 1, 0x1B, (byte)'[', 0x7F], [(byte)'/', 0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80], [0xC2, 0x85, 0xE2, 0x80, 0xA8], "/ü€😀"u8.ToArray(),
    ];

    [TestCaseSource(nameof(Hostile))]
    public void Json_HostileTarget_IsOneValidObject(byte[] target)
    {
        string line = Records.Line(new AccessLogConfig(), Records.Make(target, subject: Encoding.Latin1.GetString(target)));

        Assert.That(line.AsSpan().Count('\n'), Is.EqualTo(1));
        Assert.That(line.TrimEnd('\n').Any(char.IsControl), Is.False);
        using JsonDocument document = JsonDocument.Parse(line);
        Assert.That(document.RootElement.GetProperty("target").GetString(), Is.EqualTo(Encoding.UTF8.GetString(target)));
        Assert.That(document.RootElement.GetProperty("subject").GetString(), Is.EqualTo(Encoding.Latin1.GetString(target)));
    }

    [TestCaseSource(nameof(Hostile))]
    public void Combined_HostileTarget_IsOneLineWithFourQuotedParts(byte[] target)
    {
        string line = Records.Line(new AccessLogConfig { Format = AccessLogFormat.Combined }, Records.Make(target, subject: "eve [x] \"\n"));

        Assert.That(line.TrimEnd('\n').All(c => c is >= ' ' and <= '~'), Is.True);
        Assert.That(line.Count(c => c == '"'), Is.EqualTo(6));
        Assert.That(line, Does.StartWith("192.0.2.1 - eve\\x20[x]\\x20\\x22\\x0a [04/Mar/2026:05:06:07 +0000] \"GET "));
    }

    [TestCase("{client} {method} {target} {status} {end}", "192.0.2.1 GET /x 200 Completed\n")]
    [TestCase("{{{status}}} {subject} {cache} {rejection}", "{200} - - -\n")]
    [TestCase("{total_us}us {response_bytes}b {connect_us}", "3000us 42b -\n")]
    [TestCase("{time}", "2026-03-04T05:06:07.0000000Z\n")]
    public void Template_Variables(string template, string expected) =>
        Assert.That(Records.Line(new AccessLogConfig { Format = AccessLogFormat.Template, Template = template }, Records.Make()), Is.EqualTo(expected));

    [Test]
    public void Combined_IsAsApacheAndNginxWriteIt()
    {
        CompletionRecord record = Records.Make("/a?b=c"u8.ToArray(), subject: "me");
        record.Referer = "https://h/x?token=s3cret&y=1"u8.ToArray();
        record.UserAgent = "curl/8 (\"x\")"u8.ToArray();
        Assert.That(Records.Line(new AccessLogConfig { Format = AccessLogFormat.Combined }, record), Is.EqualTo(
            "192.0.2.1 - me [04/Mar/2026:05:06:07 +0000] \"GET /a?b=c HTTP/1.1\" 200 42 \"https://h/x?token=***&y=1\" \"curl/8 (\\x22x\\x22)\"\n"));
        record.Referer = record.UserAgent = default;
        Assert.That(Records.Line(new AccessLogConfig { Format = AccessLogFormat.Combined }, record), Does.EndWith("\"GET /a?b=c HTTP/1.1\" 200 42 \"-\" \"-\"\n"));
    }

    [Test]
    public void Json_TellsOfIdTlsPoliciesLimitAndAttempts()
    {
        CompletionRecord record = Records.Make();
        record.SetId("id-1"u8);
        record.SetTraceId("4bf92f3577b34da6a3ce929d0e0e4736"u8);
        record.Tls = new TlsSummary("TLSv1.3", "TLS_AES_128_GCM_SHA256", "a.test");
        record.Policies = ["jwt", "acl"];
        record.Balance = "round-robin";
        record.Limit = LimitOutcome.Allowed;
        record.EndAttempt(record.BeginAttempt("a", AttemptCause.First, 10), EndReason.UpstreamClosed, 0, reused: true, new Balancing.PickOutcome(Balancing.PickOutcomeKind.Cancelled, 0, -1, 20));
        record.EndAttempt(record.BeginAttempt("b", AttemptCause.Hedge, 40), EndReason.None, 0, reused: false, new Balancing.PickOutcome(Balancing.PickOutcomeKind.Cancelled, 30, -1, 50));
        string line = Records.Line(new AccessLogConfig(), record);
        using JsonDocument document = JsonDocument.Parse(line);
        Assert.That(line, Does.Contain("\"id\":\"id-1\",\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
        Assert.That(line, Does.Contain("\"policies\":[\"jwt\",\"acl\"],\"cluster\":\"app\",\"balance\":\"round-robin\""));
        Assert.That(line, Does.Contain("\"tls\":\"TLSv1.3\",\"cipher\":\"TLS_AES_128_GCM_SHA256\",\"serverName\":\"a.test\",\"protocol\":\"HTTP/1.1\""));
        Assert.That(line, Does.Contain("\"limit\":\"Allowed\""));
        Assert.That(document.RootElement.GetProperty("tries").GetRawText(), Is.EqualTo("[{\"destination\":\"a\",\"cause\":\"First\",\"end\":\"UpstreamClosed\",\"reused\":true,\"startUs\":1,\"connectUs\":0,\"totalUs\":2},"
            + "{\"destination\":\"b\",\"cause\":\"Hedge\",\"end\":\"Cancelled\",\"reused\":false,\"startUs\":4,\"connectUs\":3,\"totalUs\":5}]"));
    }

    // The cache has answered in the place of a destination that was away.
    [TestCase(EndReason.Cached, 200, EndReason.UpstreamConnectFailed, 0, true)]
    [TestCase(EndReason.Completed, 403, EndReason.Completed, 200, true)]
    [TestCase(EndReason.Completed, 200, EndReason.Completed, 200, false)]
    [TestCase(EndReason.UpstreamConnectFailed, 502, EndReason.UpstreamConnectFailed, 0, false)]
    public void Attempts_OfOneThatEndedOtherwiseThanTheRequest_AreTold(EndReason end, int status, EndReason attemptEnd, int attemptStatus, bool isTold)
    {
        CompletionRecord record = Records.Make(status: status);
        record.Reason = end;
        record.EndAttempt(record.BeginAttempt("a", AttemptCause.First, 10), attemptEnd, attemptStatus, reused: false, default);
        Assert.That(Records.Line(new AccessLogConfig(), record), isTold ? Does.Contain($"\"tries\":[{{\"destination\":\"a\",\"cause\":\"First\",\"end\":\"{attemptEnd}\"") : Does.Not.Contain("tries"));
    }

    [Test]
    public void Attempts_BeyondTheMost_AreLeftOut()
    {
        CompletionRecord record = Records.Make();
        for (int i = 0; i < CompletionRecord.AttemptsMax + 3; i++) record.EndAttempt(record.BeginAttempt("a", AttemptCause.Retry, 0), EndReason.UpstreamClosed, 0, false, default);
        Assert.That(record.AttemptRecords.Length, Is.EqualTo(CompletionRecord.AttemptsMax));
    }

    [TestCase("{nothing}", "unknown variable \"nothing\"")]
    [TestCase("{status", "without its")]
    [TestCase("a\nb", "one line")]
    [TestCase("", "empty")]
    public void Template_Wrong_SaysWhy(string template, string expected)
    {
        Assert.That(AccessLogTemplate.Parse(template, out string? problem), Is.Null);
        Assert.That(problem, Does.Contain(expected));
    }

    [TestCase("/x?a=1&token=s3cret&b=2", "/x?a=1&token=***&b=2")]
    [TestCase("/x?TOKEN=s3cret", "/x?TOKEN=***")]
    [TestCase("/x?%74oken=s3cret", "/x?%74oken=***")]
    [TestCase("/x?a=1;key=s3;cret&b=2", "/x?a=1;key=***&b=2")]
    [TestCase("/x?mail=s3cret", "/x?mail=***")]
    [TestCase("/x?tokens=1&&=", "/x?tokens=1&&=")]
    public void Target_Secrets_AreNotWritten(string target, string expected) => Assert.That(
        Records.Line(new AccessLogConfig { Format = AccessLogFormat.Template, Template = "{target}", Redact = ["mail"] }, Records.Make(Encoding.ASCII.GetBytes(target))), Is.EqualTo(expected + "\n"));

    [Test]
    public void Json_FieldWithASecretName_IsNotWritten()
    {
        CompletionRecord record = Records.Make();
        record.Fields = [new("Authorization", "s3cret"), new("tenant", "a\"b")];
        using JsonDocument document = JsonDocument.Parse(Records.Line(new AccessLogConfig(), record));
        JsonElement fields = document.RootElement.GetProperty("fields");
        Assert.That(fields.GetProperty("Authorization").GetString(), Is.EqualTo("***"));
        Assert.That(fields.GetProperty("tenant").GetString(), Is.EqualTo("a\"b"));
    }
}
