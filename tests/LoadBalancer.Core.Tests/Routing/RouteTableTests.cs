using System.Text;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core.Tests.Routing;

public class RouteTableTests
{
    // Request: "METHOD authority path [name=value ...]"; the answer is the name of the rule.
    [TestCase("GET a.test /", "any")]
    [TestCase("GET example.com /", "exact")]
    [TestCase("GET EXAMPLE.com /", "exact")]
    [TestCase("GET example.com. /", "exact")]
    [TestCase("GET example.com:80 /", "exact")]
    [TestCase("GET example.com: /", "exact")]
    [TestCase("GET example.com:8443 /", "port")]
    [TestCase("GET Example.Com:8443 /", "port")]
    [TestCase("GET example.com:84430 /", "exact")]
    [TestCase("GET example.com:99999999999999999999 /", "exact")]
    [TestCase("GET example.com:8443x /", "exact")]
    [TestCase("GET a.example.com /", "wild")]
    [TestCase("GET a.b.example.com:1 /", "wild")]
    [TestCase("GET a.deep.example.com /", "deep")]
    [TestCase("GET deep.example.com /", "wild")]
    [TestCase("GET .example.com /", "any")]
    [TestCase("GET xexample.com /", "any")]
    [TestCase("GET a.example.com:9000 /", "wildport")]
    [TestCase("GET [::1] /", "v6")]
    [TestCase("GET [::1]:99 /", "v6")]
    [TestCase("GET [::1]:7 /", "v6port")]
    [TestCase("GET - /", "any")]
    [TestCase("GET other:444 /", "anyport")]
    public void Find_ByHost_TakesTheMostSpecific(string request, string expected) =>
        Assert.That(Find(Build(
            ("any", "", "/**"), ("exact", "example.com", "/**"), ("port", "example.com:8443", "/**"), ("wild", "*.example.com", "/**"),
            ("deep", "*.deep.example.com", "/**"), ("wildport", "*.example.com:9000", "/**"), ("v6", "[::1]", "/**"), ("v6port", "[::1]:7", "/**"),
            ("anyport", "*:444", "/**")), request), Is.EqualTo(expected));

    [TestCase("GET h /", "root")]
    [TestCase("GET h /x", "all")]
    [TestCase("GET h *", "all")]
    [TestCase("GET h /files", "files")]
    [TestCase("GET h /files/", "files")]
    [TestCase("GET h /files/a/b/c", "files")]
    [TestCase("GET h /filesystem", "all")]
    [TestCase("GET h /file", "all")]
    [TestCase("GET h /files/deep", "deepexact")]
    [TestCase("GET h /files/deep/", "deep")]
    [TestCase("GET h /files/deep/x", "deep")]
    [TestCase("GET h /users", "all")]
    [TestCase("GET h /users/", "all")]
    [TestCase("GET h /users/7", "user")]
    [TestCase("GET h /users/me", "me")]
    [TestCase("GET h /users/7/", "all")]
    [TestCase("GET h /users/7/posts", "posts")]
    [TestCase("GET h /users/me/posts", "meposts")]
    [TestCase("GET h /users/me/posts/1", "mepost")]
    [TestCase("GET h /users/7/posts/1", "post")]
    [TestCase("GET h /users/7/files/a/b", "userfiles")]
    [TestCase("GET h /users/7/files", "userfiles")]
    [TestCase("GET h /users/7/posts/1/x", "all")]
    [TestCase("GET h /users//posts", "all")]
    [TestCase("GET h /a//b", "double")]
    [TestCase("GET h /a/b", "all")]
    [TestCase("GET h /slash/", "slash")]
    [TestCase("GET h /slash", "all")]
    [TestCase("GET h /Files", "all")]
    public void Find_ByPath_TakesTheMostSpecific(string request, string expected) =>
        Assert.That(Find(Build(
            ("all", "", "/**"), ("root", "", "/"), ("files", "", "/files/**"), ("deepexact", "", "/files/deep"), ("deep", "", "/files/deep/**"),
            ("user", "", "/users/{id}"), ("me", "", "/users/me"), ("posts", "", "/users/{id}/posts"), ("meposts", "", "/users/me/{what}"),
            ("mepost", "", "/users/me/{what}/{n}"), ("post", "", "/users/{id}/posts/{n}"), ("userfiles", "", "/users/{id}/files/**"),
            ("double", "", "/a//b"), ("slash", "", "/slash/")), request), Is.EqualTo(expected));

    [TestCase("/%7Ejoe", "/~joe")]
    [TestCase("/a%2fb", "/a%2Fb")]
    [TestCase("/%61dmin/**", "/admin/x")]
    public void Find_RuleNotInNormalForm_MatchesTheNormalForm(string rule, string path) =>
        Assert.That(Find(Build(("r", "", rule)), $"GET h {path}"), Is.EqualTo("r"));

    [Test]
    public void Find_TemplateAgainstPrefix_TakesTheTemplate() =>
        Assert.That(Find(Build(("prefix", "", "/files/a/**"), ("template", "", "/files/{x}")), "GET h /files/a"), Is.EqualTo("template"));

    [Test]
    public void Find_HostAgainstPath_DecidesByHostFirst() =>
        Assert.That(Find(Build(("exactpath", "", "/a"), ("exacthost", "h", "/**")), "GET h /a"), Is.EqualTo("exacthost"));

    [Test]
    public void Find_NothingInTheHost_FallsBackToLessSpecificHosts()
    {
        RouteTable<string> table = Build(("host", "a.b.c", "/x"), ("wild", "*.b.c", "/y"), ("wilder", "*.c", "/z"), ("any", "", "/**"));
        Assert.That(new[] { "/x", "/y", "/z", "/w" }.Select(path => Find(table, $"GET a.b.c {path}")), Is.EqualTo(new[] { "host", "wild", "wilder", "any" }));
    }

    [TestCase("GET h /a", "get")]
    [TestCase("POST h /a", "post")]
    [TestCase("get h /a", "all")]
    [TestCase("DELETE h /a", "all")]
    [TestCase("GET h /a x-beta=1", "beta")]
    [TestCase("GET h /a x-beta=2", "get")]
    [TestCase("GET h /a x-beta=1 x-tenant=anyone", "betatenant")]
    [TestCase("GET h /a x-tenant=anyone", "get")]
    [TestCase("DELETE h /a x-beta=1 x-tenant=", "deletebeta")]
    [TestCase("PUT h /a x-beta=1", "beta")]
    [TestCase("PUT h /a/b x-beta=1", "all")]
    public void Find_ByMethodAndHeaders_TakesTheMostConditions(string request, string expected)
    {
        RouteTable<string> table = RouteTable<string>.Build(
        [
            Rule("all", "", "/**"),
            Rule("get", "", "/a", ["GET", "HEAD"]),
            Rule("post", "", "/a", ["POST"]),
            Rule("beta", "", "/a", [], ("X-Beta", "1")),
            Rule("betatenant", "", "/a", [], ("X-Beta", "1"), ("X-Tenant", "*")),
            Rule("deletebeta", "", "/a", ["DELETE"], ("X-Beta", "1"), ("x-tenant", "*")),
        ]);
        Assert.That(Find(table, request), Is.EqualTo(expected));
    }

    [TestCase("GET h /a", "stable")]
    [TestCase("GET h /a cookie=canary=1", "canary")]
    [TestCase("GET h /a cookie=a=b;canary=1;c=d", "canary")]
    [TestCase("GET h /a cookie=canary=2", "stable")]
    [TestCase("GET h /a cookie=canary=11", "stable")]
    [TestCase("GET h /a cookie=Canary=1", "stable", Description = "names of cookies depend on case")]
    [TestCase("GET h /a cookie=xcanary=1", "stable")]
    [TestCase("GET h /a cookie=canary", "stable")]
    [TestCase("GET h /a cookie=user=anyone", "known")]
    [TestCase("GET h /a cookie=user=anyone;canary=1", "both")]
    public void Find_ByCookie_TakesTheMostConditions(string request, string expected)
    {
        RouteTable<string> table = RouteTable<string>.Build(
        [
            Rule("stable", "", "/**"),
            Rule("canary", "", "/**") with { Cookies = new Dictionary<string, string> { ["canary"] = "1" } },
            Rule("known", "", "/**") with { Cookies = new Dictionary<string, string> { ["user"] = "*" } },
            Rule("both", "", "/**") with { Cookies = new Dictionary<string, string> { ["canary"] = "1", ["user"] = "*" } },
        ]);
        Assert.That(Find(table, request), Is.EqualTo(expected));
    }

    [Test]
    public void Find_TemplateWhoseMethodDiffers_TriesTheNextTemplate()
    {
        RouteTable<string> table = RouteTable<string>.Build([Rule("literal", "", "/{a}/x", ["POST"]), Rule("free", "", "/{a}/{b}"), Rule("first", "", "/q/{b}", ["PUT"])]);
        Assert.That(Find(table, "GET h /q/x"), Is.EqualTo("free"));
        Assert.That(Find(table, "POST h /q/x"), Is.EqualTo("literal"));
        Assert.That(Find(table, "PUT h /q/x"), Is.EqualTo("first"));
    }

    [Test]
    public void Find_EquallySpecific_TakesTheFirstName()
    {
        RouteRule<string>[] rules = [Rule("b", "", "/{x}"), Rule("a", "", "/{y}"), Rule("c", "", "/{z}")];
        Assert.That(Find(RouteTable<string>.Build(rules), "GET h /1"), Is.EqualTo("a"));
        Assert.That(Find(RouteTable<string>.Build(rules.Reverse()), "GET h /1"), Is.EqualTo("a"));
    }

    [Test]
    public void Find_NoRules_ReturnsNull() => Assert.That(Find(RouteTable<string>.Build([]), "GET h /"), Is.Null);

    [Test]
    public void Find_OnlyACatchAll_ReturnsIt()
    {
        RouteTable<string> table = Build(("only", "", "/**"));
        Assert.That(new[] { "GET h /", "OPTIONS h *", "GET - /a/b" }.Select(request => Find(table, request)), Is.All.EqualTo("only"));
    }

    [TestCase("OPTIONS h *", null)]
    [TestCase("OPTIONS i *", "all")]
    public void Find_OptionsStar_MatchesOnlyWhatMatchesEveryPath(string request, string? expected) =>
        Assert.That(Find(Build(("root", "h", "/"), ("param", "h", "/{x}"), ("prefix", "h", "/x/**"), ("all", "i", "/**")), request), Is.EqualTo(expected));

    [Test]
    public void Find_HostLongerThanAnyName_MatchesOnlyAny()
    {
        RouteTable<string> table = Build(("wild", "*.c", "/**"), ("any", "", "/**"));
        Assert.That(Find(table, $"GET {new string('a', 253)}.c /"), Is.EqualTo("wild"));
        Assert.That(Find(table, $"GET {new string('a', 254)}.c /"), Is.EqualTo("any"));
    }

    [Test]
    public void Find_NonAsciiHost_MatchesOnlyAny() =>
        Assert.That(Find(Build(("host", "example.com", "/**"), ("any", "", "/**")), "GET ex\u00e4mple.com /"), Is.EqualTo("any"));

    [Test]
    public void Find_ManySegments_ComparesBytesExactly()
    {
        // Lengths around the hash's block sizes, differing in one byte at each place.
        List<(string, string, string)> rules = [];
        for (int length = 1; length <= 20; length++)
        {
            for (int at = 0; at < length; at++)
            {
                char[] segment = [.. Enumerable.Repeat('a', length)];
                segment[at] = 'b';
                rules.Add(($"{length}.{at}", "", "/" + new string(segment)));
            }
        }
        RouteTable<string> table = Build([.. rules]);
        foreach ((string name, _, string path) in rules) Assert.That(Find(table, $"GET h {path}"), Is.EqualTo(name));
        Assert.That(Find(table, "GET h /aaaa"), Is.Null);
    }

    [TestCase("users")]
    [TestCase("/a*")]
    [TestCase("/a/{b}c")]
    [TestCase("/**/a")]
    [TestCase("/{}")]
    public void Build_PathOutsideTheSyntax_Throws(string path) => Assert.Throws<ArgumentException>(() => Build(("r", "", path)));

    [TestCase("h\u00e4")]
    [TestCase("h:port")]
    [TestCase(":80")]
    public void Build_HostOutsideTheSyntax_Throws(string host) => Assert.Throws<ArgumentException>(() => Build(("r", host, "/")));

    [Test]
    public void Find_RandomRules_AgreesWithTheReference([Range(1, 200)] int seed)
    {
        var random = new Random(seed);
        string[] hosts = ["a.b", "x.a.b", "*.a.b", "*.b", "a.b:1", "*.a.b:1", "x.a.b:2", "*.x.a.b", "*", "*:1"];
        string[] segments = ["p", "q", "pp", "", "{x}", "{y}", "r"];
        string[] methods = ["GET", "POST", "PUT"];
        string[] names = ["one", "two", "three"];
        List<RouteRule<string>> rules = [];
        int count = random.Next(1, 40);
        for (int i = 0; i < count; i++)
        {
            string path = string.Concat(Enumerable.Range(0, random.Next(0, 5)).Select(_ => "/" + segments[random.Next(segments.Length)]));
            if (random.Next(2) == 0 || path.Length == 0) path += "/**";
            rules.Add(new($"r{random.Next(1000):000}-{i}",
                [.. hosts.Where(_ => random.Next(hosts.Length) == 0)],
                path,
                [.. methods.Where(_ => random.Next(4) == 0)],
                names.Where(_ => random.Next(5) == 0).ToDictionary(name => name, _ => random.Next(2) == 0 ? "*" : "v" + random.Next(2)),
                i.ToString()));
        }
        RouteTable<string> table = RouteTable<string>.Build(rules);
        string[] authorities = ["a.b", "A.B:1", "x.a.b", "X.a.b:2", "y.x.a.b", "y.x.a.b:1", "c.b", "q:1", "q", "", "b", ".b", "a.b.", "x.a.b:"];
        for (int n = 0; n < 500; n++)
        {
            string authority = authorities[random.Next(authorities.Length)];
            string path = random.Next(30) == 0 ? "*" : string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => "/" + new[] { "p", "q", "pp", "", "z", "r" }[random.Next(6)]));
            string method = methods[random.Next(methods.Length)];
            Dictionary<string, string> fields = names.Where(_ => random.Next(2) == 0).ToDictionary(name => name, _ => "v" + random.Next(3));
            string? expected = ReferenceRouter.Find(rules, authority, path, method, fields);
            Assert.That(Find(table, authority, path, method, fields), Is.EqualTo(expected), $"seed {seed}: {method} {authority} {path} {string.Join(' ', fields)}\n{string.Join('\n', rules)}");
        }
    }

    [Test]
    public void Find_ThousandRoutes_AllocatesNothing()
    {
        RouteTable<string> table = RouteTable<string>.Build(
        [
            .. Enumerable.Range(0, 1000).Select(i => Rule($"r{i}", i % 2 == 0 ? $"h{i % 50}.test" : $"*.w{i % 50}.test", $"/api/v{i}/{(i % 3 == 0 ? "{id}" : "items")}/**", ["GET"], ("x-a", "1"))),
            Rule("any", "", "/**"),
        ]);
        byte[][] authorities = [.. new[] { "H4.test:80", "a.b.w7.test", "none.test" }.Select(Encoding.ASCII.GetBytes)];
        byte[][] paths = [.. new[] { "/api/v4/items/1", "/api/v57/x/y", "/" }.Select(Encoding.ASCII.GetBytes)];
        var fields = new OneField();
        int found = Storm(table, authorities, paths, ref fields);
        long before = GC.GetAllocatedBytesForCurrentThread();
        found += Storm(table, authorities, paths, ref fields);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(found, Is.EqualTo(2 * 9 * 100));

        static int Storm(RouteTable<string> table, byte[][] authorities, byte[][] paths, ref OneField fields)
        {
            int found = 0;
            for (int i = 0; i < 100; i++)
            {
                foreach (byte[] authority in authorities)
                {
                    foreach (byte[] path in paths) found += table.Find(authority, path, "GET"u8, ref fields) is null ? 0 : 1;
                }
            }
            return found;
        }
    }

    private struct OneField : IFieldLookup
    {
        public readonly bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value)
        {
            value = "1"u8;
            return lowerCaseName.SequenceEqual("x-a"u8);
        }
    }

    private readonly struct DictionaryFields(Dictionary<string, string> fields) : IFieldLookup
    {
        public bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value)
        {
            bool found = fields.TryGetValue(Encoding.ASCII.GetString(lowerCaseName), out string? text);
            value = found ? Encoding.UTF8.GetBytes(text!) : default;
            return found;
        }
    }

    private static RouteRule<string> Rule(string name, string host, string path, string[]? methods = null, params (string Name, string Value)[] headers) =>
        new(name, host.Length == 0 ? [] : [host], path, methods ?? [], headers.ToDictionary(item => item.Name, item => item.Value), name);

    private static RouteTable<string> Build(params (string Name, string Host, string Path)[] rules) =>
        RouteTable<string>.Build(rules.Select(rule => Rule(rule.Name, rule.Host, rule.Path)));

    private static string? Find(RouteTable<string> table, string request)
    {
        string[] parts = request.Split(' ');
        return Find(table, parts[1] == "-" ? "" : parts[1], parts[2], parts[0], parts[3..].ToDictionary(item => item.Split('=', 2)[0], item => item.Split('=', 2)[1]));
    }

    private static string? Find(RouteTable<string> table, string authority, string path, string method, Dictionary<string, string> fields)
    {
        var lookup = new DictionaryFields(fields);
        return table.Find(Encoding.UTF8.GetBytes(authority), Encoding.UTF8.GetBytes(path), Encoding.ASCII.GetBytes(method), ref lookup);
    }
}
