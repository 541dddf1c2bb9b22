using System.Text;
using LoadBalancer.Edge.Conversion.Nginx;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>The syntax of nginx's configuration.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class NginxTokenizerTests
{
    [TestCase("listen 80;", "listen|80|;")]
    [TestCase("a{b c;}", "a|{|b|c|;|}")]
    [TestCase("a # comment ; {\n b;", "a|b|;")]
    [TestCase("a#b;", "a#b|;", Description = "a comment begins where a word could")]
    [TestCase("a \"b c\" 'd \"e\"';", "a|b c|d \"e\"|;")]
    [TestCase("a \"b\\\"c\\\\\";", "a|b\"c\\|;")]
    [TestCase("a \\.php$;", "a|\\.php$|;", Description = "a backslash before anything else stands for itself")]
    [TestCase("a b\\;c;", "a|b\\;c|;")]
    [TestCase("a ${x}y ${z};", "a|${x}y|${z}|;", Description = "the braces of a variable are no block")]
    [TestCase("a \"\";", "a||;")]
    [TestCase("a\\tb;", "a\tb|;")]
    [TestCase("location ~ ^/a{2}$ {", "location|~|^/a|{|2}$|{")]
    [TestCase("", "")]
    public void Read_Text_GivesTheTokensThatNginxSees(string text, string expected) => Assert.That(string.Join('|', Tokens(text).Select(token => token.Text)), Is.EqualTo(expected));

    [TestCase("a \"b", 1)]
    [TestCase("a;\n\n 'b\n", 3)]
    [TestCase("a \"b\"c;", 1)]
    [TestCase("a ${b", 1)]
    [TestCase("a\n\\", 2)]
    public void Read_BadText_TellsTheLine(string text, int line) => Assert.That(() => Tokens(text), Throws.InstanceOf<NginxSyntaxException>().With.Property("Line").EqualTo(line));

    [Test]
    public void Read_LinesWithinWords_AreCounted() => Assert.That(Tokens("a 'b\nc'\n;\nd;").Select(token => token.Line), Is.EqualTo(new[] { 1, 1, 3, 4, 4 }));

    [Test]
    public void Read_AWordBeyondTheBound_IsRefused()
    {
        Assert.That(Tokens(new string('a', NginxTokenizer.WordCharactersMax) + ";"), Has.Count.EqualTo(2));
        Assert.That(() => Tokens(new string('a', NginxTokenizer.WordCharactersMax + 1) + ";"), Throws.InstanceOf<NginxSyntaxException>());
    }

    // Any words, quoted in any way that nginx has, come back as they were.
    [Test]
    public void Read_WordsThatWereQuoted_ComeBack()
    {
        const string Characters = "ab /$#;{}\"'\\\n\t\u00e4";
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var words = new List<string>();
            var text = new StringBuilder();
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                string word = new([.. Enumerable.Range(0, random.Next(0, 8)).Select(_ => Characters[random.Next(Characters.Length)])]);
                words.Add(word);
                char quote = random.Next(2) == 0 ? '"' : '\'';
                text.Append(quote);
                foreach (char c in word) text.Append(c == quote || c == '\\' ? "\\" : "").Append(c);
                text.Append(quote).Append(random.Next(3) switch { 0 => " ", 1 => "\n", _ => " # c\n" });
            }
            text.Append(';');
            Assert.That(Tokens(text.ToString()).SkipLast(1).Select(token => token.Text), Is.EqualTo(words), $"seed {seed}: {text}");
        }
    }

    // Whatever comes: tokens or a fault, never anything else, and never without end.
    [Test]
    public void Parse_AnyText_EndsInDirectivesOrAFault()
    {
        string[] pieces = ["server", "listen", "{", "}", ";", "\"", "'", "\\", "#", "\n", " ", "$", "${", "a", "include x", "\0", "\ud800", "}}}}", "{{{{"];
        for (int seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                NginxReader.Parse(text, "fuzz");
            }
            catch (NginxSyntaxException e)
            {
                Assert.That(e.Line, Is.InRange(0, text.Count(c => c == '\n') + 1), $"seed {seed}");
            }
        }
    }

    private static List<NginxToken> Tokens(string text)
    {
        var tokenizer = new NginxTokenizer(text);
        var tokens = new List<NginxToken>();
        NginxToken token;
        while ((token = tokenizer.Read()).Kind != NginxTokenKind.End) tokens.Add(token);
        return tokens;
    }
}
