using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;
using static LoadBalancer.Identity.Tests.TestKeys;
using static LoadBalancer.Identity.Tests.Tokens.TokenFixture;

namespace LoadBalancer.Identity.Tests.Tokens;

/// <summary>What has let strangers in elsewhere.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class TokenAttackTests
{
    private static readonly TokenVerifier Verifier = TokenFixture.Verifier(
        Options(Jwk("k", Rsa), Jwk("e", P256, "P-256"), Jwk("p5", P521, "P-521"), EdwardsJwk("o")),
        new TokenIssuer { Name = "https://other.example", Keys = new FixedKeys(Set(SignatureAlgorithms.None, Jwk("k", OtherRsa), SecretJwk("s", Secret))) });

    [TestCase("none")]
    [TestCase("None")]
    [TestCase("NONE")]
    [TestCase("nOnE")]
    [TestCase(" none")]
    [TestCase("none ")]
    [TestCase("")]
    [TestCase("rs256")]
    [TestCase("RS256 ")]
    [TestCase("RS256\\u0000")]
    [TestCase("HS1")]
    [TestCase("RSA1_5")]
    [TestCase("dir")]
    public void AlgNoneOrUnknown_Refused(string algorithm)
    {
        string signed = Encode($$"""{"alg":"{{algorithm}}","kid":"k"}""") + "." + Encode(Good);
        byte[] data = Encoding.ASCII.GetBytes(signed);
        foreach (string signature in (string[])["", StrictBase64Url.Encode(Sign("RS256", data)), StrictBase64Url.Encode(Sign("HS256", data))])
            Assert.That(Verifier.Reason($"{signed}.{signature}"), Is.AnyOf(FailureReason.AlgorithmNone, FailureReason.AlgorithmUnknown));
    }

    [TestCase("""{"alg":null,"kid":"k"}""")]
    [TestCase("""{"alg":["RS256"],"kid":"k"}""")]
    [TestCase("""{"alg":1,"kid":"k"}""")]
    [TestCase("""{"kid":"k"}""")]
    [TestCase("""{"alg":"none","alg":"RS256","kid":"k"}""")]
    [TestCase("""{"alg":"RS256","\u0061lg":"none","kid":"k"}""")]
    [TestCase("""{"alg":"RS256","kid":1}""")]
    [TestCase("""{"alg":"RS256","kid":["k"]}""")]
    [TestCase("""{"alg":"RS256","kid":"k","x":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}}""")]
    [TestCase("""{"alg":"RS256","kid":"k"}{}""")]
    [TestCase("""["RS256"]""")]
    [TestCase("\"RS256\"")]
    [TestCase("")]
    [TestCase("{")]
    public void HeaderMalformed_Refused(string header) => Assert.That(Verifier.Reason(Raw(header, Good, "RS256")), Is.EqualTo(FailureReason.HeaderMalformed));

    [Test]
    public void PublicKeyAsSecret_Refused([Values("HS256", "HS384", "HS512")] string algorithm)
    {
        RSAParameters parameters = Rsa.ExportParameters(false);
        byte[][] secrets =
        [
            Encoding.ASCII.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem() + "\n"), Encoding.ASCII.GetBytes(Rsa.ExportRSAPublicKeyPem()),
            Rsa.ExportSubjectPublicKeyInfo(), Rsa.ExportRSAPublicKey(), parameters.Modulus!, Encoding.ASCII.GetBytes(StrictBase64Url.Encode(parameters.Modulus)),
            Encoding.ASCII.GetBytes(Jwk("k", Rsa)), Jwks(Jwk("k", Rsa)), [],
        ];
        foreach (byte[] secret in secrets)
            Assert.That(Verifier.Reason(Raw($$"""{"alg":"{{algorithm}}","kid":"k"}""", Good, algorithm, secret)), Is.EqualTo(FailureReason.AlgorithmNotAllowed));
    }

    [Test]
    public void PemAsSecret_RefusedInTheConfiguration() =>
        Assert.That(PemKeys.OfSecret(Encoding.ASCII.GetBytes(Rsa.ExportSubjectPublicKeyInfoPem()), null, SignatureAlgorithms.Hmac, out string problem), Is.Null, () => problem);

    [TestCase("../../../../dev/null")]
    [TestCase("/dev/null")]
    [TestCase("k' OR '1'='1")]
    [TestCase("k\\u0000")]
    [TestCase("K")]
    [TestCase("k ")]
    [TestCase("")]
    [TestCase("http://evil.example/key")]
    public void KidWithTricks_IsOnlyAName(string kid)
    {
        Assert.That(Verifier.Reason(Raw($$"""{"alg":"RS256","kid":"{{kid}}"}""", Good, "RS256")), Is.EqualTo(FailureReason.UnknownKey));
        // /dev/null as the key file: an HMAC under nothing.
        Assert.That(Verifier.Reason(Raw($$"""{"alg":"HS256","kid":"{{kid}}"}""", Good, "HS256", Array.Empty<byte>())), Is.EqualTo(FailureReason.UnknownKey));
    }

    [Test]
    public void KidTooLong_Refused() => Assert.That(Verifier.Reason(Raw($$"""{"alg":"RS256","kid":"{{new string('k', 257)}}"}""", Good, "RS256")), Is.EqualTo(FailureReason.HeaderMalformed));

    [TestCase("\"jku\":\"https://evil.example/jwks\"")]
    [TestCase("\"x5u\":\"https://evil.example/cert\"")]
    [TestCase("\"x5c\":[\"AAAA\"]")]
    [TestCase("\"jwk\":")]
    public void KeyInTheHeader_IsNotUsed(string member)
    {
        if (member.EndsWith(':')) member += Jwk("k", OtherRsa);
        string header = $$"""{"alg":"RS256","kid":"k",{{member}}}""";
        Assert.Multiple(() =>
        {
            Assert.That(Verifier.Reason(Raw(header, Good, "RS256", OtherRsa)), Is.EqualTo(FailureReason.BadSignature));
            Assert.That(Verifier.Reason(Raw(header, Good, "RS256")), Is.EqualTo(FailureReason.None));
        });
    }

    [TestCase("""{"alg":"RS256","kid":"k","crit":["exp"],"exp":1}""", FailureReason.CriticalHeader)]
    [TestCase("""{"alg":"RS256","kid":"k","crit":[]}""", FailureReason.CriticalHeader)]
    [TestCase("""{"alg":"RS256","kid":"k","b64":false,"crit":["b64"]}""", FailureReason.CriticalHeader)]
    [TestCase("""{"alg":"RS256","kid":"k","b64":false}""", FailureReason.CriticalHeader)]
    [TestCase("""{"alg":"RS256","kid":"k","cty":"JWT"}""", FailureReason.TokenNested)]
    [TestCase("""{"alg":"RS256","kid":"k","enc":"A128GCM"}""", FailureReason.TokenEncrypted)]
    [TestCase("""{"alg":"RS256","kid":"k","zip":"DEF"}""", FailureReason.TokenEncrypted)]
    public void WhatIsNotSupported_RefusedByName(string header, FailureReason expected) => Assert.That(Verifier.Reason(Raw(header, Good, "RS256")), Is.EqualTo(expected));

    [TestCase("a.b.c.d.e", FailureReason.TokenEncrypted)]
    [TestCase("....", FailureReason.TokenEncrypted)]
    [TestCase("a.b.c.d", FailureReason.TokenMalformed)]
    [TestCase("a.b", FailureReason.TokenMalformed)]
    [TestCase("", FailureReason.TokenMalformed)]
    [TestCase("..", FailureReason.HeaderMalformed)]
    [TestCase("{\"payload\":\"e30\",\"signatures\":[]}", FailureReason.TokenMalformed)]
    public void OtherForms_Refused(string token, FailureReason expected) => Assert.That(Verifier.Reason(token), Is.EqualTo(expected));

    [Test]
    public void AnotherIssuersKey_Refused()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Verifier.Reason(Token("RS256", """{"iss":"https://other.example","exp":1800000600}""")), Is.EqualTo(FailureReason.BadSignature));
            Assert.That(Verifier.Reason(Raw("""{"alg":"RS256","kid":"k"}""", Good, "RS256", OtherRsa)), Is.EqualTo(FailureReason.BadSignature));
            Assert.That(Verifier.Reason(Raw("""{"alg":"HS256","kid":"s"}""", Good, "HS256")), Is.EqualTo(FailureReason.UnknownKey));
            Assert.That(Verifier.Reason(Raw("""{"alg":"HS256","kid":"s"}""", """{"iss":"https://other.example","exp":1800000600}""", "HS256")), Is.EqualTo(FailureReason.None));
        });
    }

    [Test]
    public void TooLarge_RefusedBeforeItIsRead()
    {
        string Padded(int length)
        {
            string token = Token("RS256", Good);
            int missing = length - token.Length;
            string padded = Token("RS256", Good[..^1] + ",\"pad\":\"" + new string('x', missing * 3 / 4 - 9) + "\"}");
            return padded;
        }
        Assert.Multiple(() =>
        {
            Assert.That(Verifier.Reason(Padded(TokenVerifier.TokenBytesMaxDefault - 100)), Is.EqualTo(FailureReason.None));
            Assert.That(Verifier.Reason(Padded(TokenVerifier.TokenBytesMaxDefault + 100)), Is.EqualTo(FailureReason.CredentialTooLarge));
            Assert.That(Verifier.Reason(new string('.', 1 << 20)), Is.EqualTo(FailureReason.CredentialTooLarge));
        });
    }

    [Test]
    public void DeepOrManyClaims_Refused()
    {
        string deep = Good[..^1] + ",\"a\":" + new string('[', 20) + new string(']', 20) + "}";
        string many = Good[..^1] + "," + string.Join(',', Enumerable.Range(0, 600).Select(i => $"\"c{i}\":1")) + "}";
        string manyNested = Good[..^1] + ",\"a\":[" + string.Join(',', Enumerable.Range(0, 600).Select(_ => "{\"c\":1}")) + "]}";
        foreach (string claims in (string[])[deep, many, manyNested])
            Assert.That(Verifier.Reason(Token("RS256", claims)), Is.EqualTo(FailureReason.ClaimsMalformed));
    }

    [Test]
    public void TamperedAtEveryByte_Refused([Values("RS256", "ES256", "EdDSA")] string algorithm)
    {
        string kid = algorithm switch { "RS256" => "k", "ES256" => "e", _ => "o" };
        byte[] token = Encoding.ASCII.GetBytes(Token(algorithm, Good, kid));
        Assert.That(Verifier.Verify(token).IsVerified, Is.True);
        var random = new Random(7);
        for (int i = 0; i < token.Length; i++)
        {
            byte before = token[i];
            foreach (byte other in (byte[])[(byte)(before ^ 1), (byte)(before ^ 2), (byte)'.', (byte)'A', 0, 0x80, (byte)random.Next(256)])
            {
                if (other == before) continue;
                token[i] = other;
                Assert.That(Verifier.Verify(token).IsVerified, Is.False, () => $"at {i}: {before:x} -> {other:x}");
            }
            token[i] = before;
        }
    }

    [Test]
    public void TruncatedAtEveryByte_Refused()
    {
        byte[] token = Encoding.ASCII.GetBytes(Token("ES256", Good, "e"));
        for (int i = 0; i < token.Length; i++)
        {
            int length = i;
            Assert.That(Verifier.Verify(token.AsSpan(0, length)).IsVerified, Is.False, () => $"{length} bytes");
            Assert.That(Verifier.Verify(token.AsSpan(length + 1)).IsVerified, Is.False, () => $"without {length} bytes");
        }
    }

    [TestCase("=")]
    [TestCase("==")]
    [TestCase(" ")]
    [TestCase("\n")]
    [TestCase("\t")]
    [TestCase("%3D")]
    [TestCase("\0")]
    [TestCase("A")]
    public void AnythingBesideBase64Url_Refused(string extra)
    {
        string[] parts = Token("ES256", Good, "e").Split('.');
        for (int i = 0; i < 3; i++)
        {
            foreach (string part in (string[])[parts[i] + extra, extra + parts[i], parts[i].Insert(4, extra)])
            {
                string[] changed = [.. parts];
                changed[i] = part;
                Assert.That(Verifier.Verify(string.Join('.', changed)).IsVerified, Is.False, part);
            }
        }
        Assert.That(Verifier.Verify(string.Join('.', parts)).IsVerified, Is.True);
    }

    [Test]
    public void OtherWritingsOfTheSameBytes_Refused()
    {
        // ES256: 64 bytes, 86 characters, the last of which has four bits that no byte takes.
        string token = Token("ES256", Good, "e");
        int accepted = 0;
        foreach (char c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            if (Verifier.Verify(token[..^1] + c).IsVerified) accepted++;
        Assert.That(accepted, Is.EqualTo(1));
        Assert.That(Verifier.Verify(token.Replace('-', '+').Replace('_', '/')).IsVerified, Is.EqualTo(!token.Contains('-') && !token.Contains('_')));
    }

    [Test]
    public void EcSignatureOfZeros_Refused()
    {
        string signed = Encode("""{"alg":"ES256","kid":"e"}""") + "." + Encode(Good);
        byte[] order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), one = new byte[32], zero = new byte[32];
        one[^1] = 1;
        foreach (byte[] r in (byte[][])[zero, one, order])
            foreach (byte[] s in (byte[][])[zero, one, order])
                Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode([.. r, .. s])}"), Is.EqualTo(FailureReason.BadSignature)); // CVE-2022-21449
        foreach (int length in (int[])[0, 1, 63, 65, 96, 128, 132])
            Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(new byte[length])}"), Is.EqualTo(FailureReason.BadSignature));
        byte[] der = P256.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(der)}"), Is.EqualTo(FailureReason.BadSignature));
    }

    [Test]
    public void RsaSignatureInOtherForms_Refused()
    {
        string token = Token("RS256", Good), signed = token[..token.LastIndexOf('.')];
        Assert.That(StrictBase64Url.TryDecode(Encoding.ASCII.GetBytes(token[(signed.Length + 1)..]), out byte[] signature), Is.True);
        var s = new System.Numerics.BigInteger(signature, isUnsigned: true, isBigEndian: true);
        var n = new System.Numerics.BigInteger(Rsa.ExportParameters(false).Modulus, isUnsigned: true, isBigEndian: true);
        byte[] beyond = (s + n).ToByteArray(isUnsigned: true, isBigEndian: true);
        foreach (byte[] other in (byte[][])[[0, .. signature], [.. signature, 0], signature[1..], signature[..^1], beyond, n.ToByteArray(true, true), new byte[256], [.. new byte[255], 1], []])
            Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(other)}"), Is.EqualTo(FailureReason.BadSignature));
    }

    [Test]
    public void EdwardsSignatureWithAnotherS_Refused()
    {
        string token = Token("EdDSA", Good, "o"), signed = token[..token.LastIndexOf('.')];
        Assert.That(StrictBase64Url.TryDecode(Encoding.ASCII.GetBytes(token[(signed.Length + 1)..]), out byte[] signature), Is.True);
        // RFC 8032 §5.1.7: S + L is the same to who does not look.
        var order = System.Numerics.BigInteger.Parse("7237005577332262213973186563042994240857116359379907606001950938285454250989", null);
        byte[] beyond = (new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true) + order).ToByteArray(isUnsigned: true);
        Array.Resize(ref beyond, 32);
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode([.. signature[..32], .. beyond])}"), Is.EqualTo(FailureReason.BadSignature));
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(new byte[64])}"), Is.EqualTo(FailureReason.BadSignature));
    }

    [Test]
    public void NotUtf8_Refused()
    {
        byte[] claims = [.. Encoding.UTF8.GetBytes(Good[..^1] + ",\"a\":\""), 0xC0, 0xAF, .. "\"}"u8];
        string signed = Encode("""{"alg":"RS256","kid":"k"}""") + "." + StrictBase64Url.Encode(claims);
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(Sign("RS256", Encoding.ASCII.GetBytes(signed)))}"), Is.EqualTo(FailureReason.ClaimsMalformed));
        byte[] header = [.. "{\"alg\":\"RS256\",\"kid\":\"k\",\"a\":\""u8, 0xFF, .. "\"}"u8];
        signed = StrictBase64Url.Encode(header) + "." + Encode(Good);
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(Sign("RS256", Encoding.ASCII.GetBytes(signed)))}"), Is.EqualTo(FailureReason.HeaderMalformed));
        byte[] mark = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Good)];
        signed = Encode("""{"alg":"RS256","kid":"k"}""") + "." + StrictBase64Url.Encode(mark);
        Assert.That(Verifier.Reason($"{signed}.{StrictBase64Url.Encode(Sign("RS256", Encoding.ASCII.GetBytes(signed)))}"), Is.EqualTo(FailureReason.ClaimsMalformed));
    }

    [Test]
    public void Noise_IsNeverVerifiedAndNeverThrows()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] good = Encoding.ASCII.GetBytes(Token("RS256", Good));
        for (int i = 0; i < 3000; i++)
        {
            byte[] token = [.. good];
            for (int n = random.Next(1, 6); n > 0; n--) token[random.Next(token.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) token = token[random.Next(token.Length / 2)..random.Next(token.Length / 2, token.Length)];
            if (token.AsSpan().SequenceEqual(good)) continue;
            Assert.That(Verifier.Verify(token).IsVerified, Is.False, () => $"seed {seed}, round {i}");
        }
    }
}
