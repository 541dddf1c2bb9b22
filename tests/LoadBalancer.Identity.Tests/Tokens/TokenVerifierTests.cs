using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;
using static LoadBalancer.Identity.Tests.TestKeys;
using static LoadBalancer.Identity.Tests.Tokens.TokenFixture;

namespace LoadBalancer.Identity.Tests.Tokens;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class TokenVerifierTests
{
    private static string JwkOf(string algorithm) => algorithm switch
    {
        "ES256" => Jwk("k", P256, "P-256"),
        "ES384" => Jwk("k", P384, "P-384"),
        "ES512" => Jwk("k", P521, "P-521"),
        "EdDSA" => EdwardsJwk("k"),
        _ when algorithm[0] == 'H' => SecretJwk("k", Secret, $$""","alg":"{{algorithm}}" """),
        _ => Jwk("k", Rsa, $$""","alg":"{{algorithm}}","use":"sig" """),
    };

    [Test]
    public void Verify_EachAlgorithm_IsVerified([ValueSource(typeof(SignatureAlgorithmNames), nameof(SignatureAlgorithmNames.All))] string algorithm)
    {
        using TokenVerifier verifier = Verifier(Options(JwkOf(algorithm)));
        VerificationResult result = verifier.Verify(Token(algorithm, Good));
        Assert.Multiple(() =>
        {
            Assert.That(result.ToString(), Is.EqualTo("jwt:alice@https://issuer.example"));
            Assert.That(result.Principal?.KeyId, Is.EqualTo("k"));
            Assert.That(result.Principal?.ExpiresAtSeconds, Is.EqualTo(Now + 600));
        });
    }

    [Test]
    public void Verify_EachAlgorithmWithEachKey_OnlyThatOfTheKey(
        [ValueSource(typeof(SignatureAlgorithmNames), nameof(SignatureAlgorithmNames.All))] string ofKey, [ValueSource(typeof(SignatureAlgorithmNames), nameof(SignatureAlgorithmNames.All))] string ofToken)
    {
        using TokenVerifier verifier = Verifier(Options(JwkOf(ofKey)));
        Assert.That(verifier.Reason(Token(ofToken, Good)), Is.EqualTo(ofKey == ofToken ? FailureReason.None : FailureReason.AlgorithmNotAllowed));
    }

    [Test]
    public void Verify_KeyWithoutAlg_HasThatOfTheSetting()
    {
        string jwk = Jwk("k", Rsa);
        Assert.Multiple(() =>
        {
            Assert.That(Verifier(Options(jwk)).Reason(Token("RS256", Good)), Is.EqualTo(FailureReason.None));
            Assert.That(Verifier(Options(jwk)).Reason(Token("PS256", Good)), Is.EqualTo(FailureReason.AlgorithmNotAllowed));
            Assert.That(Verifier(Options(SignatureAlgorithms.PS256 | SignatureAlgorithms.PS512, jwk)).Reason(Token("PS512", Good)), Is.EqualTo(FailureReason.None));
            Assert.That(Verifier(Options(SignatureAlgorithms.PS256, jwk)).Reason(Token("RS256", Good)), Is.EqualTo(FailureReason.AlgorithmNotAllowed));
        });
    }

    [Test]
    public void Verify_TokenWithoutKid_TriesKeysThatFit()
    {
        using TokenVerifier verifier = Verifier(Options(Jwk("a", OtherRsa), Jwk("b", P256, "P-256"), Jwk("c", Rsa)));
        Assert.Multiple(() =>
        {
            Assert.That(verifier.Reason(Token("RS256", Good, null)), Is.EqualTo(FailureReason.None));
            Assert.That(verifier.Reason(Token("ES256", Good, null)), Is.EqualTo(FailureReason.None));
            Assert.That(verifier.Reason(Token("RS256", Good, "a")), Is.EqualTo(FailureReason.BadSignature));
            Assert.That(verifier.Reason(Token("RS256", Good, "d")), Is.EqualTo(FailureReason.UnknownKey));
        });
    }

    [TestCase("""{"iss":"https://issuer.example","aud":["x","other"],"exp":1800000600}""", FailureReason.None)]
    [TestCase("""{"iss":"https://issuer.example","aud":"x","exp":1800000600}""", FailureReason.WrongAudience)]
    [TestCase("""{"iss":"https://issuer.example","aud":[],"exp":1800000600}""", FailureReason.WrongAudience)]
    [TestCase("""{"iss":"https://issuer.example","exp":1800000600}""", FailureReason.WrongAudience)]
    [TestCase("""{"iss":"https://issuer.example","aud":["api",1],"exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":{"api":"api"},"exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"API","exp":1800000600}""", FailureReason.WrongAudience)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api"}""", FailureReason.NoExpiry)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1799999941}""", FailureReason.None)] // within the skew
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1799999940}""", FailureReason.Expired)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600.9}""", FailureReason.None)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1.8000006e9}""", FailureReason.None)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":"1800000600"}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":-1}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":0}""", FailureReason.Expired)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1e999}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":9223372036854775807}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":99999999999999999999999}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":null}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":true}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":[1800000600]}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"\u0065xp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"nbf":1800000060}""", FailureReason.None)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"nbf":1800000061}""", FailureReason.NotYetValid)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"nbf":"1"}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"iat":1800000060}""", FailureReason.None)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"iat":1800000061}""", FailureReason.IssuedInFuture)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"iat":-5}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example/","aud":"api","exp":1800000600}""", FailureReason.UnknownIssuer)]
    [TestCase("""{"iss":"HTTPS://issuer.example","aud":"api","exp":1800000600}""", FailureReason.UnknownIssuer)]
    [TestCase("""{"iss":["https://issuer.example"],"aud":"api","exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"aud":"api","exp":1800000600}""", FailureReason.UnknownIssuer)]
    [TestCase("""{"iss":"https://issuer.example","sub":7,"aud":"api","exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","jti":null,"aud":"api","exp":1800000600}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"a":{"b":1,"b":2}}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"a":[{"b":1,"b":2}]}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,"a":"\ud800"}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600} {}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600,}""", FailureReason.ClaimsMalformed)]
    [TestCase("""{"iss":"https://issuer.example","aud":"api","exp":1800000600/**/}""", FailureReason.ClaimsMalformed)]
    [TestCase("""["iss"]""", FailureReason.ClaimsMalformed)]
    [TestCase("""null""", FailureReason.ClaimsMalformed)]
    [TestCase("", FailureReason.ClaimsMalformed)]
    public void Verify_Claims(string claims, FailureReason expected)
    {
        using TokenVerifier verifier = Verifier(Options(Jwk("k", P256, "P-256")));
        Assert.That(verifier.Reason(Token("ES256", claims)), Is.EqualTo(expected));
    }

    [TestCase("scope", "", FailureReason.None)]
    [TestCase("scope", "read", FailureReason.None)]
    [TestCase("scope", "write", FailureReason.ClaimDiffers)]
    [TestCase("realm_access.roles", "admin", FailureReason.None)]
    [TestCase("realm_access.roles", "root", FailureReason.ClaimDiffers)]
    [TestCase("realm_access.groups", "", FailureReason.ClaimMissing)]
    [TestCase("none", "", FailureReason.ClaimMissing)]
    [TestCase("verified", "true", FailureReason.None)]
    [TestCase("level", "3", FailureReason.None)]
    public void Verify_RequiredClaim(string name, string value, FailureReason expected)
    {
        TokenIssuer issuer = Options(Jwk("k", P256, "P-256")) with { Required = [new RequiredClaim(name, value.Length == 0 ? [] : [value, "else"])] };
        string token = Token("ES256", Good[..^1] + ""","scope":"read","realm_access":{"roles":["user","admin"]},"none":null,"verified":true,"level":3}""");
        VerificationResult result = Verifier(issuer).Verify(token);
        Assert.That((result.Reason, result.Detail), Is.EqualTo((expected, expected == FailureReason.None ? null : name)));
    }

    [TestCase("""{"alg":"ES256","kid":"k"}""", "", FailureReason.None)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":"jwt"}""", "", FailureReason.None)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":"application/at+JWT"}""", "", FailureReason.None)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":"dpop+jwt"}""", "", FailureReason.WrongType)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":""}""", "", FailureReason.WrongType)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":"at+jwt"}""", "at+jwt", FailureReason.None)]
    [TestCase("""{"alg":"ES256","kid":"k","typ":"JWT"}""", "at+jwt", FailureReason.WrongType)]
    [TestCase("""{"alg":"ES256","kid":"k"}""", "at+jwt", FailureReason.WrongType)]
    public void Verify_Type(string header, string accepted, FailureReason expected)
    {
        TokenIssuer issuer = Options(Jwk("k", P256, "P-256")) with { Types = accepted.Length == 0 ? [] : [accepted] };
        Assert.That(Verifier(issuer).Reason(Raw(header, Good, "ES256")), Is.EqualTo(expected));
    }

    [Test]
    public void Verify_OfAnyIssuer_ButNotOfOneThatHasAName()
    {
        TokenIssuer any = new() { Keys = new FixedKeys(Set(SignatureAlgorithms.None, Jwk("k", P384, "P-384"))) };
        using TokenVerifier verifier = Verifier(any, Options(Jwk("k", P256, "P-256")));
        Assert.Multiple(() =>
        {
            Assert.That(verifier.Reason(Token("ES384", """{"iss":"whoever","exp":1800000600}""")), Is.EqualTo(FailureReason.None));
            Assert.That(verifier.Reason(Token("ES384", Good)), Is.EqualTo(FailureReason.AlgorithmNotAllowed));
        });
    }

    [Test]
    public void Verify_OlderThanMayBe_Expired()
    {
        TokenIssuer issuer = Options(Jwk("k", P256, "P-256")) with { AgeMax = TimeSpan.FromSeconds(100), RequiresExpiry = false };
        string At(long issued) => Token("ES256", $$"""{"iss":"{{Issuer}}","aud":"api","iat":{{issued}}}""");
        Assert.Multiple(() =>
        {
            Assert.That(Verifier(issuer).Reason(At(Now - 159)), Is.EqualTo(FailureReason.None));
            Assert.That(Verifier(issuer).Reason(At(Now - 160)), Is.EqualTo(FailureReason.Expired));
            Assert.That(Verifier(issuer).Reason(Token("ES256", $$"""{"iss":"{{Issuer}}","aud":"api"}""")), Is.EqualTo(FailureReason.ClaimMissing));
        });
    }
}
