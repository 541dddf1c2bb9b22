using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9211.</summary>
public class CacheStatusTests
{
    private static IEnumerable<TestCaseData> Cases()
    {
        (CacheStatusEntry, string)[] cases =
        [
            (new(ForwardReason.None, 30), "lb; hit; ttl=30"),
            (new(ForwardReason.None, -5), "lb; hit; ttl=-5"),
            (new(ForwardReason.UriMiss, 60, IsStored: true), "lb; fwd=uri-miss; ttl=60; stored"),
            (new(ForwardReason.VaryMiss, IsCollapsed: true), "lb; fwd=vary-miss; collapsed"),
            (new(ForwardReason.Stale, 60, 304, IsStored: true), "lb; fwd=stale; fwd-status=304; ttl=60; stored"),
            (new(ForwardReason.Bypass), "lb; fwd=bypass"),
            (new(ForwardReason.Method), "lb; fwd=method"),
            (new(ForwardReason.Request), "lb; fwd=request"),
            (new(ForwardReason.Partial), "lb; fwd=partial"),
            (new(ForwardReason.Miss, Verdict: StoreVerdict.SetCookie), "lb; fwd=miss; detail=SetCookie"),
        ];
        return cases.Select(c => new TestCaseData(c.Item1, c.Item2));
    }

    [TestCaseSource(nameof(Cases))]
    public void OurMemberIsWritten(CacheStatusEntry entry, string expected)
    {
        byte[] buffer = new byte[CacheStatus.BytesMax];
        Assert.That(Heads.Text(buffer.AsSpan(0, CacheStatus.Write(buffer, "lb"u8, entry))), Is.EqualTo($"Cache-Status: {expected}\r\n"));
    }

    [Test]
    public void TheLongestFits()
    {
        byte[] name = CacheStatus.NameOf(new string('"', 64));
        byte[] buffer = new byte[CacheStatus.BytesMax + name.Length];
        foreach (StoreVerdict verdict in Enum.GetValues<StoreVerdict>())
            Assert.That(() => CacheStatus.Write(buffer, name, new(ForwardReason.VaryMiss, int.MinValue, 599, true, true, verdict)), Throws.Nothing);
    }

    [TestCase("lb", "lb")]
    [TestCase("lb.example/1", "lb.example/1")]
    [TestCase("1lb", "\"1lb\"", Description = "a token does not begin with a digit")]
    [TestCase("my cache", "\"my cache\"")]
    [TestCase("a\"b\\", "\"a\\\"b\\\\\"")]
    public void ANameIsATokenOrAString(string name, string expected) => Assert.That(Heads.Text(CacheStatus.NameOf(name)), Is.EqualTo(expected));

    [TestCase("")]
    [TestCase("a\n")]
    [TestCase("\u00e4")]
    public void ABadNameIsRefused(string name) => Assert.That(() => CacheStatus.NameOf(name), Throws.InstanceOf<ArgumentException>());
}
