using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;
using static LoadBalancer.Identity.Tests.TestKeys;

namespace LoadBalancer.Identity.Tests.Keys;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class JwksReaderTests
{
    private static string ProblemOf(string json, bool takesSecrets = false)
    {
        Assert.That(new JwksReader(SignatureAlgorithms.None, takesSecrets).TryRead(Encoding.UTF8.GetBytes(json), out _, out string problem), Is.False);
        return problem;
    }

    [Test]
    public void TryRead_SetOfAnIssuer_TakesWhatIsForSignatures()
    {
        string encryption = Jwk("x", OtherRsa, ",\"use\":\"enc\""), operations = Jwk("y", OtherRsa, ",\"key_ops\":[\"encrypt\"]");
        KeySet set = Set(SignatureAlgorithms.None, Jwk("a", Rsa, ",\"x5t\":\"AA\",\"alg\":\"PS256\""), encryption, operations, Jwk("b", P384, "P-384"), EdwardsJwk("c"), """{"kty":"new","kid":"d"}""", "7");
        Assert.That(set.Keys.Select(key => (key.Id, key.Algorithms)), Is.EqualTo(new[] { ("a", SignatureAlgorithms.PS256), ("b", SignatureAlgorithms.ES384), ("c", SignatureAlgorithms.EdDSA) }));
    }

    [Test]
    public void TryRead_SmallRsaKey_LeftOut()
    {
        using RSA small = RSA.Create(1024);
        Assert.That(ProblemOf($$"""{"keys":[{{Jwk("a", small)}}]}"""), Does.Contain("1024 bits"));
        Assert.That(Set(SignatureAlgorithms.None, Jwk("a", small), Jwk("b", Rsa)).Keys, Has.Count.EqualTo(1));
    }

    [TestCase("AQ")]
    [TestCase("AA")]
    [TestCase("Ag")]
    [TestCase("AQAAAAE")]
    [TestCase("")]
    [TestCase("AQAB=")]
    public void TryRead_BadExponent_LeftOut(string exponent) =>
        Assert.That(ProblemOf($$"""{"keys":[{"kty":"RSA","n":"{{StrictBase64Url.Encode(Rsa.ExportParameters(false).Modulus)}}","e":"{{exponent}}"}]}"""), Does.Contain("last is"));

    [Test]
    public void TryRead_PointThatIsNotOnTheCurve_LeftOut()
    {
        byte[] x = P256.ExportParameters(false).Q.X!, y = P256.ExportParameters(false).Q.Y!;
        y[5] ^= 1; // invalid-curve attacks
        Assert.That(ProblemOf($$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{StrictBase64Url.Encode(x)}}","y":"{{StrictBase64Url.Encode(y)}}"}]}"""), Does.Contain("last is"));
        Assert.That(ProblemOf($$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{StrictBase64Url.Encode(new byte[32])}}","y":"{{StrictBase64Url.Encode(new byte[32])}}"}]}"""), Does.Contain("last is"));
        Assert.That(ProblemOf($$"""{"keys":[{"kty":"EC","crv":"P-384","x":"{{StrictBase64Url.Encode(x)}}","y":"{{StrictBase64Url.Encode(x)}}"}]}"""), Does.Contain("length"));
        Assert.That(ProblemOf("""{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}"""), Does.Contain("another curve"));
    }

    [Test]
    public void TryRead_EdwardsPointOfSmallOrder_LeftOut([Values(0, 1)] int first)
    {
        byte[] point = new byte[32];
        point[0] = (byte)first;
        Assert.That(ProblemOf($$"""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"{{StrictBase64Url.Encode(point)}}"}]}"""), Does.Contain("no point of the group"));
    }

    [Test]
    public void TryRead_Secret_OnlyFromWhereItIsSecret()
    {
        Assert.That(ProblemOf($$"""{"keys":[{{SecretJwk("s", Secret)}}]}"""), Does.Contain("everybody can read"));
        Assert.That(ProblemOf($$"""{"keys":[{{SecretJwk("s", Secret[..31])}}]}""", takesSecrets: true), Does.Contain("at least 32"));
        Assert.That(ProblemOf($$"""{"keys":[{{SecretJwk("s", Secret[..32], ",\"alg\":\"HS512\"")}}]}""", takesSecrets: true), Does.Contain("does not fit"));
    }

    [TestCase("RSA", "HS256")]
    [TestCase("RSA", "ES256")]
    [TestCase("EC", "RS256")]
    [TestCase("EC", "ES384")]
    [TestCase("EC", "none")]
    [TestCase("oct", "RS256")]
    public void TryRead_AlgOfAnotherType_LeftOut(string type, string algorithm)
    {
        string more = $$""","alg":"{{algorithm}}" """;
        string jwk = type == "RSA" ? Jwk("k", Rsa, more) : type == "EC" ? Jwk("k", P256, "P-256", more) : SecretJwk("k", Secret, more);
        Assert.That(ProblemOf($$"""{"keys":[{{jwk}}]}""", takesSecrets: true), Does.Contain("does not fit"));
    }

    [TestCase("", "is no JSON")]
    [TestCase("{", "is no JSON")]
    [TestCase("[]", "array \"keys\"")]
    [TestCase("{\"keys\":{}}", "array \"keys\"")]
    [TestCase("{\"keys\":[]}", "has no keys")]
    [TestCase("{\"keys\":[]} x", "is no")]
    [TestCase("<html>", "is no JSON")]
    [TestCase("{\"keys\":[[[[[[[[[[[1]]]]]]]]]]]}", "is no JSON")]
    public void TryRead_NoSet_Refused(string json, string expected) => Assert.That(ProblemOf(json), Does.Contain(expected));

    [Test]
    public void TryRead_TooManyKeys_Refused() =>
        Assert.That(ProblemOf($$"""{"keys":[{{string.Join(',', Enumerable.Repeat("{}", 257))}}]}"""), Does.Contain("more than 256"));

    [Test]
    public void Pem_EachKind_IsRead()
    {
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=x", P256, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        string edwards = "-----BEGIN PUBLIC KEY-----\n" + Convert.ToBase64String([0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00, .. EdwardsPublic]) + "\n-----END PUBLIC KEY-----";
        SignatureAlgorithms Of(string pem) => PemKeys.Read(pem, "k", SignatureAlgorithms.None, out string problem)?.Algorithms ?? throw new FormatException(problem);
        Assert.Multiple(() =>
        {
            Assert.That(Of(Rsa.ExportSubjectPublicKeyInfoPem()), Is.EqualTo(SignatureAlgorithms.RS256));
            Assert.That(Of(Rsa.ExportRSAPublicKeyPem()), Is.EqualTo(SignatureAlgorithms.RS256));
            Assert.That(Of(P521.ExportSubjectPublicKeyInfoPem()), Is.EqualTo(SignatureAlgorithms.ES512));
            Assert.That(Of(certificate.ExportCertificatePem()), Is.EqualTo(SignatureAlgorithms.ES256));
            Assert.That(Of(edwards), Is.EqualTo(SignatureAlgorithms.EdDSA));
            Assert.That(PemKeys.Read(Rsa.ExportPkcs8PrivateKeyPem(), null, SignatureAlgorithms.None, out string problem), Is.Null);
            Assert.That(problem, Does.Contain("private"));
            Assert.That(PemKeys.Read("x", null, SignatureAlgorithms.None, out _), Is.Null);
            Assert.That(PemKeys.Read("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", null, SignatureAlgorithms.None, out _), Is.Null);
        });
    }
}
