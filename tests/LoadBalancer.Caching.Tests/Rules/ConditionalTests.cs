using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §4.3.2, RFC 9110 §13.1.2, §13.1.3, §13.2.2, §8.8.3.</summary>
public class ConditionalTests
{
    private const string Old = "Sun, 06 Nov 1994 07:49:37 GMT";

    [TestCase("\"v1\"", "\"v1\"", true)]
    [TestCase("\"v1\"", "W/\"v1\"", true, Description = "weak comparison")]
    [TestCase("W/\"v1\"", "\"v1\"", true)]
    [TestCase("\"v1\"", "w/\"v1\"", false)]
    [TestCase("\"v1\"", "\"v2\"", false)]
    [TestCase("\"v1\"", "\"V1\"", false)]
    [TestCase("\"v1\"", "v1", false)]
    [TestCase("\"v1\"", "*", true)]
    [TestCase("", "*", true, Description = "there is a representation")]
    [TestCase("", "\"v1\"", false)]
    [TestCase("\"v1\"", "\"a\", \"b\" ,W/\"v1\"", true)]
    [TestCase("\"v1\"", "\"a\"|If-None-Match: \"v1\"", true, Description = "two lines")]
    [TestCase("\"a,b\"", "\"x\", \"a,b\"", true, Description = "a comma within a tag")]
    [TestCase("\"b\"", "\"a,b\"", false)]
    [TestCase("\"v1\"", "junk, \"v1\"", true, Description = "a bad member does not hide the others")]
    [TestCase("\"v1\"", "\"v1\"junk", false)]
    [TestCase("\"v1\"", "\"v1", false)]
    [TestCase("\"v1\"", "\"a b\", \"v1\"", true)]
    [TestCase("\"\"", "\"\"", true)]
    [TestCase("\"v1\"", "", false)]
    [TestCase("v1", "v1", false, Description = "what is no tag matches nothing")]
    public void IfNoneMatch(string stored, string asked, bool expected) =>
        Assert.That(IsNotModified(stored.Length == 0 ? "" : $"ETag: {stored}|", $"If-None-Match: {asked}"), Is.EqualTo(expected));

    [TestCase(Heads.NowText, Heads.NowText, true)]
    [TestCase(Heads.NowText, "Sun, 06 Nov 1994 08:49:38 GMT", true)]
    [TestCase(Heads.NowText, Old, false)]
    [TestCase(Heads.NowText, "Sunday, 06-Nov-94 08:49:37 GMT", true)]
    [TestCase(Heads.NowText, "Sun Nov  6 08:49:37 1994", true)]
    [TestCase(Heads.NowText, "yesterday", false)]
    [TestCase(Heads.NowText, "", false)]
    [TestCase(Heads.NowText, Heads.NowText + "|If-Modified-Since: " + Heads.NowText, false, Description = "several are none")]
    [TestCase(null, Heads.NowText, true, Description = "without Last-Modified its Date stands for it")]
    [TestCase(null, Old, false)]
    [TestCase("yesterday", "yesterday", false)]
    public void IfModifiedSince(string? stored, string asked, bool expected) =>
        Assert.That(IsNotModified(stored is null ? "" : $"Last-Modified: {stored}|", $"If-Modified-Since: {asked}"), Is.EqualTo(expected));

    [Test]
    public void IfNoneMatchCountsBeforeIfModifiedSince()
    {
        const string Both = "ETag: \"v1\"|Last-Modified: " + Heads.NowText + "|";
        Assert.That(IsNotModified(Both, "If-None-Match: \"v2\"|If-Modified-Since: " + Heads.NowText), Is.False);
        Assert.That(IsNotModified(Both, "If-None-Match: \"v1\"|If-Modified-Since: " + Old), Is.True);
    }

    [TestCase(200, true)]
    [TestCase(203, true)]
    [TestCase(301, false)]
    [TestCase(404, false)]
    public void OnlyA2xxBecomesA304(int status, bool expected) => Assert.That(IsNotModified("ETag: \"v1\"|", "If-None-Match: \"v1\"", status), Is.EqualTo(expected));

    [TestCase("", false, true)]
    [TestCase("If-None-Match: \"a\"", false, true)]
    [TestCase("If-Match: \"a\"", true, false)]
    [TestCase("If-Unmodified-Since: " + Heads.NowText, true, false)]
    public void ConditionsOnTheOriginsStateAreForwarded(string lines, bool expected, bool answered)
    {
        RequestFacts facts = new Heads(requestLines: lines).RequestFacts;
        Assert.That((facts.HasPrecondition, facts.MayBeAnswered), Is.EqualTo((expected, answered)));
    }

    [TestCase("GET", true)]
    [TestCase("HEAD", true)]
    [TestCase("POST", false)]
    public void GetAndHeadAreAnswered(string method, bool expected) => Assert.That(new Heads(method: method).RequestFacts.MayBeAnswered, Is.EqualTo(expected));

    private static bool IsNotModified(string storedLines, string requestLines, int status = 200)
    {
        StoredHead stored = new Heads($"{storedLines}Date: {Heads.NowText}|Cache-Control: max-age=60", status: status).Stored();
        var request = new Heads(requestLines: requestLines);
        return Conditional.IsNotModified(request.RequestFacts, request.Request, request.RequestBytes, stored);
    }
}
