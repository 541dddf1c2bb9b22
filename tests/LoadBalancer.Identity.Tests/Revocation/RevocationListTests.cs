using System.Text;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Identity.Tests.Revocation;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class RevocationListTests
{
    private static RevocationList Read(string text) => RevocationList.TryRead(Encoding.UTF8.GetBytes(text), out RevocationList? list, out string problem) ? list : throw new FormatException(problem);

    [Test]
    public void Contains_EachKind_ByItself()
    {
        RevocationList list = Read("# comment\r\n\r\njti 1\n  sub  Älice of b \nkid k1\nkey a\njti 1\n");
        Assert.Multiple(() =>
        {
            Assert.That(list.Count, Is.EqualTo(4));
            Assert.That(list.Contains(RevocationKind.Token, "1"), Is.True);
            Assert.That(list.Contains(RevocationKind.Subject, "Älice of b"), Is.True);
            Assert.That(list.Contains(RevocationKind.Key, "k1"), Is.True);
            Assert.That(list.Contains(RevocationKind.ApiKey, "a"), Is.True);
            Assert.That(list.Contains(RevocationKind.Subject, "1"), Is.False);
            Assert.That(list.Contains(RevocationKind.Token, null), Is.False);
            Assert.That(list.Contains(RevocationKind.Token, new string('x', 100_000)), Is.False);
        });
    }

    [TestCase("alice", "line 1 does not begin")]
    [TestCase("jti 1\nsub", "line 2 has no value")]
    [TestCase("JTI 1", "does not begin")]
    public void TryRead_WrongLine_RefusesAll(string text, string expected)
    {
        Assert.That(RevocationList.TryRead(Encoding.UTF8.GetBytes(text), out _, out string problem), Is.False);
        Assert.That(problem, Does.Contain(expected));
    }

    [Test]
    public void Contains_Many_FindsEachAndNoOther()
    {
        RevocationList list = Read(string.Join('\n', Enumerable.Range(0, 50_000).Select(i => $"jti {i}")));
        Assert.That(list.Count, Is.EqualTo(50_000));
        Assert.That(Enumerable.Range(0, 50_000).All(i => list.Contains(RevocationKind.Token, i.ToString())), Is.True);
        Assert.That(Enumerable.Range(50_000, 50_000).Any(i => list.Contains(RevocationKind.Token, i.ToString())), Is.False);
    }
}
