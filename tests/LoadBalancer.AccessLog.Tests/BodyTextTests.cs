using System.Text;
using System.Text.Json;
using LoadBalancer.Core.AccessLog;
using NUnit.Framework;

namespace LoadBalancer.AccessLog.Tests;

/// <summary>What is written of bodies: no secret, wherever the text breaks off, and nothing that ends the line.</summary>
[TestFixture]
public sealed class BodyTextTests
{
    private const string Hidden = "s3cret";

    private static string Write(BodyKind kind, byte[] body, params string[] more)
    {
        var sample = new BodySample();
        sample.Begin(kind, Math.Max(1, body.Length));
        sample.Append(body);
        byte[] buffer = new byte[64 << 10];
        var line = new LineWriter(buffer);
        BodyText.Write(ref line, sample, new Redaction([]), new Redaction(more));
        Assert.That(line.IsOverflown, Is.False);
        string text = Encoding.UTF8.GetString(buffer, 0, line.Length);
        Assert.That(text.Any(char.IsControl), Is.False);
        return JsonDocument.Parse($"\"{text}\"").RootElement.GetString()!;
    }

    private static string Json(string body, params string[] more) => Write(BodyKind.Json, Encoding.UTF8.GetBytes(body), more);

    [TestCase("""{"a":1,"token":"s3cret","b":"x"}""", """{"a":1,"token":"***","b":"x"}""")]
    [TestCase("""{"newPassword" : "s3\"cret" , "b":1}""", """{"newPassword" : "***" , "b":1}""")]
    [TestCase("""{"api_key":123456,"APIKEY":true}""", """{"api_key":"***","APIKEY":"***"}""")]
    [TestCase("""{"secret":{"a":["}",{"b":"s3cret"}]},"c":1}""", """{"secret":"***","c":1}""")]
    [TestCase("""[{"refresh-token":["s3cret","s3cret"]},{"x":"token"}]""", """[{"refresh-token":"***"},{"x":"token"}]""")]
    [TestCase("""{"pass\u0077ord":"s3cret"}""", """{"pass\u0077ord":"***"}""")]
    [TestCase("""{"card":"s3cret"}""", """{"card":"***"}""")]
    [TestCase("""not json "password":s3cret""", """not json "password":"***" """)]
    [TestCase("{\"token\":\"s3cret\"}\n{\"token\":\"s3cret\"}\n", "{\"token\":\"***\"}\n{\"token\":\"***\"}\n")]
    public void Json_ValuesOfSecrets_AreLeftOut(string body, string expected) => Assert.That(Json(body, "card"), Is.EqualTo(expected.TrimEnd(' ')));

    [Test]
    public void Json_BrokenOffAnywhere_ShowsNoSecret()
    {
        const string Body = """{"a":"x","password":"s3cret","b":{"token":[1,"s3cret",{"c":"s3cret"}]},"auth":{"k":"s3cret"},"d":"\\","secret":"s3cret"}""";
        for (int length = 0; length <= Body.Length; length++) Assert.That(Json(Body[..length]), Does.Not.Contain("s3c"), $"{length} bytes");
        Assert.That(Json(Body), Does.Not.Contain(Hidden));
    }

    // One quote that is not escaped turns names into values, and values into names.
    [TestCase("""{"note":"5" tall","password":"s3cret"}""", """{"note":"5"***""")]
    [TestCase("""{"note":"x"5","password":"s3cret"}""", """{"note":"x"***""")]
    [TestCase("""{"note":"5", tall","password":"s3cret"}""", """{"note":"5", tall","***""")]
    [TestCase("""{"note":"5"","password":"s3cret"}""", """{"note":"5"***""")]
    [TestCase("""{"password":"a"s3cret","b":1}""", """{"password":"***"***""")]
    [TestCase("""{"auth":{"k":"a"s3cret}, s3cret","b":1}""", "{\"auth\":\"***\"")]
    [TestCase("""{"auth":{"k":"a"} s3cret"},"b":1}""", """{"auth":"***"***""")]
    public void Json_QuoteThatIsNotEscaped_HidesTheRest(string body, string expected) => Assert.That(Json(body), Is.EqualTo(expected));

    [Test]
    public void Json_RandomBytes_NeitherFailNorEndTheLine()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        ReadOnlySpan<byte> alphabet = "{}[]\":,\\tokenpassword 1\r\n\u0001\u00FF"u8;
        for (int i = 0; i < 3000; i++)
        {
            byte[] body = new byte[random.Next(200)];
            for (int j = 0; j < body.Length; j++) body[j] = random.Next(10) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            Assert.That(() => Write(BodyKind.Json, body), Throws.Nothing, $"seed {Seed}, round {i}");
        }
    }

    [TestCase("a=1&password=s3cret&b=2&%70assword=s3cret", "a=1&password=***&b=2&%70assword=***")]
    [TestCase("card=s3cret", "card=***")]
    [TestCase("old_password=s3cret&newPassword=s3cret&csrf_token=s3cret&api+key=s3cret&a=1", "old_password=***&newPassword=***&csrf_token=***&api+key=***&a=1")]
    [TestCase("user[password]=s3cret&credit_card=s3cret&monkey=1", "user[password]=***&credit_card=***&monkey=1")]
    public void Form_ValuesOfSecrets_AreLeftOut(string body, string expected) => Assert.That(Write(BodyKind.Form, Encoding.ASCII.GetBytes(body), "card", "credit.Card"), Is.EqualTo(expected));

    [Test]
    public void Text_TheLongestThatExpandsMost_LeavesTheLineWhole() => Assert.That(Write(BodyKind.Text, new byte[16 << 10]), Has.Length.InRange(8 << 10, 16 << 10));

    [TestCase("application/json", BodyKind.Json)]
    [TestCase("Application/Problem+JSON; charset=utf-8", BodyKind.Json)]
    [TestCase("application/x-ndjson", BodyKind.Json)]
    [TestCase("application/x-www-form-urlencoded", BodyKind.Form)]
    [TestCase("text/html; charset=x", BodyKind.Text)]
    [TestCase("image/svg+xml", BodyKind.Text)]
    [TestCase("image/png", BodyKind.None)]
    [TestCase("multipart/form-data; boundary=x", BodyKind.None)]
    [TestCase("application/octet-stream", BodyKind.None)]
    [TestCase("json", BodyKind.None)]
    public void KindOf_MediaType(string type, object expected) => Assert.That(BodyLog.KindOf(Encoding.ASCII.GetBytes(type)), Is.EqualTo(expected));
}
