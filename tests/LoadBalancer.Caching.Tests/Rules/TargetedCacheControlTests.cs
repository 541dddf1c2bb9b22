using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9213: where the targeted field is valid, Cache-Control and Expires are as if they were not there.</summary>
public class TargetedCacheControlTests
{
    [TestCase("max-age=60", 60)]
    [TestCase("foobar, max-age=60", 60)]
    [TestCase("max-age=60;x=\"y\";z, foo=(a \"b\" 1.5;c);d, bar=:YQ==:, b=?0, n=-5", 60, Description = "parameters and other types")]
    [TestCase("max-age=1, max-age=60", 60, Description = "of a dictionary the last counts")]
    [TestCase("max-age=99999999999", int.MaxValue)]
    [TestCase("max-age=-5", 0)]
    [TestCase("max-age=0", 0)]
    [TestCase("  max-age=60  ,\tfoo ", 60)]
    [TestCase("max-age=60|CDN-Cache-Control: foo", 60, Description = "two lines")]
    [TestCase("|CDN-Cache-Control: max-age=60", 60, Description = "an empty one and another")]
    public void AValidFieldIsUsed(string value, int maxAge)
    {
        ResponseFacts facts = new Heads($"CDN-Cache-Control: {value}|Cache-Control: no-store, max-age=7|Expires: {Heads.Date(9)}").ResponseFacts;
        Assert.That((facts.Control.MaxAge, facts.Control.Has(CacheDirectives.NoStore), facts.HasExpires, facts.Control.Has(CacheDirectives.Targeted)), Is.EqualTo((maxAge, false, false, true)));
    }

    [TestCase("")]
    [TestCase("max-age=60, &&&&&")]
    [TestCase("max-age=\"60\"")]
    [TestCase("max-age=60.5")]
    [TestCase("max-age")]
    [TestCase("max-age =60")]
    [TestCase("max-age= 60")]
    [TestCase("max-age=60,")]
    [TestCase("MaX-aGe=60")]
    [TestCase("max-age=60 foo")]
    [TestCase("max-age=1234567890123456")]
    [TestCase("max-age=60, x=\"a")]
    [TestCase("max-age=60, x=(a")]
    [TestCase("max-age=60, x=?2")]
    [TestCase("max-age=60, x=:a")]
    [TestCase("max-age=60;")]
    [TestCase("no-store=1")]
    [TestCase("max-age=60|CDN-Cache-Control: =")]
    public void AnInvalidOrEmptyFieldIsIgnored(string value)
    {
        ResponseFacts facts = new Heads($"CDN-Cache-Control: {value}|Cache-Control: max-age=7|Expires: {Heads.Date(9)}").ResponseFacts;
        Assert.That((facts.Control.MaxAge, facts.HasExpires, facts.Control.Has(CacheDirectives.Targeted)), Is.EqualTo((7, true, false)));
    }

    [TestCase("no-store", CacheDirectives.NoStore)]
    [TestCase("no-store=?0", CacheDirectives.None)]
    [TestCase("private", CacheDirectives.Private)]
    [TestCase("private=\"a\"", CacheDirectives.PrivateFields)]
    [TestCase("no-cache=\"a, b\"", CacheDirectives.NoCacheFields)]
    [TestCase("no-cache=\"\"", CacheDirectives.NoCache)]
    [TestCase("must-revalidate, proxy-revalidate, public", CacheDirectives.MustRevalidate | CacheDirectives.ProxyRevalidate | CacheDirectives.Public)]
    public void DirectivesAreFound(string value, CacheDirectives expected) =>
        Assert.That(new Heads($"CDN-Cache-Control: {value}").ResponseFacts.Control.Directives, Is.EqualTo(expected | CacheDirectives.Targeted));

    [Test]
    public void ThePolicyCanTurnItOff() =>
        Assert.That(new Heads("CDN-Cache-Control: max-age=60|Cache-Control: max-age=7", policy: new() { UsesCdnCacheControl = false }).ResponseFacts.Control.MaxAge, Is.EqualTo(7));

    [Test]
    public void FieldsThatItNamesAreNotStored() =>
        Assert.That(Heads.Text(new Heads("CDN-Cache-Control: max-age=60, private=\"X-A\"|X-A: 1|X-B: 2").Stored().Lines), Does.Not.Contain("X-A: 1").And.Contain("X-B: 2"));
}
