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
