namespace LoadBalancer.Http.Tests;

public class PathNormalizerTests
{
    private static string? Normalize(string path)
    {
        byte[] source = Wire.Bytes(path);
        byte[] destination = new byte[source.Length];
        int length = PathNormalizer.Normalize(source, destination);
        int inPlace = PathNormalizer.Normalize(source, source);
        Assert.That(inPlace, Is.EqualTo(length));
        if (length < 0) return null;
        Assert.That(Wire.Text(source.AsSpan(0, length)), Is.EqualTo(Wire.Text(destination.AsSpan(0, length))), "in place");
        return Wire.Text(destination.AsSpan(0, length));
    }

    [TestCase("/", "/")]
    [TestCase("", "")]
    [TestCase("*", "*")]
    [TestCase("/a/b", "/a/b")]
    [TestCase("//a///b//", "//a///b//")]
    [TestCase("/a/./b", "/a/b")]
    [TestCase("/a/../b", "/b")]
    [TestCase("/a/b/..", "/a/")]
    [TestCase("/a/b/.", "/a/b/")]
    [TestCase("/.", "/")]
    [TestCase("/..", "/")]
    [TestCase("/../../x", "/x")]
    [TestCase("/a/../../../x", "/x")]
    [TestCase("/a/b/c/./../../g", "/a/g")] // RFC 3986 §5.2.4
    [TestCase("/a//../b", "/a/b")]
    [TestCase("/a/..//b", "//b")]
    [TestCase("/...", "/...")]
    [TestCase("/.a/..b/c.", "/.a/..b/c.")]
    [TestCase("/.well-known/x", "/.well-known/x")]
    [TestCase("/%61%2D%7E%5f%30", "/a-~_0")]
    [TestCase("/%2e%2E/x", "/x")]
    [TestCase("/a/%2e./b", "/b")]
    [TestCase("/a/.%2e", "/")]
    [TestCase("/a/%2e/b", "/a/b")]
    [TestCase("/%2f%5c%2F%5C", "/%2F%5C%2F%5C")]
    [TestCase("/a%2f../b", "/a%2F../b")]
    [TestCase("/%c3%a9", "/%C3%A9")]
    [TestCase("/%2561", "/%2561")]
    [TestCase("/%0d%0a", "/%0D%0A")]
    [TestCase("/x%", null)]
    [TestCase("/x%4", null)]
    [TestCase("/x%4g", null)]
    [TestCase("/x%g4", null)]
    [TestCase("/x%00", null)]
    public void Normalize_Path_HasOneForm(string path, string? expected)
    {
        Assert.That(Normalize(path), Is.EqualTo(expected));
        if (expected != path) Assert.That(PathNormalizer.NeedsNormalizing(Wire.Bytes(path)), Is.True);
    }

    [Test]
    public void Normalize_RandomPaths_IsIdempotentShorterAndAgreesWithTheReference()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        string[] parts = ["/", "/", ".", "..", "%2e", "%2E", "%2f", "%61", "%C3", "%c3", "a", "b.", "%25", "%5c", "//"];
        for (int round = 0; round < 50_000; round++)
        {
            string path = "/" + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => parts[random.Next(parts.Length)]));
            string? once = Normalize(path);
            string message = $"seed {Seed} round {round}: {path}";
            Assert.That(once, Is.Not.Null, message);
            Assert.That(once!.Length, Is.LessThanOrEqualTo(path.Length), message);
            Assert.That(once[0], Is.EqualTo('/'), message);
            Assert.That(Normalize(once), Is.EqualTo(once), message);
            Assert.That(once, Is.EqualTo(Reference(path)), message);
            if (!PathNormalizer.NeedsNormalizing(Wire.Bytes(path))) Assert.That(once, Is.EqualTo(path), message);
        }
    }

    // RFC 3986 §5.2.4 word by word, on strings.
    private static string Reference(string path)
    {
        string input = System.Text.RegularExpressions.Regex.Replace(path, "%[0-9A-Fa-f]{2}", static m =>
        {
            char c = (char)Convert.ToInt32(m.Value[1..], 16);
            return char.IsAsciiLetterOrDigit(c) || "-._~".Contains(c, StringComparison.Ordinal) ? c.ToString() : m.Value.ToUpperInvariant();
        });
        string output = "";
        while (input.Length > 0)
        {
            if (input.StartsWith("/./", StringComparison.Ordinal)) input = input[2..];
            else if (input == "/.") input = "/";
            else if (input.StartsWith("/../", StringComparison.Ordinal) || input == "/..")
            {
                input = input == "/.." ? "/" : input[3..];
                output = output.Contains('/', StringComparison.Ordinal) ? output[..output.LastIndexOf('/')] : "";
            }
            else
            {
                int next = input.IndexOf('/', 1);
                if (next < 0) next = input.Length;
                output += input[..next];
                input = input[next..];
            }
        }
        return output;
    }

    [Test]
    public void Normalize_DestinationTooShort_Throws() => Assert.That(() => PathNormalizer.Normalize("/ab"u8, new byte[2]), Throws.ArgumentException);
}
