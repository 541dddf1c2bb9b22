using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §4.2.4, §5.2.1, §5.2.2; RFC 5861. "after" is seconds since the response came.</summary>
public class ReuseTests
{
    [TestCase("max-age=60", "", 0, ReuseKind.Fresh)]
    [TestCase("max-age=60", "", 59, ReuseKind.Fresh)]
    [TestCase("max-age=60", "", 60, ReuseKind.Revalidate, Description = "lifetime > age")]
    [TestCase("max-age=60, no-cache", "", 0, ReuseKind.Revalidate)]
    [TestCase("max-age=60, no-cache", "max-stale", 0, ReuseKind.Revalidate)]
    [TestCase("max-age=60, no-cache=\"x\"", "", 0, ReuseKind.Fresh)]
    [TestCase("max-age=60", "no-cache", 0, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "max-age=0", 0, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "max-age=10", 10, ReuseKind.Fresh)]
    [TestCase("max-age=60", "max-age=10", 11, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "max-age=x", 1, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "min-fresh=10", 50, ReuseKind.Fresh)]
    [TestCase("max-age=60", "min-fresh=10", 51, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "max-stale=10", 70, ReuseKind.StaleAllowed)]
    [TestCase("max-age=60", "max-stale=10", 71, ReuseKind.Revalidate)]
    [TestCase("max-age=60", "max-stale", 99_999, ReuseKind.StaleAllowed)]
    [TestCase("max-age=60", "max-stale, max-age=70", 71, ReuseKind.Revalidate)]
    [TestCase("max-age=60, must-revalidate", "max-stale", 61, ReuseKind.Revalidate)]
    [TestCase("max-age=60, proxy-revalidate", "max-stale", 61, ReuseKind.Revalidate)]
    [TestCase("s-maxage=60", "max-stale", 61, ReuseKind.Revalidate, Description = "§5.2.2.10: as proxy-revalidate")]
    [TestCase("max-age=60", "only-if-cached", 0, ReuseKind.Fresh)]
    [TestCase("max-age=60", "only-if-cached", 61, ReuseKind.OnlyIfCachedMiss)]
    [TestCase("max-age=60", "only-if-cached, max-stale=5", 61, ReuseKind.StaleAllowed)]
    [TestCase("max-age=60", "only-if-cached, no-cache", 0, ReuseKind.OnlyIfCachedMiss)]
    [TestCase("max-age=60, stale-while-revalidate=30", "", 89, ReuseKind.StaleWhileRevalidate)]
    [TestCase("max-age=60, stale-while-revalidate=30", "", 90, ReuseKind.Revalidate)]
    [TestCase("s-maxage=60, stale-while-revalidate=30", "", 89, ReuseKind.StaleWhileRevalidate, Description = "said beside it: meant")]
    [TestCase("max-age=60, stale-while-revalidate=30, must-revalidate", "", 61, ReuseKind.Revalidate)]
    [TestCase("max-age=60, stale-while-revalidate=30, no-cache", "", 0, ReuseKind.Revalidate)]
    [TestCase("max-age=60, stale-while-revalidate=30", "min-fresh=1", 61, ReuseKind.Revalidate)]
    public void TheDirectivesOfBothSidesDecide(string response, string request, int after, ReuseKind expected) =>
        Assert.That(Decide(response, request, after, CachePolicy.Default).Kind, Is.EqualTo(expected));

    [TestCase("no-cache")]
    [TestCase("max-age=0")]
    [TestCase("min-fresh=999")]
    [TestCase("only-if-cached")]
    public void ThePolicyMayIgnoreWhatClientsSay(string request)
    {
        var policy = new CachePolicy { HonorsRequests = false };
        Assert.That(Decide("max-age=60", request, 0, policy).Kind, Is.EqualTo(ReuseKind.Fresh));
        Assert.That(Decide("max-age=60", request + ", max-stale", 60, policy).Kind, Is.EqualTo(ReuseKind.Revalidate));
    }

    [TestCase("max-age=60", "", 0, 60, ForwardReason.None, 0)]
    [TestCase("max-age=60", "", 10, 50, ForwardReason.None, 10)]
    [TestCase("max-age=60", "", 75, -15, ForwardReason.Stale, 75)]
    [TestCase("max-age=60", "no-cache", 10, 50, ForwardReason.Request, 10)]
    [TestCase("max-age=60, no-cache", "", 10, 50, ForwardReason.Stale, 10)]
    public void AgeTtlAndReasonAreTold(string response, string request, int after, int ttl, ForwardReason reason, int age)
    {
        ReuseDecision decision = Decide(response, request, after, CachePolicy.Default);
        Assert.That((decision.Ttl, decision.Reason, decision.Age), Is.EqualTo((ttl, reason, age)));
    }

    [TestCase("max-age=60", "", 61, false)]
    [TestCase("max-age=60, stale-if-error=30", "", 89, true)]
    [TestCase("max-age=60, stale-if-error=30", "", 90, false)]
    [TestCase("max-age=60, stale-if-error=30, must-revalidate", "", 61, false)]
    [TestCase("max-age=60, stale-if-error=30, proxy-revalidate", "", 61, false)]
    [TestCase("max-age=60, stale-if-error=30, no-cache", "", 1, false)]
    [TestCase("max-age=60, stale-if-error=30", "no-cache", 1, false)]
    [TestCase("s-maxage=60, stale-if-error=30", "", 61, true)]
    [TestCase("max-age=60", "stale-if-error=30", 89, true)]
    [TestCase("s-maxage=60", "stale-if-error=30", 61, false)]
    [TestCase("max-age=60, stale-if-error=x", "", 60, false)]
    public void OnErrorAStaleResponseMayBeSentWhereItIsAllowed(string response, string request, int after, bool expected) =>
        Assert.That(Reuse.MayServeOnError(Times(response, CachePolicy.Default), Request(request), CachePolicy.Default, Heads.Now + after * 1000L), Is.EqualTo(expected));

    [Test]
    public void DefaultsOfThePolicyCountWhereNothingIsSaid()
    {
        var policy = new CachePolicy { StaleIfError = 10, StaleWhileRevalidate = 20 };
        Assert.That((Times("max-age=60", policy).StaleIfError, Times("max-age=60", policy).StaleWhileRevalidate), Is.EqualTo((10, 20)));
        Assert.That((Times("s-maxage=60", policy).StaleIfError, Times("s-maxage=60", policy).StaleWhileRevalidate), Is.EqualTo((0, 0)));
        Assert.That((Times("max-age=60, stale-if-error=0, stale-while-revalidate=1", policy).StaleIfError, Times("max-age=60, stale-while-revalidate=1", policy).StaleWhileRevalidate), Is.EqualTo((0, 1)));
        Assert.That(Times("max-age=60", policy).StaleUntil, Is.EqualTo(Heads.Now + 80_000));
        Assert.That(Times("max-age=60, must-revalidate", policy).StaleUntil, Is.EqualTo(Heads.Now + 60_000));
    }

    [Test]
    public void ASoftPurgeMakesItStaleAtOnce()
    {
        RequestCacheControl none = Request("");
        Assert.That(Reuse.Decide(Times("max-age=60", CachePolicy.Default), none, CachePolicy.Default, Heads.Now, isMarkedStale: true).Kind, Is.EqualTo(ReuseKind.Revalidate));
        Assert.That(Reuse.Decide(Times("max-age=60, stale-while-revalidate=5", CachePolicy.Default), none, CachePolicy.Default, Heads.Now, isMarkedStale: true).Kind, Is.EqualTo(ReuseKind.StaleWhileRevalidate));
        Assert.That(Reuse.MayServeOnError(Times("max-age=60, stale-if-error=5", CachePolicy.Default), none, CachePolicy.Default, Heads.Now, isMarkedStale: true), Is.True);
    }

    [TestCase(500, true)]
    [TestCase(502, true)]
    [TestCase(503, true)]
    [TestCase(504, true)]
    [TestCase(501, false)]
    [TestCase(404, false)]
    [TestCase(200, false)]
    public void FourStatusesAreErrors(int status, bool expected) => Assert.That(Reuse.IsError(status), Is.EqualTo(expected));

    private static StoredTimes Times(string directives, CachePolicy policy) => new Heads($"Cache-Control: {directives}", policy: policy).Times();

    private static RequestCacheControl Request(string directives) => new Heads(requestLines: $"Cache-Control: {directives}").RequestFacts.Control;

    private static ReuseDecision Decide(string response, string request, int after, CachePolicy policy) =>
        Reuse.Decide(Times(response, policy), Request(request), policy, Heads.Now + after * 1000L);
}
