using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §4.1.</summary>
public class SelectionTests
{
    [TestCase("Foo", "Foo: 1", "Foo: 1", true)]
    [TestCase("Foo", "Foo: 1", "foo:   1  ", true)]
    [TestCase("Foo", "Foo: 1", "Foo: 2", false)]
    [TestCase("Foo", "Foo: a", "Foo: A", false, Description = "of an unknown field the case may mean something")]
    [TestCase("Foo", "Foo: 1", "", false)]
    [TestCase("Foo", "", "Foo: 1", false)]
    [TestCase("Foo", "", "", true)]
    [TestCase("Foo", "Foo:", "", false, Description = "empty is not absent")]
    [TestCase("Foo", "Foo:", "Foo:", true)]
    [TestCase("Foo", "Foo: 1, 2", "Foo: 1,2", true)]
    [TestCase("Foo", "Foo: 1 , 2", "Foo: 1|Foo: 2", true)]
    [TestCase("Foo", "Foo: 1|Foo: 2", "Foo: 2|Foo: 1", false, Description = "order means something")]
    [TestCase("Foo", "Foo: \"1, 2\"", "Foo: \"1,2\"", false, Description = "not within quotes")]
    [TestCase("Foo", "Foo: \"a\\\", b\"", "Foo: \"a\\\",b\"", false)]
    [TestCase("Foo", "Foo: 1  2", "Foo: 1 2", false)]
    [TestCase("Foo, Bar", "Foo: 1|Bar: 2", "Bar: 2|Foo: 1", true)]
    [TestCase("Foo, Bar", "Foo: 1|Bar: 2", "Foo: 1|Bar: 3", false)]
    [TestCase("Foo|Vary: Bar", "Foo: 1|Bar: 2", "Foo: 1|Bar: 3", false)]
    [TestCase("Foo, foo, ,FOO", "Foo: 1", "Foo: 1", true)]
    [TestCase("Host", "", "", true)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip, br", "accept-encoding: BR,gzip", true)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip;q=1.0, br", "Accept-Encoding: br; q=1, gzip", true)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip;q=0.5, br", "Accept-Encoding: gzip, br", false)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip;q=0", "Accept-Encoding: gzip", false)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip;q=1.001", "Accept-Encoding: gzip", false)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip, br", false)]
    [TestCase("Accept-Encoding", "Accept-Encoding: gzip", "", false)]
    [TestCase("Accept-Language", "Accept-Language: en-US, de;q=0.5", "Accept-Language: EN-us,de;q=0.5", true)]
    [TestCase("Accept-Language", "Accept-Language: en, de", "Accept-Language: de, en", false, Description = "RFC 9110 §12.5.4: some take the order for a preference")]
    [TestCase("Accept-Language", "Accept-Language: en;q=1.000, de", "Accept-Language: en, de", true)]
    public void ValuesThatMeanTheSameMatch(string vary, string stored, string asked, bool expected)
    {
        StoredHead head = new Heads($"Cache-Control: max-age=60|Vary: {vary}", stored).Stored();
        var other = new Heads(requestLines: asked);
        Assert.That(head.IsSelectedBy(other.Request, other.RequestBytes), Is.EqualTo(expected));
        var same = new Heads(requestLines: stored);
        Assert.That(head.IsSelectedBy(same.Request, same.RequestBytes), Is.True, "its own request");
    }

    [Test]
    public void WithoutVaryEachRequestMatches()
    {
        var heads = new Heads("Cache-Control: max-age=60", "Foo: 1");
        Assert.That(heads.Stored().SelectedBy.IsEmpty);
        Assert.That(new Heads("Cache-Control: max-age=60|Vary: Foo", policy: new() { Ignored = IgnoredFields.Vary }).Stored().SelectedBy.IsEmpty, "ignored");
    }

    [Test]
    public void BoundsAreKept()
    {
        Assert.That(Build(string.Join(", ", Enumerable.Range(0, 16).Select(i => $"F{i}")), ""), Is.EqualTo(StoreVerdict.Storable));
        Assert.That(Build(string.Join(", ", Enumerable.Range(0, 17).Select(i => $"F{i}")), ""), Is.EqualTo(StoreVerdict.VaryTooLarge));
        Assert.That(Build("Foo", "Foo: " + new string('x', Selection.ValueBytesMax)), Is.EqualTo(StoreVerdict.Storable));
        Assert.That(Build("Foo", "Foo: " + new string('x', Selection.ValueBytesMax + 1)), Is.EqualTo(StoreVerdict.VaryTooLarge));
        Assert.That(Build(new string('x', 256), ""), Is.EqualTo(StoreVerdict.VaryTooLarge));
        var stored = new Heads("Cache-Control: max-age=60|Vary: Foo", "Foo: 1").Stored();
        var longer = new Heads(requestLines: "Foo: " + new string('x', 2000));
        Assert.That(stored.IsSelectedBy(longer.Request, longer.RequestBytes), Is.False);
        var many = new Heads("Cache-Control: max-age=60|Vary: Accept-Encoding", "Accept-Encoding: " + string.Join(",", Enumerable.Range(0, 40).Select(i => $"c{i}")));
        Assert.That(many.Stored().IsSelectedBy(many.Request, many.RequestBytes), Is.True, "more codings than are sorted");
    }

    [Test]
    public void RandomValuesMatchThemselvesAndNeverThrow()
    {
        var random = new Random(7);
        string alphabet = "ab, \t\"\\;q=1.0*";
        for (int i = 0; i < 2000; i++)
        {
            string name = random.Next(3) switch { 0 => "Accept-Encoding", 1 => "Accept-Language", _ => "Foo" };
            string lines = string.Join('|', Enumerable.Range(0, random.Next(1, 3)).Select(_ => $"{name}: {Any()}"));
            string other = $"{name}: {Any()}";
            StoredHead head = new Heads($"Cache-Control: max-age=60|Vary: {name}", lines).Stored();
            var same = new Heads(requestLines: lines);
            var asked = new Heads(requestLines: other);
            Assert.That(head.IsSelectedBy(same.Request, same.RequestBytes), Is.True, lines);
            // Symmetric: what matches one way matches the other.
            StoredHead reverse = new Heads($"Cache-Control: max-age=60|Vary: {name}", other).Stored();
            Assert.That(head.IsSelectedBy(asked.Request, asked.RequestBytes), Is.EqualTo(reverse.IsSelectedBy(same.Request, same.RequestBytes)), $"{lines} / {other}");
        }

        string Any() => new([.. Enumerable.Range(0, random.Next(12)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
    }

    private static StoreVerdict Build(string vary, string requestLines)
    {
        var heads = new Heads($"Cache-Control: max-age=60|Vary: {vary}", requestLines);
        return StoredHeadBuilder.Build(heads.Request, heads.RequestBytes, heads.Response, heads.ResponseBytes, heads.ResponseFacts, heads.Policy, Heads.Now, Heads.Now, 0, out _);
    }
}
