using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoadBalancer.Acme.Protocol;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

/// <summary>Signatures, by the key of RFC 7515's example for ES256 (appendix A.3).</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class AccountKeyTests : IDisposable
{
    private const string X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", D = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

    private readonly ECDsa _public = ECDsa.Create(Point(withSecret: false));
    private readonly AccountKey _key = new(ECDsa.Create(Point(withSecret: true)));

    public void Dispose()
    {
        _key.Dispose();
        _public.Dispose();
    }

    [Test]
    public void TheSignatureOfTheRfcIsOneForThisKey()
    {
        const string Input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        const string Signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        Assert.That(IsValid(Input, Signature), Is.True, "the check below is one");
    }

    [Test]
    public void Sign_WithoutAccount_NamesTheKey()
    {
        SignedMessage message = _key.Sign("https://ca.test/new-account", "nonce-1", null, "{}"u8);
        Assert.That(IsValid($"{message.Protected}.{message.Payload}", message.Signature), Is.True);
        Assert.That(Text(message.Payload), Is.EqualTo("{}"));
        JsonElement header = JsonElement.Parse(Text(message.Protected));
        // RFC 8555 §6.2
        Assert.That(header.EnumerateObject().Select(member => member.Name), Is.EquivalentTo(new[] { "alg", "jwk", "nonce", "url" }));
        Assert.That(header.GetProperty("alg").GetString(), Is.EqualTo("ES256"));
        Assert.That(header.GetProperty("jwk").GetRawText(), Is.EqualTo($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}"""));
        Assert.That((header.GetProperty("nonce").GetString(), header.GetProperty("url").GetString()), Is.EqualTo(("nonce-1", "https://ca.test/new-account")));
    }

    [Test]
    public void Sign_WithAccount_NamesTheAccountAndReadsWithAnEmptyPayload()
    {
        SignedMessage message = _key.Sign("https://ca.test/order/1", "nonce-2", "https://ca.test/account/1", []);
        Assert.That(IsValid($"{message.Protected}.{message.Payload}", message.Signature), Is.True);
        Assert.That(message.Payload, Is.Empty); // RFC 8555 §6.3
        Assert.That(Text(message.Protected), Is.EqualTo("""{"alg":"ES256","kid":"https://ca.test/account/1","nonce":"nonce-2","url":"https://ca.test/order/1"}"""));
    }

    [Test]
    public void Bind_SignsTheKeyByTheOtherOne()
    {
        byte[] mac = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        SignedMessage message = _key.Bind("kid-1", mac, "https://ca.test/new-account");
        Assert.That(Text(message.Protected), Is.EqualTo("""{"alg":"HS256","kid":"kid-1","url":"https://ca.test/new-account"}""")); // RFC 8555 §7.3.4: no nonce
        Assert.That(Text(message.Payload), Is.EqualTo($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}"""));
        Assert.That(message.Signature, Is.EqualTo(Base64Url.EncodeToString(HMACSHA256.HashData(mac, Encoding.ASCII.GetBytes($"{message.Protected}.{message.Payload}")))));
    }

    // RFC 7638 over the key above, by openssl dgst -sha256 -binary | basenc --base64url.
    [Test]
    public void Authorize_Token_IsFollowedByTheThumbprint() => Assert.That(_key.Authorize("token"), Is.EqualTo("token.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"));

    [TestCase("")]
    [TestCase("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    public void Import_NoKey_IsRefused(string pem) => Assert.That(() => AccountKey.Import(pem), Throws.InstanceOf<CryptographicException>());

    [Test]
    public void Import_Export_IsTheSameKey()
    {
        using AccountKey again = AccountKey.Import(_key.ExportPem());
        Assert.That(again.Thumbprint, Is.EqualTo(_key.Thumbprint));
    }

    private bool IsValid(string input, string signature) =>
        _public.VerifyData(Encoding.ASCII.GetBytes(input), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static string Text(string base64Url) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(base64Url));

    private static ECParameters Point(bool withSecret) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = Base64Url.DecodeFromChars(X), Y = Base64Url.DecodeFromChars(Y) },
        D = withSecret ? Base64Url.DecodeFromChars(D) : null,
    };
}
