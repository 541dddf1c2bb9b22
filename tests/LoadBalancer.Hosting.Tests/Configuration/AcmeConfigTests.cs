using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>The keys of ACME in a file: what they are read as, and what is wrong.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AcmeConfigTests
{
    private const string Routes = "\"routes\": { \"all\": { \"respond\": { \"status\": 200 } } }";

    [Test]
    public void TheCommonCaseIsOneLineAndTheAgreement()
    {
        ConfigReadResult result = Read("\"example.com\"", "{ \"agreeToTerms\": true }");
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Listeners["web"].Tls!.Acme, Is.EqualTo(new[] { "example.com" }));
        Assert.That(result.Config.Acme, Is.EqualTo(new AcmeConfig { AgreeToTerms = true, Contact = result.Config.Acme!.Contact, Storage = "/etc/lb/acme" }));
    }

    [Test]
    public void EveryKeyIsRead()
    {
        ConfigReadResult result = Read("[\"example.com\", \"www.example.com\"]", """
            { "agreeToTerms": true, "contact": "admin@example.com", "directory": "https://ca.internal/dir", "storage": "certs", "challenge": "tls-alpn-01", "key": "rsa", "renewBefore": "20d",
              "externalAccount": { "keyId": "kid", "macKey": "AAAAAAAAAAAAAAAAAAAAAA" } }
            """);
        Assert.That(result.Problems, Is.Empty);
        AcmeConfig acme = result.Config!.Acme!;
        Assert.That((acme.AgreeToTerms, acme.Contact.Single(), acme.Directory, acme.Storage, acme.Challenge, acme.Key, acme.RenewBefore, acme.ExternalAccount),
            Is.EqualTo((true, "admin@example.com", "https://ca.internal/dir", "/etc/lb/certs", AcmeChallenge.TlsAlpn01, AcmeKeyKind.Rsa, TimeSpan.FromDays(20), new ExternalAccountConfig { KeyId = "kid", MacKey = "AAAAAAAAAAAAAAAAAAAAAA" })));
        Assert.That($"{acme}", Does.Not.Contain("AAAAAA"), "a secret is never printed");
    }

    [TestCase("\"example.com\"", null, "listeners.web.tls.acme", "needs the top-level key \"acme\"")]
    [TestCase("\"example.com\"", "{}", "acme.agreeToTerms", "must be true")]
    [TestCase("\"*.example.com\"", "{ \"agreeToTerms\": true }", "listeners.web.tls.acme[0]", "is a wildcard")]
    [TestCase("\"localhost\"", "{ \"agreeToTerms\": true }", "listeners.web.tls.acme[0]", "is no public DNS name")]
    [TestCase("\"192.0.2.1\"", "{ \"agreeToTerms\": true }", "listeners.web.tls.acme[0]", "is no public DNS name")]
    [TestCase("[\"a.test\", \"../b.test\"]", "{ \"agreeToTerms\": true }", "listeners.web.tls.acme[1]", "is no public DNS name")]
    [TestCase("[\"a.test\", \"A.test\"]", "{ \"agreeToTerms\": true }", "listeners.web.tls.acme[1]", "stands there twice")]
    [TestCase("[]", null, "listeners.web.tls.certificates", "or names in \"acme\"")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"directory\": \"http://ca.test/dir\" }", "acme.directory", "is no URL of a directory")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"contact\": [\"a@b.test\", \"mailto:a@b\"] }", "acme.contact[1]", "is no mail address")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"storage\": \"\" }", "acme.storage", "is empty")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"renewBefore\": \"400d\" }", "acme.renewBefore", "is out of range; expected 0 (none), or 1m to 365d")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"challenge\": \"http-01\" }", "acme.challenge", "needs a listener without \"tls\"")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"challenge\": \"dns-01\" }", "acme.challenge", "expected")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"trust\": \"nowhere.pem\" }", "acme.trust", "does not exist")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"externalAccount\": { \"keyId\": \"\", \"macKey\": \"AAAAAAAAAAAAAAAAAAAAAA\" } }", "acme.externalAccount.keyId", "is empty")]
    [TestCase("\"a.test\"", "{ \"agreeToTerms\": true, \"externalAccount\": { \"keyId\": \"k\", \"macKey\": \"AAAA\" } }", "acme.externalAccount.macKey", "is no key in base64url")]
    public void AFaultHasItsPlaceAndAFix(string names, string? acme, string path, string expected)
    {
        ConfigReadResult result = Read(names, acme);
        Assert.That(result.Problems.Select(problem => problem.Path), Is.EqualTo(new[] { path }), string.Join('\n', result.Problems));
        Assert.That(result.Problems[0].Message, Does.Contain(expected));
    }

    [Test]
    public void AnAuthorityThatNobodyWantsAnythingOfIsAFault()
    {
        ConfigReadResult result = Parse($$"""{ "listeners": { "web": { "address": ":80" } }, {{Routes}}, "acme": { "agreeToTerms": true } }""");
        Assert.That(result.Problems.Single().Message, Does.StartWith("has no effect"));
    }

    [TestCase("\"web\": { \"address\": \":443\", \"tls\": { \"acme\": \"a.test\", \"httpsOnly\": \":80\" } }", true)]
    [TestCase("\"web\": { \"address\": \":443\", \"tls\": { \"acme\": \"a.test\" } }, \"db\": { \"address\": \":5432\", \"tcp\": \"db\" }", false, Description = "no HTTP there")]
    public void WhereHttp01IsAnswered(string listeners, bool isTaken)
    {
        ConfigReadResult result = Parse($$"""
            { "listeners": { {{listeners}} }, "clusters": { "db": { "destinations": { "a": "127.0.0.1:5433" } } }, {{Routes}}, "acme": { "agreeToTerms": true, "challenge": "http-01" } }
            """);
        Assert.That(result.Problems.Select(problem => problem.Path), Is.EqualTo(isTaken ? Array.Empty<string>() : ["acme.challenge"]), string.Join('\n', result.Problems));
    }

    private static ConfigReadResult Read(string names, string? acme) =>
        Parse($$"""{ "listeners": { "web": { "address": ":443", "tls": { "acme": {{names}} } } }, {{Routes}}{{(acme is null ? "" : $", \"acme\": {acme}")}} }""");

    private static ConfigReadResult Parse(string text) => ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "/etc/lb/lb.json");
}
