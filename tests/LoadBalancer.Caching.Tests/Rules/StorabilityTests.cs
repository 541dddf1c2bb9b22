using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §3 and §3.5.</summary>
public class StorabilityTests
{
    private const string Fresh = "Cache-Control: max-age=60";

    [TestCase(Fresh, StoreVerdict.Storable)]
    [TestCase("Cache-Control: s-maxage=60", StoreVerdict.Storable)]
    [TestCase("Expires: Sun, 06 Nov 2050 08:49:37 GMT", StoreVerdict.Storable)]
    [TestCase("", StoreVerdict.NoLifetime)]
    [TestCase("ETag: \"a\"", StoreVerdict.Storable, Description = "no lifetime, but it can be revalidated")]
    [TestCase("Last-Modified: Sun, 06 Nov 1990 08:49:37 GMT", StoreVerdict.NoLifetime, Description = "that was a Tuesday: no date, no validator")]
    [TestCase("Last-Modified: Tue, 06 Nov 1990 08:49:37 GMT|Date: Sun, 06 Nov 1994 08:49:37 GMT", StoreVerdict.Storable)]
    [TestCase("Cache-Control: max-age=0", StoreVerdict.AlwaysStale)]
    [TestCase("Cache-Control: max-age=0|ETag: \"a\"", StoreVerdict.Storable)]
    [TestCase("Cache-Control: max-age=0, stale-while-revalidate=5", StoreVerdict.Storable)]
    [TestCase("Cache-Control: max-age=0, stale-if-error=5", StoreVerdict.Storable)]
    [TestCase("Cache-Control: max-age=60, no-cache", StoreVerdict.AlwaysStale)]
    [TestCase("Cache-Control: no-cache|ETag: \"a\"", StoreVerdict.Storable)]
    [TestCase("Cache-Control: max-age=60, no-cache=\"x\"", StoreVerdict.Storable)]
    [TestCase("Expires: 0", StoreVerdict.AlwaysStale)]
    [TestCase("Cache-Control: no-store, max-age=60", StoreVerdict.NoStore)]
    [TestCase("Cache-Control: private, max-age=60", StoreVerdict.Private)]
    [TestCase("Cache-Control: private=\"x\", max-age=60", StoreVerdict.Storable)]
    [TestCase("Cache-Control: must-understand, no-store, max-age=60", StoreVerdict.Storable, Description = "§5.2.2.3")]
    [TestCase(Fresh + "|Set-Cookie: a=b", StoreVerdict.SetCookie)]
    [TestCase("Cache-Control: public, max-age=60|Set-Cookie: a=b", StoreVerdict.SetCookie, Description = "as nginx: whatever is said beside it")]
    [TestCase("Cache-Control: max-age=60, no-cache=\"Set-Cookie\"|Set-Cookie: a=b", StoreVerdict.Storable)]
    [TestCase(Fresh + "|Vary: *", StoreVerdict.VaryAny)]
    [TestCase(Fresh + "|Vary: a|Vary: b, *", StoreVerdict.VaryAny)]
    [TestCase(Fresh + "|Vary: a b", StoreVerdict.VaryAny)]
    [TestCase(Fresh + "|Vary: a, b", StoreVerdict.Storable)]
    [TestCase(Fresh + "|Content-Range: bytes 0-4/5", StoreVerdict.Partial)]
    public void TheResponseDecides(string lines, StoreVerdict expected) => Assert.That(new Heads(lines).Verdict, Is.EqualTo(expected));

    [TestCase(200, StoreVerdict.Storable)]
    [TestCase(203, StoreVerdict.Storable)]
    [TestCase(204, StoreVerdict.Storable)]
    [TestCase(206, StoreVerdict.Partial)]
    [TestCase(299, StoreVerdict.Storable)]
    [TestCase(301, StoreVerdict.Storable)]
    [TestCase(302, StoreVerdict.Storable)]
    [TestCase(304, StoreVerdict.StatusNotStorable)]
    [TestCase(404, StoreVerdict.Storable)]
    [TestCase(500, StoreVerdict.Storable)]
    [TestCase(599, StoreVerdict.Storable)]
    public void AnyFinalStatusMayBeStoredThatSaysForHowLong(int status, StoreVerdict expected) => Assert.That(new Heads(Fresh, status: status).Verdict, Is.EqualTo(expected));

    [TestCase(400, StoreVerdict.StatusOfRequest)]
    [TestCase(401, StoreVerdict.Storable)]
    [TestCase(403, StoreVerdict.Storable)]
    [TestCase(405, StoreVerdict.Storable)]
    [TestCase(406, StoreVerdict.StatusOfRequest)]
    [TestCase(412, StoreVerdict.StatusOfRequest)]
    [TestCase(414, StoreVerdict.Storable, Description = "about the target")]
    [TestCase(416, StoreVerdict.StatusOfRequest, Description = "Range is not in the key")]
    [TestCase(417, StoreVerdict.StatusOfRequest)]
    [TestCase(429, StoreVerdict.StatusOfRequest)]
    [TestCase(431, StoreVerdict.StatusOfRequest)]
    public void AnErrorOfOneRequestIsNotEverybodys(int status, StoreVerdict expected) => Assert.That(new Heads(Fresh, status: status).Verdict, Is.EqualTo(expected));

    [TestCase(200, true)]
    [TestCase(203, true)]
    [TestCase(204, true)]
    [TestCase(300, true)]
    [TestCase(301, true)]
    [TestCase(308, true)]
    [TestCase(302, false)]
    [TestCase(307, false)]
    [TestCase(404, false)]
    [TestCase(410, false)]
    [TestCase(500, false)]
    [TestCase(599, false)]
    public void OnlySomeStatusesAreStoredWithoutSayingForHowLong(int status, bool expected)
    {
        Assert.That(new Heads("ETag: \"a\"", status: status).Verdict, Is.EqualTo(expected ? StoreVerdict.Storable : StoreVerdict.NoLifetime));
        Assert.That(new Heads("ETag: \"a\"|Cache-Control: public", status: status).Verdict, Is.EqualTo(StoreVerdict.Storable), "public");
        if (status is 404 or 410)
            Assert.That(new Heads("ETag: \"a\"", status: status, policy: new() { HeuristicForErrors = true }).Verdict, Is.EqualTo(StoreVerdict.Storable), "asked for");
    }

    [TestCase(200, StoreVerdict.Storable)]
    [TestCase(404, StoreVerdict.Storable)]
    [TestCase(299, StoreVerdict.StatusNotUnderstood)]
    [TestCase(599, StoreVerdict.StatusNotUnderstood)]
    public void MustUnderstandNeedsAKnownStatus(int status, StoreVerdict expected) =>
        Assert.That(new Heads("Cache-Control: must-understand, max-age=60", status: status).Verdict, Is.EqualTo(expected));

    [TestCase("", StoreVerdict.Storable)]
    [TestCase("Cache-Control: no-store", StoreVerdict.RequestNoStore)]
    [TestCase("Authorization: Basic x", StoreVerdict.Authorization)]
    [TestCase("Content-Length: 3", StoreVerdict.AmbiguousRequest)]
    [TestCase("Transfer-Encoding: chunked", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-HTTP-Method-Override: DELETE", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-Http-Method: DELETE", StoreVerdict.AmbiguousRequest)]
    [TestCase("x-method-override: DELETE", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-Original-URL: /x", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-Rewrite-Url: /x", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-Host: x", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-Original-Host: x", StoreVerdict.AmbiguousRequest)]
    [TestCase("X-HTTP-Host-Override: x", StoreVerdict.AmbiguousRequest)]
    [TestCase("Upgrade: websocket|Connection: upgrade", StoreVerdict.AmbiguousRequest)]
    [TestCase("Expect: 100-continue", StoreVerdict.AmbiguousRequest)]
    [TestCase("If-Match: \"a\"", StoreVerdict.Precondition)]
    [TestCase("If-Unmodified-Since: x", StoreVerdict.Precondition)]
    [TestCase("Range: bytes=0-1", StoreVerdict.Storable, Description = "answered with a 200: the whole")]
    [TestCase("If-None-Match: \"a\"", StoreVerdict.Storable)]
    public void TheRequestDecides(string lines, StoreVerdict expected) => Assert.That(new Heads(Fresh, lines).Verdict, Is.EqualTo(expected));

    [TestCase("GET", StoreVerdict.Storable)]
    [TestCase("HEAD", StoreVerdict.Method)]
    [TestCase("POST", StoreVerdict.Method)]
    [TestCase("OPTIONS", StoreVerdict.Method)]
    [TestCase("get", StoreVerdict.Method)]
    public void OnlyGetIsStored(string method, StoreVerdict expected) => Assert.That(new Heads(Fresh, method: method).Verdict, Is.EqualTo(expected));

    [TestCase("max-age=60", false)]
    [TestCase("max-age=60, public", true)]
    [TestCase("max-age=60, must-revalidate", true)]
    [TestCase("s-maxage=60", true)]
    [TestCase("s-maxage=0, max-age=60", false, Description = "allowed, but always stale without a validator")]
    [TestCase("max-age=60, proxy-revalidate", false)]
    [TestCase("private, s-maxage=60", false)]
    public void WithAuthorizationTheResponseHasToAllowSharing(string directives, bool expected) =>
        Assert.That(new Heads($"Cache-Control: {directives}", "Authorization: Bearer x").Verdict == StoreVerdict.Storable, Is.EqualTo(expected));

    [Test]
    public void ThePolicyCanDepart()
    {
        Assert.That(new Heads(Fresh, "Cache-Control: no-store", policy: new() { HonorsRequests = false }).Verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(new Heads(Fresh + "|Set-Cookie: a=b", policy: new() { SetCookie = SetCookieRule.Drop }).Verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(new Heads("Cache-Control: no-store, private", policy: new() { Ignored = IgnoredFields.CacheControl, Lifetimes = [new(200, 299, 60, false)] }).Verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(new Heads(Fresh + "|Vary: *", policy: new() { Ignored = IgnoredFields.Vary }).Verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(new Heads("", status: 404, policy: new() { Lifetimes = [new(404, 404, 5, false)] }).Verdict, Is.EqualTo(StoreVerdict.Storable), "negative caching, asked for");
    }

    [Test]
    public void ABodyThatEndsWithTheConnectionIsNotStoredUnasked()
    {
        Assert.That(new Heads(Fresh, framing: "").Verdict, Is.EqualTo(StoreVerdict.UnknownLength));
        Assert.That(new Heads(Fresh, framing: "", policy: new() { StoresUntilClose = true }).Verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(new Heads(Fresh, framing: "Transfer-Encoding: chunked").Verdict, Is.EqualTo(StoreVerdict.Storable));
    }
}
