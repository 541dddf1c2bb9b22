using LoadBalancer.Schemas.Patterns;

namespace LoadBalancer.Schemas.Tests;

[TestFixture]
public sealed class PatternTests
{
    [TestCase(@"^\d+$", "٣", false)]
    [TestCase(@"^\d+$", "123", true)]
    [TestCase(@"^a$", "a\n", false)]
    [TestCase("^.$", "🐲", true)]
    [TestCase("^[^a]$", "🐲", true)]
    [TestCase("^[🐉-🐲]+$", "🐊🐲", true)]
    [TestCase(@"^\u{1F432}*$", "🐲🐲", true)]
    [TestCase(@"^🐲{2}$", "🐲🐲", true)]
    [TestCase(@"^[\w-]+$", "a-b_c", true)]
    [TestCase(@"^[\D]$", "5", false)]
    [TestCase(@"^[^\s\d]+$", "a\u00a0", false)]
    [TestCase(@"^\p{Lu}\p{Ll}+$", "Ödön", true)]
    [TestCase("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "a-b", true)]
    [TestCase("^a{,3}$", "a{,3}", true)]
    [TestCase("^x]}$", "x]}", true)]
    [TestCase("^(?!admin$)[a-z]+$", "admin", false)]
    [TestCase("^(a|b)\\1$", "aa", true)]
    [TestCase("^[a-z&&[^b]]$", "b]", true)]
    [TestCase("^$^", "", true)]
    [TestCase("[]", "a", false)]
    [TestCase("^[^]$", "\n", true)]
    public void IsMatch_EcmaPattern_MatchesAsEcmaDoes(string source, string text, bool expected)
    {
        Assert.That(EcmaPattern.TryCreate(source, TimeSpan.FromSeconds(1), out EcmaPattern? pattern, out string error), Is.True, error);
        Assert.That(pattern!.IsMatch(text), Is.EqualTo(expected));
    }

    [TestCase("(")]
    [TestCase("[a")]
    [TestCase("\\")]
    [TestCase("\\a")]
    [TestCase("(?i)a")]
    [TestCase("(?>a)")]
    [TestCase("\\p{Script=Greek}")]
    [TestCase("[z-a]")]
    [TestCase("a**")]
    [TestCase("\\u{110000}")]
    public void TryCreate_NoEcmaPattern_SaysWhy(string source)
    {
        Assert.That(EcmaPattern.TryCreate(source, TimeSpan.FromSeconds(1), out _, out string error), Is.False);
        Assert.That(error, Is.Not.Empty);
    }
}
