using System.Text;
using System.Text.RegularExpressions;
using LoadBalancer.Core.Protection.Rules;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class BlockRuleTests
{
    [TestCase("abc", "abc", true)]
    [TestCase("abc", "ABC", true)]
    [TestCase("abc", "abcd", false)]
    [TestCase("", "", true)]
    [TestCase("", "a", false)]
    [TestCase("*", "", true)]
    [TestCase("*", "anything", true)]
    [TestCase("a*", "a", true)]
    [TestCase("a*", "ba", false)]
    [TestCase("*a", "ba", true)]
    [TestCase("a*a", "a", false, Description = "start and end do not share characters")]
    [TestCase("a*a", "aa", true)]
    [TestCase("*ab*ab*", "aab", false)]
    [TestCase("*ab*ab*", "xABxaBx", true)]
    [TestCase("*aab*", "aaab", true)]
    [TestCase("*abab*c", "ababababc", true)]
    [TestCase("a**b", "axb", true)]
    [TestCase("*sqlmap*", "Mozilla SQLMap/1.0", true)]
    [TestCase("a.b", "axb", false)]
    public void Matches_StarIsForAnyCharacters(string pattern, string text, bool expected) =>
        Assert.That(new WildcardPattern(pattern).Matches(Encoding.Latin1.GetBytes(text)), Is.EqualTo(expected));

    [Test]
    public void Matches_ManyShortOnes_IsAsARegularExpression()
    {
        var random = new Random(7);
        for (int i = 0; i < 50_000; i++)
        {
            string pattern = Text(random, "aAb*", 8), text = Text(random, "aAb", 12);
            bool expected = Regex.IsMatch(text, $"^{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)}$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
            Assert.That(new WildcardPattern(pattern).Matches(Encoding.ASCII.GetBytes(text)), Is.EqualTo(expected), $"{pattern} {text}");
        }

        static string Text(Random random, string characters, int lengthMax) => new([.. Enumerable.Range(0, random.Next(lengthMax)).Select(_ => characters[random.Next(characters.Length)])]);
    }

    // What takes a backtracking matcher longer than the age of the world, and a naive search thirty times as long.
    [Test, CancelAfter(20_000)]
    public void Matches_WhatIsMadeToBeSlow_IsLinear(CancellationToken token)
    {
        byte[] text = Encoding.ASCII.GetBytes(new string('a', 64 * 1024));
        var pattern = new WildcardPattern(string.Concat(Enumerable.Repeat($"*{new string('a', 30)}b", 30)) + "*");
        for (int i = 0; i < 20 && !token.IsCancellationRequested; i++) Assert.That(pattern.Matches(text), Is.False);
        Assert.That(token.IsCancellationRequested, Is.False);
    }

    [TestCase("/a/b", "/a/b")]
    [TestCase("/a%2Fb", "/a/b")]
    [TestCase("/a%2fb%5Cc", "/a/b/c")]
    [TestCase("//a///b/", "/a/b/")]
    [TestCase("/%2F/a", "/a")]
    [TestCase("/x%2F..%2Fa", "/a")]
    [TestCase("/x/%2E%2E%2Fa", "/a")]
    [TestCase("/x\\..\\a", "/a")]
    [TestCase("/..%2F..%2Fa", "/a")]
    [TestCase("/a%2F.", "/a/")]
    [TestCase("/a%2F..", "/")]
    [TestCase("/a%20b%25", "/a b%")]
    [TestCase("/a%252Fb", "/a%2Fb", Description = "once, as servers do")]
    [TestCase("*", "*")]
    public void PlainPath_IsAsADestinationMayReadIt(string path, string plain)
    {
        Assert.That(PlainPath.Differs(Encoding.ASCII.GetBytes(path)), Is.EqualTo(path != plain));
        byte[] buffer = new byte[path.Length];
        int length = PlainPath.Write(Encoding.ASCII.GetBytes(path), buffer);
        Assert.That(Encoding.ASCII.GetString(buffer, 0, length), Is.EqualTo(plain));
    }
}
