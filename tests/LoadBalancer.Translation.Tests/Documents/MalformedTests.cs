using System.Text;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Tests.Documents;

/// <summary>Documents that nobody may rely on.</summary>
public class MalformedTests
{
    private static readonly BodyPlan InPlace = TestMaps.Up(TestMaps.OfFields("['a <-> b', {'path':'n','convert':{'v1':'number','v2':'string'}}, 'i[].x <-> i[].y', {'v1':'gone','lossy':true}]"));
    private static readonly BodyPlan Tree = TestMaps.Up(TestMaps.OfFields("['a <-> o.b', {'path':'n','convert':{'v1':'number','v2':'string'}}, 'i[].x <-> i[].y.z', {'v1':'gone','lossy':true}, {'v1':'p','v2':['q','r.s'],'separator':' '}]"));

    private static IEnumerable<BodyPlan> Plans => [InPlace, Tree];

    [TestCase("{\"a\":1,\"a\":2}", "/a", 7)]
    [TestCase("{\"u\":{\"x\":1,\"\\u0078\":2}}", "/u/x", 12)]
    [TestCase("{\"gone\":[{\"x\":1,\"x\":2}]}", "/gone/0/x", 16)]
    [TestCase("{\"i\":[{\"x\":1},{\"x\":1,\"z\":0,\"x\":2}]}", "/i/1/x", 27)]
    public void ANameThatComesTwice_IsRefused(string document, string pointer, int position)
    {
        foreach (BodyPlan plan in Plans)
        {
            TranslationProblem? problem = Problem(plan, document);
            Assert.That(problem, Is.Not.Null);
            Assert.That((problem!.Kind, problem.Pointer, problem.Position), Is.EqualTo((TranslationProblemKind.DuplicateName, pointer, (long)position)));
        }
    }

    [Test]
    public void AProblem_IsOneShortLine_WhateverTheNamesAre()
    {
        string name = $"a\\nb\\u0007~/{new string('x', 500)}";
        TranslationProblem problem = Problem(InPlace, $"{{\"{name}\":{{\"{name}\":1,\"{name}\":2}}}}")!;
        Assert.That(problem.Pointer, Does.StartWith("/a\\u000ab\\u0007~0~1xxx"));
        Assert.That(problem.ToString(), Has.Length.LessThan(500));
        Assert.That(problem.ToString().Any(char.IsControl), Is.False);
    }

    [Test]
    public void ManyObjects_MayHaveTheSameNames()
    {
        string document = $"{{\"u\":[{string.Join(',', Enumerable.Range(0, 5000).Select(i => $"{{\"name\":{i},\"longer than eight\":1,\"k{i}\":0}}"))}]}}";
        foreach (BodyPlan plan in Plans) Assert.That(Problem(plan, document), Is.Null);
        foreach (BodyPlan plan in Plans) Assert.That(Problem(plan, document.Replace("\"k4999\"", "\"name\"")), Is.Not.Null);
    }

    [TestCase("", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":1}x", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":1}{}", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":01}", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":NaN}", TranslationProblemKind.Malformed)]
    [TestCase("{'a':1}", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":1,}", TranslationProblemKind.Malformed)]
    [TestCase("{\"a\":1/*x*/}", TranslationProblemKind.Malformed)]
    [TestCase("{\"\\ud800\":1}", TranslationProblemKind.Malformed, Description = "half of a surrogate pair in a name")]
    [TestCase("\uFEFF{}", TranslationProblemKind.Malformed, Description = "a byte order mark (RFC 8259 §8.1)")]
    public void WhatIsNoJson_IsRefused(string document, TranslationProblemKind kind)
    {
        foreach (BodyPlan plan in Plans) Assert.That(Problem(plan, document)?.Kind, Is.EqualTo(kind));
    }

    [Test]
    public void WhatIsNoUtf8_IsRefused()
    {
        foreach (BodyPlan plan in Plans)
        {
            using var translator = new DocumentTranslator();
            Assert.That(translator.Translate(plan, [(byte)'{', (byte)'"', (byte)'u', (byte)'"', (byte)':', (byte)'"', 0xC0, 0xAF, (byte)'"', (byte)'}'], TranslationLimits.Default)?.Kind, Is.EqualTo(TranslationProblemKind.Malformed));
        }
    }

    [Test]
    public void ATruncatedDocument_IsRefusedWhereverItEnds()
    {
        byte[] document = Encoding.UTF8.GetBytes("{\"a\": \"tä\\u00e4xt\", \"n\": -1.5e3, \"i\": [{\"x\": true}, {\"x\": null}], \"gone\": {\"k\": []}, \"u\": [\"\\\"\", {}], \"p\": \"one two\"}");
        foreach (BodyPlan plan in Plans)
        {
            Assert.That(TestMaps.Run(plan, document), Does.Not.StartWith("!"));
            using var translator = new DocumentTranslator();
            for (int length = 0; length < document.Length; length++)
            {
                TranslationProblem? problem = translator.Translate(plan, document.AsSpan(0, length), TranslationLimits.Default);
                Assert.That(problem?.Kind, Is.EqualTo(TranslationProblemKind.Malformed), $"{length} bytes");
                if (problem!.Position >= 0) Assert.That(problem.Position, Is.LessThanOrEqualTo(length));
            }
        }
    }

    [Test]
    public void Depth_IsBounded([Values(8, 64)] int depth)
    {
        var limits = new TranslationLimits { DepthMax = depth };
        foreach (BodyPlan plan in Plans)
        {
            foreach (string name in (string[])["u", "gone", "i", "a"])
            {
                using var translator = new DocumentTranslator();
                byte[] Nested(int levels) => Encoding.UTF8.GetBytes($"{{\"{name}\":{new string('[', levels)}{new string(']', levels)}}}");
                // One level is the document's own. Elements that are no objects are refused for what they are.
                if (name != "i") Assert.That(translator.Translate(plan, Nested(depth - 1), limits), Is.Null);
                if (name != "i") Assert.That(translator.Translate(plan, Nested(depth), limits)?.Kind, Is.EqualTo(TranslationProblemKind.TooDeep));
                Assert.That(translator.Translate(plan, Nested(100_000), limits)?.Kind, Is.AnyOf(TranslationProblemKind.TooDeep, TranslationProblemKind.Malformed, TranslationProblemKind.Unconvertible));
            }
        }
    }

    [Test]
    public void Sizes_AreBounded()
    {
        foreach (BodyPlan plan in Plans)
        {
            using var translator = new DocumentTranslator();
            byte[] document = Encoding.UTF8.GetBytes($"{{\"u\":\"{new string('x', 100)}\",\"n\":5}}");
            Assert.That(translator.Translate(plan, document, new TranslationLimits { DocumentBytesMax = document.Length }), Is.Null);
            Assert.That(translator.Translate(plan, document, new TranslationLimits { DocumentBytesMax = document.Length - 1 })?.Kind, Is.EqualTo(TranslationProblemKind.TooLarge));
            Assert.That(translator.Translate(plan, document, new TranslationLimits { OutputBytesMax = document.Length + 2 }), Is.Null);
            Assert.That(translator.Output.Length, Is.EqualTo(document.Length + 2));
            Assert.That(translator.Translate(plan, document, new TranslationLimits { OutputBytesMax = document.Length + 1 })?.Kind, Is.EqualTo(TranslationProblemKind.OutputTooLarge));
        }
    }

    private static TranslationProblem? Problem(BodyPlan plan, string document)
    {
        using var translator = new DocumentTranslator();
        return translator.Translate(plan, Encoding.UTF8.GetBytes(document), TranslationLimits.Default);
    }
}
