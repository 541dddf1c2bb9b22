using System.Text;
using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

public class CacheControlTests
{
    [TestCase("no-store", CacheDirectives.NoStore)]
    [TestCase("NO-Store", CacheDirectives.NoStore)]
    [TestCase("no-store=1", CacheDirectives.NoStore, Description = "a restriction counts however it is written")]
    [TestCase("no-store;x", CacheDirectives.NoStore)]
    [TestCase("no-store x", CacheDirectives.NoStore)]
    [TestCase("no-cache", CacheDirectives.NoCache)]
    [TestCase("no-cache=\"\"", CacheDirectives.NoCache)]
    [TestCase("no-cache=\"a b\"", CacheDirectives.NoCache)]
    [TestCase("no-cache=\"a", CacheDirectives.NoCache)]
    [TestCase("no-cache=\"set-cookie, x\"", CacheDirectives.NoCacheFields)]
    [TestCase("no-cache=set-cookie", CacheDirectives.NoCacheFields, Description = "§5.2: both forms of an argument")]
    [TestCase("private", CacheDirectives.Private)]
    [TestCase("private=\"x\"", CacheDirectives.PrivateFields)]
    [TestCase("private=\"x\", private", CacheDirectives.PrivateFields | CacheDirectives.Private)]
    [TestCase("public", CacheDirectives.Public)]
    [TestCase("public=1", CacheDirectives.None, Description = "a permission counts only when it is well-formed")]
    [TestCase("public x", CacheDirectives.None)]
    [TestCase("must-revalidate", CacheDirectives.MustRevalidate)]
    [TestCase("proxy-revalidate", CacheDirectives.ProxyRevalidate)]
    [TestCase("must-understand", CacheDirectives.MustUnderstand)]
    [TestCase("must-understand=1", CacheDirectives.None)]
    [TestCase("no-transform", CacheDirectives.NoTransform)]
    [TestCase("immutable", CacheDirectives.None, Description = "RFC 8246 is for private caches")]
    [TestCase("nostore, no-stor, no-store-x, xno-store", CacheDirectives.None)]
    [TestCase(",, ,no-store,,public\t,", CacheDirectives.NoStore | CacheDirectives.Public)]
    [TestCase("x=\"no-store\"", CacheDirectives.None, Description = "in a quoted string")]
    [TestCase("x=\"a\\\", no-store\"", CacheDirectives.None)]
    [TestCase("x=\"a, no-store", CacheDirectives.NoStore, Description = "a string without end hides nothing")]
    [TestCase("x=\"a, public", CacheDirectives.None, Description = "and allows nothing")]
    [TestCase("=, =a, \"no-store\", ,", CacheDirectives.None)]
    public void EachDirectiveIsFound(string line, CacheDirectives expected) => Assert.That(Parse(line).Directives, Is.EqualTo(expected));

    [TestCase("max-age=60", 60)]
    [TestCase("MaX-aGe=60", 60)]
    [TestCase("max-age=\"60\"", 60, Description = "§5.2: recipients ought to accept both forms")]
    [TestCase("max-age=0060", 60)]
    [TestCase("max-age=0", 0)]
    [TestCase("max-age=2147483647", int.MaxValue)]
    [TestCase("max-age=2147483648", int.MaxValue)]
    [TestCase("max-age=99999999999999999999999999", int.MaxValue)]
    [TestCase("max-age", 0, Description = "§4.2.1: what is no number is stale")]
    [TestCase("max-age=", 0)]
    [TestCase("max-age=-1", 0)]
    [TestCase("max-age=60.0", 0)]
    [TestCase("max-age=60a", 0)]
    [TestCase("max-age=a60", 0)]
    [TestCase("max-age='60'", 0)]
    [TestCase("max-age=\"60", 0)]
    [TestCase("max-age=\"6\\0\"", 0)]
    [TestCase("max-age =60", 0)]
    [TestCase("max-age= 60", 0)]
    [TestCase("max-age:60", 0)]
    [TestCase("max-age=60, max-age=1", 60, Description = "§4.2.1: the first of several")]
    [TestCase("max-age=1, max-age=60", 1)]
    [TestCase("max-age=x, max-age=60", 0)]
    [TestCase("extension=\"max-age=3600\", max-age=1", 1)]
    [TestCase("max-age=1, extension=\"max-age=3600\"", 1)]
    [TestCase("foobar=x, max-age=60", 60)]
    [TestCase("s-maxage=60", -1)]
    [TestCase("", -1)]
    public void MaxAgeIsRead(string line, int expected) => Assert.That(Parse(line).MaxAge, Is.EqualTo(expected));

    [Test]
    public void LinesAreTakenTogether()
    {
        var control = new CacheControl();
        foreach (string line in new[] { "max-age=1", "s-maxage=2, must-revalidate", "max-age=9, stale-while-revalidate=3", "stale-if-error=4" }) control.Add(Encoding.Latin1.GetBytes(line));
        Assert.That((control.MaxAge, control.SharedMaxAge, control.StaleWhileRevalidate, control.StaleIfError, control.Directives),
            Is.EqualTo((1, 2, 3, 4, CacheDirectives.MustRevalidate)));
    }

    [TestCase("stale-while-revalidate=x", 0)]
    [TestCase("stale-while-revalidate", 0)]
    [TestCase("stale-while-revalidate=30", 30)]
    public void AStaleTimeThatIsNoNumberAllowsNothing(string line, int expected) => Assert.That(Parse(line).StaleWhileRevalidate, Is.EqualTo(expected));

    [TestCase("no-cache=\"Set-Cookie, x\"", "set-cookie", true)]
    [TestCase("no-cache=\"Set-Cookie, x\"", "X", true)]
    [TestCase("no-cache=\"Set-Cookie, x\"", "y", false)]
    [TestCase("private=x", "x", true)]
    [TestCase("no-cache, y=\"x\"", "x", false)]
    [TestCase("no-cache", "no-cache", false)]
    public void NamedFieldsAreFound(string line, string field, bool expected) =>
        Assert.That(CacheControl.Names(Encoding.Latin1.GetBytes(line), Encoding.Latin1.GetBytes(field)), Is.EqualTo(expected));

    [TestCase("no-store", "store")]
    [TestCase("no-cache, max-age=5, min-fresh=6, max-stale=7, stale-if-error=8, only-if-cached", "cache only 5 7 6 8")]
    [TestCase("max-stale", "-1 2147483647 -1 -1")]
    [TestCase("max-stale=x", "-1 -1 -1 -1")]
    [TestCase("max-stale=\"7\"", "-1 7 -1 -1")]
    [TestCase("min-fresh=x", "-1 -1 2147483647 -1")]
    [TestCase("max-age=x", "0 -1 -1 -1")]
    [TestCase("MAX-AGE=99999999999", "2147483647 -1 -1 -1")]
    [TestCase("x=\"no-cache\"", "-1 -1 -1 -1")]
    [TestCase("", "-1 -1 -1 -1")]
    public void RequestDirectivesAreRead(string line, string expected)
    {
        var control = new RequestCacheControl();
        control.Add(Encoding.Latin1.GetBytes(line));
        string text = (control.NoStore ? "store " : "") + (control.NoCache ? "cache " : "") + (control.OnlyIfCached ? "only " : "")
            + $"{control.MaxAge} {control.MaxStale} {control.MinFresh} {control.StaleIfError}";
        Assert.That(text, Is.EqualTo(expected == "store" ? "store -1 -1 -1 -1" : expected));
    }

    [TestCase("Pragma: no-cache", true)]
    [TestCase("Pragma: x, No-Cache", true)]
    [TestCase("Pragma: no-cache=x", true)]
    [TestCase("Pragma: x", false)]
    [TestCase("Pragma: no-cache|Cache-Control: max-age=5", false, Description = "§5.4: only without Cache-Control")]
    public void PragmaStandsForNoCache(string lines, bool expected) => Assert.That(new Heads(requestLines: lines).RequestFacts.Control.NoCache, Is.EqualTo(expected));

    private static CacheControl Parse(string line)
    {
        var control = new CacheControl();
        control.Add(Encoding.Latin1.GetBytes(line));
        return control;
    }
}
