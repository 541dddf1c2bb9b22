using System.Text;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Yaml;

namespace LoadBalancer.Schemas.Tests;

[TestFixture]
public sealed class YamlTests
{
    [TestCase("a: 1", """{"a":1}""")]
    [TestCase("200: ok", """{"200":"ok"}""")]
    [TestCase("[1, -2, +3, 0x1F, 0o17, 012, 1., .5, 1e3, 1_000]", """[1,-2,3,31,15,12,1,0.5,1e3,"1_000"]""")]
    [TestCase("[true, False, yes, on, null, ~, '']", """[true,false,"yes","on",null,null,""]""")]
    [TestCase("['1', \"true\", !!str 5]", """["1","true","5"]""")]
    [TestCase("2020-01-01", "\"2020-01-01\"")]
    [TestCase("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [TestCase("a: &x {b: 1}\nc: *x", """{"a":{"b":1},"c":{"b":1}}""")]
    public void TryConvert_Yaml_IsTheSameInJson(string yaml, string json)
    {
        Assert.That(YamlReader.TryConvert(Encoding.UTF8.GetBytes(yaml), new JsonLimits(), out byte[]? converted, out _, out string error), Is.True, error);
        Assert.That(Encoding.UTF8.GetString(converted!), Is.EqualTo(json));
    }

    [TestCase("a: 1\n---\nb: 2", "more than one document")]
    [TestCase("a: .inf", "no number of JSON")]
    [TestCase("a: &x [*x]", "has no anchor before it")]
    [TestCase("a: !!binary abcd", "tag")]
    [TestCase("? [a]\n: 1", "no plain value")]
    [TestCase("a: &x {b: 1}\nc:\n  <<: *x", "merge keys")]
    [TestCase("", "is empty")]
    public void TryConvert_WhatJsonHasNoWordFor_IsRefused(string yaml, string expected)
    {
        Assert.That(YamlReader.TryConvert(Encoding.UTF8.GetBytes(yaml), new JsonLimits(), out _, out _, out string error), Is.False);
        Assert.That(error, Does.Contain(expected));
    }

    [Test]
    public void TryConvert_DeepNesting_IsRefused()
    {
        byte[] yaml = Encoding.UTF8.GetBytes(new string('[', 100_000));
        Assert.That(YamlReader.TryConvert(yaml, new JsonLimits(), out _, out _, out string error), Is.False);
        Assert.That(error, Is.Not.Empty);
    }

    [Test]
    [CancelAfter(30_000)]
    public void TryConvert_MutatedTexts_NeverThrows()
    {
        const int Seed = 5;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        byte[] sample = Encoding.UTF8.GetBytes("a: &x\n  - {b: 'c', d: \"e\\u0041\"}\n  - >-\n    text\nf: *x\n? g\n: [1, 2.5, ~]\n# end\n");
        for (int i = 0; i < 5000; i++)
        {
            byte[] text = [.. sample];
            for (int m = random.Next(1, 5); m > 0; m--) text[random.Next(text.Length)] = (byte)random.Next(random.Next(4) == 0 ? 256 : 128);
            text = text[..random.Next(text.Length + 1)];
            if (YamlReader.TryConvert(text, new JsonLimits(), out byte[]? json, out _, out _)) Assert.That(new JsonTree().Parse(json, new JsonLimits()), Is.EqualTo(JsonFault.None).Or.EqualTo(JsonFault.NumberTooLong));
        }
    }
}
