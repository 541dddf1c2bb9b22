using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Signatures;
using LoadBalancer.Identity.Tests.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.Signatures;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class SignatureTests
{
    // RFC 9421 appendix B.1.5.
    private static readonly byte[] Shared = Convert.FromBase64String("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==");
    private readonly FakeTimeProvider _time = TokenFixture.Time();

    private sealed class Request : ISignedRequest
    {
        public string Method { get; set; } = "POST";
        public string UriScheme { get; set; } = "https";
        public string Authority { get; set; } = "example.com";
        public string Path { get; set; } = "/foo";
        public string Query { get; set; } = "param=Value&Pet=dog";
        public bool HasBody { get; set; }
        public Dictionary<string, string> Fields { get; } = new(StringComparer.Ordinal);

        public string? Field(string name) => Fields.GetValueOrDefault(name);
    }

    private static SignatureKey Key(string id = "k") => new(id, Shared, new PrincipalBuilder(Schemes.Signature, "alice", id).Build());

    private SignatureVerifier Create(SignatureOptions? options = null) => new([Key(), Key("test-shared-secret")], options ?? new SignatureOptions(), null, _time);

    private static Request Signed(Request request, string components, string parameters)
    {
        string input = $"({components}){parameters}";
        string[] names = [.. components.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim('"'))];
        byte[] data = SignatureVerifier.BaseOf(request, names, input, out string? missing) ?? throw new FormatException(missing);
        request.Fields["signature-input"] = "sig1=" + input;
        request.Fields["signature"] = $"sig1=:{Convert.ToBase64String(HMACSHA256.HashData(Shared, data))}:";
        return request;
    }

    private const string All = "\"@method\" \"@authority\" \"@path\" \"@query\"";

    private static string Parameters(long created = TokenFixture.Now, string more = "") => $";created={created};keyid=\"k\"{more}";

    [Test]
    public void Verify_ExampleOfTheRfc_IsVerified()
    {
        // RFC 9421 appendix B.2.5.
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1618884473));
        var request = new Request();
        request.Fields["date"] = "Tue, 20 Apr 2021 02:07:55 GMT";
        request.Fields["content-type"] = "application/json";
        request.Fields["signature-input"] = "sig-b25=(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
        request.Fields["signature"] = "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:";
        var verifier = new SignatureVerifier([Key("test-shared-secret")], new SignatureOptions { Components = ["date", "@authority"] }, null, time);
        Assert.That(verifier.Verify(request, out _).ToString(), Is.EqualTo("signature:alice"));
    }

    [Test]
    public void Verify_AllCovered_IsVerified()
    {
        Assert.That(Create().Verify(Signed(new Request(), All, Parameters()), out string? digest).IsVerified, Is.True);
        Assert.That(digest, Is.Null);
        Assert.That(Create().Verify(Signed(new Request { Query = "" }, "\"@method\" \"@target-uri\"", Parameters()), out _).IsVerified, Is.True);
        Assert.That(Create().Verify(Signed(new Request { Authority = "EXAMPLE.com:443" }, All, Parameters()), out _).IsVerified, Is.True);
    }

    [TestCase("method")]
    [TestCase("authority")]
    [TestCase("path")]
    [TestCase("query")]
    [TestCase("field")]
    public void Verify_ChangedAfterwards_Refused(string what)
    {
        var request = new Request();
        request.Fields["x-tenant"] = "a";
        Signed(request, All + " \"x-tenant\"", Parameters());
        switch (what)
        {
            case "method": request.Method = "DELETE"; break;
            case "authority": request.Authority = "example.org"; break;
            case "path": request.Path = "/Foo"; break;
            case "query": request.Query += "&admin=1"; break;
            default: request.Fields["x-tenant"] = "a, b"; break;
        }
        Assert.That(Create().Verify(request, out _).Reason, Is.EqualTo(FailureReason.BadSignature));
    }

    [TestCase("\"@method\" \"@authority\" \"@path\"", "@query")]
    [TestCase("", "@method")]
    public void Verify_NotCovered_Refused(string components, string expected)
    {
        VerificationResult result = Create().Verify(Signed(new Request(), components, Parameters()), out _);
        Assert.That((result.Reason, result.Detail), Is.EqualTo((FailureReason.ComponentNotCovered, expected)));
    }

    [Test]
    public void Verify_Body_MustBeCoveredByItsDigest()
    {
        byte[] body = "{\"hello\": \"world\"}"u8.ToArray();
        var request = new Request { HasBody = true };
        Assert.That(Create().Verify(Signed(request, All, Parameters()), out _).Detail, Is.EqualTo("content-digest"));
        request.Fields["content-digest"] = ContentDigest.Of(body);
        Assert.That(Create().Verify(Signed(request, All + " \"content-digest\"", Parameters()), out string? digest).IsVerified, Is.True);
        Assert.That(ContentDigest.Matches(digest!, body), Is.True);
        body[3] ^= 1;
        Assert.That(ContentDigest.Matches(digest!, body), Is.False);
    }

    [TestCase("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", true)] // RFC 9530 appendix A
    [TestCase("sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:", true)]
    [TestCase("md5=:AAAA:, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", true)]
    [TestCase("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:, sha-512=:AAAA:", false)]
    [TestCase("md5=:AAAA:", false)]
    [TestCase("", false)]
    [TestCase("sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", false)]
    [TestCase("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:;", false)]
    public void Matches_FieldOfTheRfc(string field, bool expected) => Assert.That(ContentDigest.Matches(field, "{\"hello\": \"world\"}"u8), Is.EqualTo(expected));

    [TestCase(-330, "", FailureReason.None)]
    [TestCase(-331, "", FailureReason.Expired)]
    [TestCase(30, "", FailureReason.None)]
    [TestCase(31, "", FailureReason.IssuedInFuture)]
    [TestCase(0, ";expires=1799999971", FailureReason.None)]
    [TestCase(0, ";expires=1799999970", FailureReason.Expired)]
    [TestCase(0, ";alg=\"hmac-sha256\"", FailureReason.None)]
    [TestCase(0, ";alg=\"rsa-v1_5-sha256\"", FailureReason.AlgorithmNotAllowed)]
    [TestCase(0, ";tag=\"app\";x=1;y=\"z\"", FailureReason.None)]
    public void Verify_Parameters(int created, string more, FailureReason expected) =>
        Assert.That(Create().Verify(Signed(new Request(), All, Parameters(TokenFixture.Now + created, more)), out _).Reason, Is.EqualTo(expected));

    [TestCase("sig1=(\"@method\");keyid=\"k\"", FailureReason.ComponentNotCovered)]
    [TestCase("sig1=(\"@method\" \"@authority\" \"@path\" \"@query\");created=1800000000", FailureReason.UnknownKey)]
    [TestCase("sig1=(\"@method\" \"@authority\" \"@path\" \"@query\");created=1800000000;keyid=\"../k\"", FailureReason.UnknownKey)]
    [TestCase("sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"nope\");created=1800000000;keyid=\"k\"", FailureReason.ComponentMissing)]
    [TestCase("sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"@status\");created=1800000000;keyid=\"k\"", FailureReason.ComponentMissing)]
    [TestCase("sig1=(\"@method\" \"@method\");created=1800000000;keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\"  \"@path\");keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=( \"@method\");keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\";req);keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\"); keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\");keyid=\"k\";keyid=\"j\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\");created=01800000000;keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\");created=99999999999999999999;keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\");created=\"1\";keyid=\"k\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\");keyid=\"k", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=\"@method\"", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\"),", FailureReason.CredentialMalformed)]
    [TestCase("sig1=(\"@method\"),sig1=(\"@path\")", FailureReason.CredentialMalformed)]
    [TestCase("SIG1=(\"@method\")", FailureReason.CredentialMalformed)]
    [TestCase("", FailureReason.CredentialMalformed)]
    [TestCase("a=(),b=(),c=(),d=(),e=()", FailureReason.CredentialMalformed)]
    [TestCase("other=(\"@method\");created=1800000000;keyid=\"k\"", FailureReason.CredentialMalformed)]
    public void Verify_OtherInput_Refused(string input, FailureReason expected)
    {
        Request request = Signed(new Request(), All, Parameters());
        request.Fields["signature-input"] = input;
        Assert.That(Create().Verify(request, out _).Reason, Is.EqualTo(expected));
    }

    [Test]
    public void Verify_OneOfSeveral_IsEnough()
    {
        Request request = Signed(new Request(), All, Parameters());
        request.Fields["signature-input"] = "other=(\"@method\");created=1;keyid=\"z\", " + request.Fields["signature-input"];
        request.Fields["signature"] = "other=:AAAA:,\t" + request.Fields["signature"];
        Assert.That(Create().Verify(request, out _).IsVerified, Is.True);
    }

    [Test]
    public void Verify_NonceAgain_Refused()
    {
        SignatureVerifier verifier = Create(new SignatureOptions { NoncesMax = 8 });
        Request once = Signed(new Request(), All, Parameters(more: ";nonce=\"n1\""));
        Assert.Multiple(() =>
        {
            Assert.That(verifier.Verify(once, out _).Reason, Is.EqualTo(FailureReason.None));
            Assert.That(verifier.Verify(once, out _).Reason, Is.EqualTo(FailureReason.Replayed));
            Assert.That(verifier.Verify(Signed(new Request(), All, Parameters()), out _).Detail, Is.EqualTo("nonce"));
        });
        for (int i = 0; i < 3; i++) Assert.That(verifier.Verify(Signed(new Request(), All, Parameters(more: $";nonce=\"m{i}\"")), out _).IsVerified, Is.True);
        Assert.That(verifier.Verify(Signed(new Request(), All, Parameters(more: ";nonce=\"p\"")), out _).Reason, Is.EqualTo(FailureReason.ReplayTableFull));
        // As long as the first can be good it is remembered.
        _time.Advance(TimeSpan.FromSeconds(330));
        Assert.That(verifier.Verify(once, out _).Reason, Is.EqualTo(FailureReason.Replayed));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.That(verifier.Verify(once, out _).Reason, Is.EqualTo(FailureReason.Expired));
        Assert.That(verifier.Verify(Signed(new Request(), All, Parameters(TokenFixture.Now + 361, ";nonce=\"p\"")), out _).IsVerified, Is.True);
    }

    [Test]
    public void Verify_Noise_NeverThrowsAndIsNeverVerified()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        const string Pieces = "sig1=(\"@method\" )\\;:,created=18keyid";
        for (int i = 0; i < 20_000; i++)
        {
            Request request = Signed(new Request(), All, Parameters());
            string name = random.Next(2) == 0 ? "signature" : "signature-input", before = request.Fields[name];
            char[] text = before.ToCharArray();
            for (int n = random.Next(1, 4); n > 0; n--) text[random.Next(text.Length)] = Pieces[random.Next(Pieces.Length)];
            request.Fields[name] = new string(text);
            if (request.Fields[name] == before) continue;
            Assert.That(Create().Verify(request, out _).IsVerified, Is.False, () => $"seed {seed}, round {i}: {request.Fields[name]}");
        }
    }
}
