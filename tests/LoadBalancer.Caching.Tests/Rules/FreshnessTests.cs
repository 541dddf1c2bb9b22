using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §4.2: lifetime and age.</summary>
public class FreshnessTests
{
    private const string Date = "Date: " + Heads.NowText;

    private static IEnumerable<TestCaseData> LifetimeCases()
    {
        (string, int, LifetimeSource)[] cases =
        [
            ("Cache-Control: max-age=60", 60, LifetimeSource.MaxAge),
            ("Cache-Control: max-age=60, s-maxage=5", 5, LifetimeSource.SharedMaxAge),
            ($"Cache-Control: max-age=60|Expires: {Heads.Date(600)}|{Date}", 60, LifetimeSource.MaxAge),
            ($"Cache-Control: max-age=0|Expires: {Heads.Date(600)}|{Date}", 0, LifetimeSource.MaxAge),
            ($"Cache-Control: max-age=x|Expires: {Heads.Date(600)}|{Date}", 0, LifetimeSource.MaxAge),
            ($"Expires: {Heads.Date(600)}|{Date}", 600, LifetimeSource.Expires),
            ($"Expires: {Heads.Date(600)}", 600, LifetimeSource.Expires), // Date absent: when it came
            ($"Expires: {Heads.Date(600)}|Date: yesterday", 600, LifetimeSource.Expires),
            ($"Expires: {Heads.Date(600)}|Date: {Heads.Date(500)}", 100, LifetimeSource.Expires),
            ($"Expires: {Heads.Date(-600)}|{Date}", 0, LifetimeSource.Expires),
            ($"Expires: {Heads.Date(0)}|{Date}", 0, LifetimeSource.Expires),
            ("Expires: 0", 0, LifetimeSource.Expires),
            ("Expires: -1", 0, LifetimeSource.Expires),
            ("Expires:", 0, LifetimeSource.Expires),
            ("Expires: Sun, 06 Nov 1994 08:59:37 EST", 0, LifetimeSource.Expires),
            ("Expires: Mon, 06 Nov 1994 08:59:37 GMT", 0, LifetimeSource.Expires), // not a Monday
            ("Expires: Sunday, 06-Nov-94 08:59:37 GMT", 600, LifetimeSource.Expires),
            ("Expires: Sun Nov  6 08:59:37 1994", 600, LifetimeSource.Expires),
            ($"Expires: {Heads.Date(600)}|Expires: 0", 600, LifetimeSource.Expires), // the first
            ("Expires: Fri, 31 Dec 9999 23:59:59 GMT", int.MaxValue, LifetimeSource.Expires),
            ($"Last-Modified: {Heads.Date(-1000)}|{Date}", 100, LifetimeSource.Heuristic),
            ($"Last-Modified: {Heads.Date(-100_000_000)}|{Date}", 24 * 3600, LifetimeSource.Heuristic),
            ($"Last-Modified: {Heads.Date(1000)}|{Date}", 0, LifetimeSource.Heuristic),
            ("", 0, LifetimeSource.None),
            ("Last-Modified: x", 0, LifetimeSource.None),
        ];
        return cases.Select(c => new TestCaseData(c.Item1, c.Item2, c.Item3));
    }

    [TestCaseSource(nameof(LifetimeCases))]
    public void TheLifetimeIsTheFirstThatIsThere(string lines, int seconds, LifetimeSource source) =>
        Assert.That(Freshness.LifetimeOf(new Heads(lines).ResponseFacts, CachePolicy.Default, Heads.Now), Is.EqualTo(new Lifetime(seconds, source)));

    [Test]
    public void ThePolicyMayOverrideOrFillIn()
    {
        var policy = new CachePolicy { Lifetimes = [new(200, 200, 5, Overrides: true), new(200, 499, 7, Overrides: false)] };
        Assert.That(Of("Cache-Control: max-age=60, no-cache, must-revalidate", 200), Is.EqualTo(new Lifetime(5, LifetimeSource.Override)));
        Assert.That(Of("Cache-Control: max-age=60", 404), Is.EqualTo(new Lifetime(60, LifetimeSource.MaxAge)));
        Assert.That(Of("", 404), Is.EqualTo(new Lifetime(7, LifetimeSource.Default)));
        Assert.That(Of("", 500), Is.EqualTo(default(Lifetime)));
        Assert.That(new Heads("Cache-Control: max-age=60, no-cache, must-revalidate", policy: policy).Times().Rules, Is.EqualTo(ReuseRules.None), "an override overrides that too");
        Assert.That(new Heads($"Age: 3600|Cache-Control: max-age=60", policy: policy).Times().FreshUntil, Is.EqualTo(Heads.Now + 5000), "it runs from the arrival");

        Lifetime Of(string lines, int status) => Freshness.LifetimeOf(new Heads(lines, status: status).ResponseFacts, policy, Heads.Now);
    }

    [Test]
    public void HeuristicsCanBeTurnedOff() =>
        Assert.That(Freshness.LifetimeOf(new Heads($"Last-Modified: {Heads.Date(-1000)}").ResponseFacts, new() { HeuristicFraction = 0 }, Heads.Now), Is.EqualTo(default(Lifetime)));

    [TestCase("Age: 10", 0, 0, 10)]
    [TestCase("Age: 10", -2500, 0, 12, Description = "the time that the answer took is added")]
    [TestCase("", -2500, 0, 2)]
    [TestCase(Date, 0, 30_000, 30, Description = "apparent age")]
    [TestCase(Date, 0, -30_000, 0, Description = "a Date in the future")]
    [TestCase(Date + "|Age: 10", 30_000, 30_000, 30, Description = "the greater of both")]
    [TestCase(Date + "|Age: 100", 30_000, 30_000, 100)]
    [TestCase("Age: abc", 0, 0, 0, Description = "§5.1: ignored")]
    [TestCase("Age: -7", 0, 0, 0)]
    [TestCase("Age: 7.0", 0, 0, 0)]
    [TestCase("Age: 7, 0", 0, 0, 7, Description = "the first")]
    [TestCase("Age: 0, 7", 0, 0, 0)]
    [TestCase("Age: 7|Age: 0", 0, 0, 7)]
    [TestCase("Age: 0|Age: 7", 0, 0, 0)]
    [TestCase("Age: 99999999999999999999", 0, 0, int.MaxValue)]
    public void TheInitialAgeIsTheGreaterOfTwo(string lines, int requestOffset, int responseOffset, int seconds)
    {
        StoredTimes times = new Heads(lines).Times(Heads.Now + Math.Min(requestOffset, responseOffset), Heads.Now + responseOffset);
        Assert.That(times.AgeAt(times.ResponseTime), Is.EqualTo(seconds));
    }

    [Test]
    public void AgeGrowsWithTimeAndNeverShrinks()
    {
        StoredTimes times = new Heads("Age: 10|Cache-Control: max-age=60").Times();
        Assert.That(times.AgeAt(Heads.Now + 5999), Is.EqualTo(15));
        Assert.That(times.AgeAt(Heads.Now - 100_000), Is.EqualTo(10), "the clock was set back");
        Assert.That(times.FreshUntil, Is.EqualTo(Heads.Now + 50_000));
    }
}
