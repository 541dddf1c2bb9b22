using System.Text;
using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>Random field values: nothing throws, and what must hold for each holds.</summary>
public class RulesFuzzTests
{
    private static readonly string[] s_pieces =
    [
        "max-age", "s-maxage", "no-store", "no-cache", "private", "public", "must-revalidate", "must-understand", "stale-if-error", "stale-while-revalidate", "only-if-cached", "max-stale", "min-fresh",
        "=", "=", "=", ",", ",", ", ", "\"", "\\", ";", "(", ")", "?1", "60", "0", "-1", "99999999999", "x", "set-cookie", " ", "\t", ":", "*", "\u00e4", "W/", "\"a\"", "bytes", "-",
    ];

    [Test]
    public void NothingThrowsAndARestrictionIsNeverLost()
    {
        var random = new Random(1);
        for (int i = 0; i < 100_000; i++)
        {
            string text = Any(random);
            byte[] line = Encoding.Latin1.GetBytes(text);
            var control = new CacheControl();
            control.Add(line);
            Assert.That(control.MaxAge >= -1 && control.SharedMaxAge >= -1 && control.StaleIfError >= -1 && control.StaleWhileRevalidate >= -1, text);
            // A line more can add to a restriction, never take one away.
            const CacheDirectives Restrictions = CacheDirectives.NoStore | CacheDirectives.NoCache | CacheDirectives.Private | CacheDirectives.MustRevalidate;
            CacheControl more = control;
            more.Add(Encoding.Latin1.GetBytes(Any(random)));
            Assert.That(control.Directives & Restrictions & ~more.Directives, Is.EqualTo(CacheDirectives.None), text);
            // A bare no-store behind whatever else is always found, quoted strings without end included.
            var followed = new CacheControl();
            followed.Add(Encoding.Latin1.GetBytes(text + ", no-store"));
            Assert.That(followed.Has(CacheDirectives.NoStore), text);
        }
    }

    [Test]
    public void WholeHeadsNeverThrow()
    {
        var random = new Random(2);
        string[] response = ["Cache-Control", "CDN-Cache-Control", "Expires", "Age", "Date", "ETag", "Last-Modified", "Vary", "Surrogate-Key", "Cache-Tag", "Set-Cookie", "Content-Range"];
        string[] request = ["Cache-Control", "Pragma", "If-None-Match", "If-Modified-Since", "Range", "If-Range", "Accept-Encoding", "Foo", "Cookie", "Authorization"];
        byte[] buffer = new byte[128 * 1024];
        int stored = 0;
        for (int i = 0; i < 20_000; i++)
        {
            var policy = new CachePolicy { StoresUntilClose = true, SetCookie = (SetCookieRule)random.Next(2), Ignored = (IgnoredFields)random.Next(8), HonorsRequests = random.Next(2) == 0, StaleIfError = random.Next(3) };
            var heads = new Heads(Lines(random, response), Lines(random, request), policy: policy, status: random.Next(4) switch { 0 => 404, 1 => 204, _ => 200 });
            if (StoredHeadBuilder.Build(heads.Request, heads.RequestBytes, heads.Response, heads.ResponseBytes, heads.ResponseFacts, policy, Heads.Now - 5, Heads.Now, 0, out StoredHead? head) != StoreVerdict.Storable) continue;
            stored++;
            RequestFacts facts = heads.RequestFacts;
            long now = Heads.Now + random.Next(-100_000, 100_000);
            ReuseDecision decision = Reuse.Decide(head!.Times, facts.Control, policy, now);
            Assert.That(decision.Age, Is.GreaterThanOrEqualTo(0));
            Assert.That(decision.Kind != ReuseKind.Fresh || now < head.Times.FreshUntil);
            Conditional.IsNotModified(facts, heads.Request, heads.RequestBytes, head);
            Ranges.Decide(facts, heads.Request, heads.RequestBytes, head, random.Next(10), out _);
            Assert.That(head.IsSelectedBy(heads.Request, heads.RequestBytes), Is.True, "its own request");
            Assert.That(Heads.Text(buffer.AsSpan(0, head.Write(buffer, 5, 1))), Does.Not.Contain("Set-Cookie"));
            byte[] bytes = StoredHeadTests.Bytes(head);
            Assert.That(StoredHeadFormat.TryRead(bytes, out StoredHead? read), Is.True);
            Assert.That(StoredHeadTests.Bytes(read!), Is.EqualTo(bytes));
        }
        Assert.That(stored, Is.GreaterThan(1000));
    }

    private static string Lines(Random random, string[] names) =>
        string.Join('|', Enumerable.Range(0, random.Next(6)).Select(_ => $"{names[random.Next(names.Length)]}: {(random.Next(4) == 0 ? Heads.Date(random.Next(-200, 200)) : Any(random))}"));

    private static string Any(Random random) => string.Concat(Enumerable.Range(0, random.Next(10)).Select(_ => s_pieces[random.Next(s_pieces.Length)]));
}
