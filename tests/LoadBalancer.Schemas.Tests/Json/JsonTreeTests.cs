using System.Text;
using System.Text.Json;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Tests.Json;

[TestFixture]
public sealed class JsonTreeTests
{
    private static readonly JsonLimits Limits = new();

    private static JsonFault Parse(string text, JsonLimits? limits = null) => new JsonTree().Parse(Encoding.UTF8.GetBytes(text), limits ?? Limits);

    // The platform's reader is the reference for what is JSON, but for half pairs, which it lets pass until the string is asked for.
    private static bool IsJson(byte[] text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return AllStringsDecode(document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool AllStringsDecode(JsonElement element)
    {
        try
        {
            return element.ValueKind switch
            {
                JsonValueKind.String => element.GetString() is not null,
                JsonValueKind.Array => element.EnumerateArray().All(AllStringsDecode),
                JsonValueKind.Object => element.EnumerateObject().All(p => p.Name is not null && AllStringsDecode(p.Value)),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    [Test]
    public void Parse_MutatedTexts_AgreesWithTheReferenceReader()
    {
        const int Seed = 20261129;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        string[] samples =
        [
            """{"a":[1,-2.5e+10,true,false,null],"b":{"c":"d\u00e9\ud83d\udc32\n","":[]},"ä":{}}""", "[[],{},[[1]],\"\\\\\"]", "-0.0E-1", " \t\r\n\"x\" ", "[1,2,3]", "{\"a\":{\"b\":{}}}",
        ];
        const string Alphabet = "{}[]:,\"\\u0123456789abcdefTtrueflsn-+.eE \n\tdD8";
        var limits = new JsonLimits { AllowDuplicateNames = true };
        var tree = new JsonTree();
        int accepted = 0;
        for (int i = 0; i < 60_000; i++)
        {
            var text = new List<byte>(Encoding.UTF8.GetBytes(samples[random.Next(samples.Length)]));
            for (int m = random.Next(4); m >= 0; m--)
            {
                int at = random.Next(text.Count + 1);
                byte c = random.Next(20) == 0 ? (byte)random.Next(256) : (byte)Alphabet[random.Next(Alphabet.Length)];
                switch (random.Next(3))
                {
                    case 0: text.Insert(at, c); break;
                    case 1: if (at < text.Count) text[at] = c; break;
                    default: if (at < text.Count) text.RemoveAt(at); break;
                }
            }
            byte[] bytes = [.. text];
            JsonFault fault = tree.Parse(bytes, limits);
            if (fault == JsonFault.NumberTooLong) continue;
            if (fault == JsonFault.None) accepted++;
            Assert.That(fault == JsonFault.None, Is.EqualTo(IsJson(bytes)), $"{i}: {Encoding.UTF8.GetString(bytes)}");
        }
        Assert.That(accepted, Is.GreaterThan(1000), "the mutations are not all broken");
    }

    [Test]
    public void Parse_EachPrefixOfAText_IsNotJson()
    {
        byte[] text = Encoding.UTF8.GetBytes("""{"name":"a\u00e9\ud83d\udc32","list":[1.5e3,true,null,{"x":"ü"}]}""");
        for (int length = 0; length < text.Length; length++)
        {
            Assert.That(new JsonTree().Parse(text.AsSpan(0, length), Limits), Is.EqualTo(JsonFault.NotJson), $"{length} bytes");
        }
        Assert.That(new JsonTree().Parse(text, Limits), Is.EqualTo(JsonFault.None));
    }

    [TestCase("""{"a":1,"a":2}""")]
    [TestCase("""{"a":1,"\u0061":2}""")]
    [TestCase("""[{"x":{"b":1,"c":2,"b":3}}]""")]
    public void Parse_NameTwice_IsDuplicate(string text)
    {
        Assert.That(Parse(text), Is.EqualTo(JsonFault.DuplicateName));
        Assert.That(Parse(text, new JsonLimits { AllowDuplicateNames = true }), Is.EqualTo(JsonFault.None));
    }

    [Test]
    public void Parse_NameTwiceAmongMany_IsDuplicate()
    {
        string many = string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"n{i}\":{i}"));
        Assert.That(Parse($"{{{many}}}"), Is.EqualTo(JsonFault.None));
        Assert.That(Parse($"{{{many},\"n500\":0}}"), Is.EqualTo(JsonFault.DuplicateName));
    }

    [Test]
    public void Parse_DeeperThanTheLimit_IsTooDeep()
    {
        Assert.That(Parse(new string('[', 64) + new string(']', 64)), Is.EqualTo(JsonFault.None));
        Assert.That(Parse(new string('[', 65) + new string(']', 65)), Is.EqualTo(JsonFault.TooDeep));
        Assert.That(Parse(new string('[', 1_000_000)), Is.EqualTo(JsonFault.TooDeep));
    }

    [Test]
    public void Parse_MoreThanTheLimits_IsTooLarge()
    {
        Assert.That(Parse("[1,2,3]", new JsonLimits { NodesMax = 4 }), Is.EqualTo(JsonFault.None));
        Assert.That(Parse("[1,2,3]", new JsonLimits { NodesMax = 3 }), Is.EqualTo(JsonFault.TooLarge));
        Assert.That(Parse("[1,2,3]", new JsonLimits { BytesMax = 6 }), Is.EqualTo(JsonFault.TooLarge));
    }

    [TestCase("1e1234567890")]
    [TestCase("1E-0000000001")]
    public void Parse_NumberNobodyComputesWith_IsTooLong(string text) => Assert.That(Parse(text), Is.EqualTo(JsonFault.NumberTooLong));

    [Test]
    public void PointerOf_EachNode_FindsItsWay()
    {
        const string Text = """{"a/b":[10,{"~":true}],"c":"x"}""";
        byte[] utf8 = Encoding.UTF8.GetBytes(Text);
        var tree = new JsonTree();
        Assert.That(tree.Parse(utf8, Limits), Is.EqualTo(JsonFault.None));
        string[] pointers = new string[tree.NodeCount];
        for (int i = 0; i < pointers.Length; i++) pointers[i] = tree.Over(utf8).PointerOf(i);
        Assert.That(pointers, Is.EqualTo((string[])["", "/a~1b", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/~0", "/a~1b/1/~0", "/c", "/c"]));
    }
}
