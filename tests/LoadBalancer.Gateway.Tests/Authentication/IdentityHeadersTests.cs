using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Tests.Authentication;

[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class IdentityHeadersTests
{
    private static string? ValueOf(string value, HeaderEncoding encoding = HeaderEncoding.Percent, string claim = "c", int bytesMax = 100) =>
        Made(new PrincipalBuilder("x", null).Add("c", value).Build(), encoding, claim, bytesMax);

    private static string? ValueOf(string[] values, HeaderEncoding encoding = HeaderEncoding.Percent) => Made(new PrincipalBuilder("x", null).Add("c", values).Build(), encoding, "c", 100);

    private static string? Made(Principal principal, HeaderEncoding encoding, string claim, int bytesMax)
    {
        VerifiedIdentity identity = new IdentityHeaders(new Dictionary<string, string> { ["X-C"] = claim }, encoding, bytesMax).Make(principal);
        Assert.That(identity.Problem is null || identity.Headers.Count == 0, Is.True);
        return identity.Problem is not null ? "!" : identity.Headers.Count == 0 ? null : Encoding.ASCII.GetString(identity.Headers[0].Value);
    }

    [TestCase("alice", "alice")]
    [TestCase("a,b c", "a,b c")]
    [TestCase("", "")]
    [TestCase("100%", "100%25")]
    [TestCase("Ünal", "%C3%9Cnal")]
    [TestCase(" a ", "%20a%20")]
    [TestCase("😀", "%F0%9F%98%80")]
    [TestCase("a\nb", "!")]
    [TestCase("a\tb", "a\tb")]
    [TestCase("a\0b", "!")]
    [TestCase("a\u007Fb", "!")]
    [TestCase("a\u0085b", "a%C2%85b")]
    public void Make_Percent(string value, string expected) => Assert.That(ValueOf(value), Is.EqualTo(expected));

    [Test]
    public void Make_Lists()
    {
        Assert.Multiple(() =>
        {
            Assert.That(ValueOf(["a", "b,c", "ü"]), Is.EqualTo("a,b%2Cc,%C3%BC"));
            Assert.That(ValueOf(["a", "b\r\n"]), Is.EqualTo("!"));
            Assert.That(ValueOf([]), Is.Null, "nothing to say, and no field that says nothing");
            Assert.That(ValueOf(["a", "b"], HeaderEncoding.Base64), Is.EqualTo(Convert.ToBase64String("""["a","b"]"""u8)));
        });
    }

    [Test]
    public void Make_OtherForms()
    {
        Assert.Multiple(() =>
        {
            Assert.That(ValueOf("a\nb", HeaderEncoding.Base64), Is.EqualTo(Convert.ToBase64String("a\nb"u8)));
            Assert.That(ValueOf("a", claim: "*"), Is.EqualTo(Convert.ToBase64String("""{"c":"a"}"""u8)));
            Assert.That(ValueOf("a", claim: "d"), Is.Null);
            Assert.That(ValueOf(new string('a', 100)), Is.EqualTo(new string('a', 100)));
            Assert.That(ValueOf(new string('a', 101)), Is.EqualTo("!"));
        });
    }

    [Test]
    public void Strip_EverySpelling_IsTakenOut()
    {
        var headers = new IdentityHeaders(new Dictionary<string, string> { ["X-User-Id"] = "sub" }, HeaderEncoding.Percent, 100);
        var fields = new HeaderFields();
        foreach (string name in (string[])["X-User-Id", "x-user-id", "X_User_Id", "x-user_ID", "X.User-Id", "X~User'Id"]) fields.Append(name, "forged");
        foreach (string name in (string[])["XUserId", "X-User-Ids", "XX-User-Id", "X-User0Id", "X0User0Id"]) fields.Append(name, "kept");
        headers.Strip(fields, null);
        Assert.That(Enumerable.Range(0, fields.Count).Select(i => Encoding.ASCII.GetString(fields.ValueAt(i))), Is.EqualTo(Enumerable.Repeat("kept", 5)));
    }

    [Test]
    public void Find_Cookies()
    {
        IReadOnlyList<CredentialPlace> places = CredentialPlace.ParseAll(["cookie:t"]);
        FailureReason Reason(string expected, params string[] lines)
        {
            var fields = new HeaderFields();
            foreach (string line in lines) fields.Append("Cookie", line);
            FailureReason reason = CredentialPlace.Find(places, fields, out ReadOnlySpan<byte> credential);
            Assert.That(Encoding.ASCII.GetString(credential), Is.EqualTo(expected));
            return reason;
        }
        Assert.Multiple(() =>
        {
            Assert.That(Reason("1", "a=2; t=1; b=3"), Is.EqualTo(FailureReason.None));
            Assert.That(Reason("1=2", "t=1=2"), Is.EqualTo(FailureReason.None));
            Assert.That(Reason("1", "a=2;t=1"), Is.EqualTo(FailureReason.None));
            Assert.That(Reason("", "T=1; tt=1; a=t=1"), Is.EqualTo(FailureReason.NoCredential));
            Assert.That(Reason("", "t="), Is.EqualTo(FailureReason.CredentialMalformed));
            Assert.That(Reason("", "t=1; t=1"), Is.EqualTo(FailureReason.SeveralCredentials));
            Assert.That(Reason("", "t=1", " t=2"[1..]), Is.EqualTo(FailureReason.SeveralCredentials));
            Assert.That(Reason(""), Is.EqualTo(FailureReason.NoCredential));
        });
    }
}
