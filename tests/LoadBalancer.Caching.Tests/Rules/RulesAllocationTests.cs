using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

[NonParallelizable]
public class RulesAllocationTests
{
    private const string Response = "Date: " + Heads.NowText + "|Cache-Control: max-age=60, stale-while-revalidate=5, no-cache=\"x\"|CDN-Cache-Control: max-age=60;x=\"y\"|ETag: \"v1\"|Last-Modified: Sun, 06 Nov 1994 07:49:37 GMT"
        + "|Vary: Accept-Encoding, Accept-Language, Foo|Expires: " + Heads.NowText + "|Age: 3";

    private const string Request = "Accept-Encoding: br;q=1.0, gzip, deflate|Accept-Language: de-DE, de;q=0.9|Foo: 1|Foo: 2|Cache-Control: max-age=600, max-stale=\"5\", min-fresh=1|Cookie: a=b; s=1"
        + "|If-None-Match: \"a\", W/\"b\"|If-Modified-Since: Sun, 06 Nov 1994 06:49:37 GMT|Range: bytes=1-3|If-Range: Sun, 06 Nov 1994 07:49:37 GMT";

    [Test]
    public void AHit_AllocatesNothing()
    {
        var heads = new Heads(Response, Request);
        StoredHead stored = heads.Stored();
        var key = new CacheKey(new() { SortsQuery = true, Query = QueryRule.Except, QueryNames = ["utm_*"], Fields = ["Accept-Language"], Cookies = ["s"] });
        byte[] buffer = new byte[4096];
        byte[] path = "/a/b"u8.ToArray();
        int hits = 0;
        AssertAllocatesNothing(() =>
        {
            RequestFacts facts = RequestFacts.Of(heads.Request, heads.RequestBytes);
            bool isForCache = Storability.Decide(facts, heads.Policy) == StoreVerdict.Storable && key.TryWrite(buffer, false, heads.Request, heads.RequestBytes, path, out _);
            if (!isForCache || !stored.IsSelectedBy(heads.Request, heads.RequestBytes)) return;
            ReuseDecision decision = Reuse.Decide(stored.Times, facts.Control, heads.Policy, Heads.Now + 5000);
            Reuse.MayServeOnError(stored.Times, facts.Control, heads.Policy, Heads.Now + 5000);
            if (!decision.IsHit || Conditional.IsNotModified(facts, heads.Request, heads.RequestBytes, stored)) return;
            RangeVerdict verdict = Ranges.Decide(facts, heads.Request, heads.RequestBytes, stored, 5, out ByteRange range);
            int length = stored.Write(buffer, 5, decision.Age);
            length += stored.WriteNotModified(buffer, decision.Age) + stored.WritePartial(buffer, range, 5, decision.Age) + StoredHead.WriteUnsatisfiable(buffer, 5);
            length += CacheStatus.Write(buffer, "lb"u8, new(decision.Reason, decision.Ttl));
            var writer = new ConditionWriter(buffer);
            writer.Add(stored);
            if (verdict == RangeVerdict.Part && length > 0 && writer.Finish() > 0) hits++;
        });
        Assert.That(hits, Is.GreaterThan(10_000));
    }

    [Test]
    public void AVerdict_AllocatesNothing()
    {
        var heads = new Heads(Response, Request);
        int storable = 0;
        AssertAllocatesNothing(() =>
        {
            ResponseFacts facts = ResponseFacts.Of(heads.Response, heads.ResponseBytes, heads.Policy);
            if (Storability.Decide(RequestFacts.Of(heads.Request, heads.RequestBytes), facts, heads.Policy) == StoreVerdict.Storable) storable++;
            StoredTimes.Of(facts, heads.Policy, Heads.Now, Heads.Now);
        });
        Assert.That(storable, Is.GreaterThan(10_000));
    }

    private static void AssertAllocatesNothing(Action round)
    {
        for (int i = 0; i < 200; i++) round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++) round();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
