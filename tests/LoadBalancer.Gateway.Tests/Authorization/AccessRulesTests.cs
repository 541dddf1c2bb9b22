using System.Net;
using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Transport;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Gateway.Authorization.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Gateway.Tests.Authorization;

/// <summary>Which rule decides, by tables.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AccessRulesTests
{
    private static readonly RoleTable Roles = new(new Dictionary<string, RoleConfig>
    {
        ["admin"] = new() { Includes = ["editor"], Permissions = ["*"] },
        ["editor"] = new() { Includes = ["reader"], Permissions = ["orders:write", "files:*"] },
        ["reader"] = new() { Permissions = ["orders:read"] },
    });

    private static Verdict Decide(IReadOnlyList<AccessRuleConfig> rules, string method, string path, string? claims, string client = "192.0.2.1", string rolesClaim = "roles")
    {
        var all = new AccessRules(rules, name => throw new ArgumentException(name));
        IdentityFacts? facts = claims is null ? null : new IdentityFacts(new TestIdentity(claims), all, Roles, rolesClaim, "permissions");
        return all.Decide(method, Normal(path), Peer(client), facts, new PathReadings(), out _);
    }

    private static byte[] Normal(string path)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(path);
        int length = PathNormalizer.Normalize(bytes, bytes);
        Assert.That(length, Is.Positive, "not even a path");
        return bytes[..length];
    }

    private static PeerAddress Peer(string address) => PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(address), 0));

    private static AccessRuleConfig Allow(string method = "*", params string[] path) => new() { Allow = [method], Path = path };

    private static AccessRuleConfig Deny(string method = "*", params string[] path) => new() { Deny = [method], Path = path };

    private static Dictionary<string, ClaimConditionConfig> Claim(string name, ClaimConditionConfig condition) => new() { [name] = condition };

    private static ClaimConditionConfig OneOf(params string[] values) => new() { Is = values };

    [TestCase("GET", "/a", Verdict.Allowed)]
    [TestCase("HEAD", "/a", Verdict.Allowed)]
    [TestCase("POST", "/a", Verdict.None)]
    [TestCase("get", "/a", Verdict.None)]
    [TestCase("GET", "/a/", Verdict.None)]
    [TestCase("GET", "/b/c", Verdict.Denied)]
    [TestCase("PUT", "/b", Verdict.Denied)]
    [TestCase("PUT", "/b/ok", Verdict.Allowed)]
    public void TheFirstThatMatchesDecides(string method, string path, object expected) =>
        Assert.That(Decide([Allow("GET", "/a"), Allow("PUT", "/b/ok"), Deny("*", "/b/**"), Allow("*", "/b/**")], method, path, null), Is.EqualTo(expected));

    [TestCase("""{"sub":"7"}""", "/users/7", Verdict.Allowed)]
    [TestCase("""{"sub":"7"}""", "/users/8", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/users/%37", Verdict.Allowed)]
    [TestCase("""{"sub":["8","7"]}""", "/users/7", Verdict.Allowed)]
    [TestCase("""{"sub":7}""", "/users/7", Verdict.Allowed)]
    [TestCase("""{"other":"7"}""", "/users/7", Verdict.None)]
    [TestCase("""{"sub":""}""", "/users/", Verdict.None)]
    [TestCase("""{"sub":"a b@c"}""", "/users/a%20b@c", Verdict.Allowed)]
    [TestCase("""{"sub":"ä"}""", "/users/%C3%A4", Verdict.Allowed)]
    [TestCase(null, "/users/7", Verdict.Anonymous)]
    [TestCase(null, "/other", Verdict.None)]
    // A value that somebody may take for another, or for another path, equals nothing, not even itself.
    [TestCase("""{"sub":"7/8"}""", "/users/7%2F8", Verdict.None)]
    [TestCase("""{"sub":"7\\8"}""", "/users/7%5C8", Verdict.Unreadable)]
    [TestCase("""{"sub":"7\\8"}""", "/users/7\\8", Verdict.Unreadable)]
    [TestCase("""{"sub":"7;x"}""", "/users/7;x", Verdict.None)]
    [TestCase("""{"sub":"7;x"}""", "/users/7%3Bx", Verdict.None)]
    [TestCase("""{"sub":"7."}""", "/users/7.", Verdict.None)]
    [TestCase("""{"sub":"7 "}""", "/users/7%20", Verdict.None)]
    [TestCase("""{"sub":"%37"}""", "/users/%2537", Verdict.Unreadable)]
    [TestCase("""{"sub":"100%"}""", "/users/100%25", Verdict.None)]
    [TestCase("""{"sub":".."}""", "/users/%2E%2E", Verdict.None)]
    [TestCase("""{"sub":"７"}""", "/users/%EF%BC%97", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/users/%EF%BC%97", Verdict.None)]
    [TestCase("""{"sub":"Kim"}""", "/users/%E2%84%AAim", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/users/7/", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/users//7", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "//users/7", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/USERS/7", Verdict.None)]
    [TestCase("""{"sub":"7"}""", "/users/7%2F..%2F8", Verdict.Unreadable)]
    [TestCase("""{"sub":"7"}""", "/users/8%2F..%2F7", Verdict.Unreadable)]
    [TestCase("""{"sub":"7"}""", "/users/8/../7", Verdict.Allowed)]
    [TestCase("""{"sub":"7"}""", "/users/7%0A", Verdict.Unreadable)]
    [TestCase("""{"sub":"7"}""", "/users/7%FF", Verdict.Unreadable)]
    public void AVariableEqualsAClaim(string? claims, string path, object expected) =>
        Assert.That(Decide([Allow("*", "/users/{id}") with { Claims = Claim("sub", OneOf("{id}")) }], "GET", path, claims), Is.EqualTo(expected));

    [TestCase("/public/a", Verdict.Allowed)]
    [TestCase("/public", Verdict.Allowed)]
    [TestCase("/public/%61", Verdict.Allowed)]
    [TestCase("/public/a%20b", Verdict.Allowed)]
    [TestCase("/public/%C3%A4", Verdict.Allowed)]
    [TestCase("/public/a;v=1/b", Verdict.Allowed)]
    [TestCase("/public/a%2Fb", Verdict.Allowed)]
    [TestCase("/public/100%25", Verdict.Allowed)]
    [TestCase("/public/../admin", Verdict.None)]
    [TestCase("/public/%2e%2e/admin", Verdict.None)]
    [TestCase("/public/..%2Fadmin", Verdict.Unreadable)]
    [TestCase("/public/..%5Cadmin", Verdict.Unreadable)]
    [TestCase("/public/..\\admin", Verdict.Unreadable)]
    [TestCase("/public\\..\\admin", Verdict.Unreadable)]
    [TestCase("/public/%252e%252e%252fadmin", Verdict.Unreadable)]
    [TestCase("/public/..%252Fadmin", Verdict.Unreadable)]
    [TestCase("/public/..%25252Fadmin", Verdict.Unreadable)]
    [TestCase("/public/..%2Fadmin%2F..%252Fpublic", Verdict.Unreadable)]
    [TestCase("/public/..;/admin", Verdict.Unreadable)]
    [TestCase("/public/..;x=1/admin", Verdict.Unreadable)]
    [TestCase("/public/..%3B/admin", Verdict.Unreadable)]
    [TestCase("/public/;/../../admin", Verdict.None)]
    [TestCase("/public/..;%2Fpublic%2Fx", Verdict.Unreadable)]
    [TestCase("/public/.. /admin", Verdict.Unreadable)]
    [TestCase("/public/..%20/admin", Verdict.Unreadable)]
    [TestCase("/public/.%2E/admin", Verdict.None)]
    [TestCase("/public/..%C0%AFadmin", Verdict.Unreadable)]
    [TestCase("/public/..%EF%BC%8Fadmin", Verdict.Unreadable)]
    [TestCase("/public/%EF%BC%8E%EF%BC%8E/admin", Verdict.Unreadable)]
    [TestCase("/public/%E2%80%A5/admin", Verdict.Unreadable)]
    [TestCase("/public/..%E2%88%95admin", Verdict.Unreadable)]
    [TestCase("/public/..%0d%0aadmin", Verdict.Unreadable)]
    [TestCase("/PUBLIC/a", Verdict.None)]
    [TestCase("/publicx", Verdict.None)]
    public void ARuleThatAllowsHoldsForAllThatAPathMayBeTakenFor(string path, object expected) => Assert.That(Decide([Allow("*", "/public/**")], "GET", path, null), Is.EqualTo(expected));

    [TestCase("/admin", Verdict.Denied)]
    [TestCase("/admin/", Verdict.Denied)]
    [TestCase("/admin/x", Verdict.Denied)]
    [TestCase("/ADMIN/x", Verdict.Denied)]
    [TestCase("/%61dmin", Verdict.Denied)]
    [TestCase("//admin", Verdict.Denied)]
    [TestCase("/x/..%2Fadmin", Verdict.Unreadable)]
    [TestCase("/x%2F..%2Fadmin", Verdict.Unreadable)]
    [TestCase("/admin%2Fx", Verdict.Denied)]
    [TestCase("/admin%5Cx", Verdict.Unreadable)]
    [TestCase("/admin;x=1/y", Verdict.Denied)]
    [TestCase("/;x/admin", Verdict.Denied)]
    [TestCase("/admin.", Verdict.Denied)]
    [TestCase("/admin./x", Verdict.Denied)]
    [TestCase("/admin%20", Verdict.Denied)]
    [TestCase("/%EF%BD%81dmin", Verdict.Denied)]
    [TestCase("/x/..;/admin", Verdict.Unreadable)]
    [TestCase("/%2561dmin", Verdict.Unreadable)]
    [TestCase("/administrator", Verdict.Allowed)]
    [TestCase("/a%2Fb", Verdict.Allowed)]
    [TestCase("/group%2Fproject", Verdict.Allowed)]
    public void ARuleThatDeniesHoldsForAnythingThatAPathMayBeTakenFor(string path, object expected) => Assert.That(Decide([Deny("*", "/admin/**"), Allow()], "GET", path, null), Is.EqualTo(expected));

    [TestCase("delete", Verdict.Denied)]
    [TestCase("DELETE", Verdict.Denied)]
    [TestCase("GET", Verdict.Allowed)]
    public void ARuleThatDeniesAMethodDeniesItInAnyCase(string method, object expected) => Assert.That(Decide([Deny("DELETE"), Allow()], method, "/a", null), Is.EqualTo(expected));

    [Test]
    public void ADenialByAVariableHoldsWhereNobodyCanTellWhatItIs()
    {
        AccessRuleConfig[] rules = [Deny("*", "/users/{id}") with { Claims = Claim("sub", OneOf("{id}")) }, Allow()];
        Assert.That((Decide(rules, "GET", "/users/7", """{"sub":"7"}"""), Decide(rules, "GET", "/users/8", """{"sub":"7"}"""), Decide(rules, "GET", "/users/7.", """{"sub":"7"}""")),
            Is.EqualTo((Verdict.Denied, Verdict.Allowed, Verdict.Denied)));
    }

    [TestCase("""{"a":"x"}""", true)]
    [TestCase("""{"a":["y","z"]}""", true)]
    [TestCase("""{"a":"xx"}""", false)]
    [TestCase("""{"a":"pre-1"}""", true)]
    [TestCase("""{"a":["n","pre-"]}""", true)]
    [TestCase("""{"b":"x"}""", false)]
    [TestCase("""{"a":[]}""", false)]
    public void ClaimsHaveValues(string claims, bool isAllowed) =>
        Assert.That(Decide([Allow() with { Claims = Claim("a", new() { Is = ["x", "y"], Prefix = ["pre-"] }) }], "GET", "/", claims), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase("""{"a":"x"}""", true, true)]
    [TestCase("""{"b":"x"}""", true, false)]
    [TestCase("""{"a":"x"}""", false, false)]
    [TestCase("""{"b":"x"}""", false, true)]
    public void ClaimsAreThereOrNot(string claims, bool present, bool isAllowed) =>
        Assert.That(Decide([Allow() with { Claims = Claim("a", new() { Present = present }) }], "GET", "/", claims), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase("a.b.c", """{"a":{"b":{"c":["x"]}}}""", true)]
    [TestCase("a.b.c", """{"a":{"b":{"c":"x"}}}""", true)]
    [TestCase("a.b.c", """{"a.b.c":"x"}""", true)]
    [TestCase("a.b.c", """{"a":{"b":"x"}}""", false)]
    [TestCase("a.b.c", """{"a":{"b":{"c":{"x":1}}}}""", false)]
    public void ClaimsAreFoundByPath(string name, string claims, bool isAllowed) =>
        Assert.That(Decide([Allow() with { Claims = Claim(name, OneOf("x")) }], "GET", "/", claims), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase("""{"scope":"a b"}""", true)]
    [TestCase("""{"scope":["b","a"]}""", true)]
    [TestCase("""{"scp":"b  a"}""", true)]
    [TestCase("""{"scope":"a"}""", false)]
    [TestCase("""{"scope":"ab"}""", false)]
    public void AllScopesAreNeeded(string claims, bool isAllowed) => Assert.That(Decide([Allow() with { Scopes = ["a", "b"] }], "GET", "/", claims), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase("""{"realm_access":{"roles":["admin"]}}""", true)]
    [TestCase("""{"realm_access":{"roles":["editor"]}}""", true)]
    [TestCase("""{"realm_access":{"roles":["reader"]}}""", false)]
    [TestCase("""{"roles":["editor"]}""", false)]
    public void RolesCountForThoseThatTheyInclude(string claims, bool isAllowed) =>
        Assert.That(Decide([Allow() with { Roles = ["editor", "other"] }], "GET", "/", claims, rolesClaim: "realm_access.roles"), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase("""{"roles":"admin"}""", "any:thing", true)]
    [TestCase("""{"roles":"editor"}""", "orders:read", true)]
    [TestCase("""{"roles":"editor"}""", "files:delete", true)]
    [TestCase("""{"roles":"editor"}""", "orders:delete", false)]
    [TestCase("""{"roles":"reader"}""", "orders:write", false)]
    [TestCase("""{"roles":"unknown"}""", "orders:read", false)]
    [TestCase("""{"permissions":["orders:read"]}""", "orders:read", true)]
    [TestCase("""{"permissions":["*"]}""", "orders:read", false)]
    public void RolesPermit(string claims, string permission, bool isAllowed) =>
        Assert.That(Decide([Allow() with { Permissions = [permission] }], "GET", "/", claims), Is.EqualTo(isAllowed ? Verdict.Allowed : Verdict.None));

    [TestCase(true, "{}", Verdict.Allowed)]
    [TestCase(true, null, Verdict.Anonymous)]
    [TestCase(false, null, Verdict.Allowed)]
    [TestCase(false, "{}", Verdict.None)]
    public void RulesAreForThoseWhoAreKnownOrNot(bool authenticated, string? claims, object expected) =>
        Assert.That(Decide([Allow() with { Authenticated = authenticated }], "GET", "/", claims), Is.EqualTo(expected));

    [TestCase("10.1.2.3", Verdict.Allowed)]
    [TestCase("::ffff:10.1.2.3", Verdict.Allowed)]
    [TestCase("11.1.2.3", Verdict.None)]
    [TestCase("2001:db8::7", Verdict.Allowed)]
    [TestCase("2001:db9::7", Verdict.None)]
    public void ClientsAreOfABlock(string client, object expected) => Assert.That(Decide([Allow() with { Clients = ["10.0.0.0/8", "2001:db8::/32"] }], "GET", "/", null, client), Is.EqualTo(expected));

    [Test]
    public void WhoeverIsNobodyYetIsAskedWhoHeIs_BeforeAnAbsoluteDenial()
    {
        AccessRuleConfig[] rules = [Allow("*", "/admin/**") with { Roles = ["admin"] }, Deny("*", "/admin/**"), Allow()];
        Assert.That((Decide(rules, "GET", "/admin/a", null), Decide(rules, "GET", "/admin/a", """{"roles":"admin"}"""), Decide(rules, "GET", "/admin/a", "{}"), Decide(rules, "GET", "/a", null)),
            Is.EqualTo((Verdict.Anonymous, Verdict.Allowed, Verdict.Denied, Verdict.Allowed)));
    }

    [Test]
    public void ADecisionAllocatesNothing()
    {
        AccessRuleConfig[] rules = [.. Enumerable.Range(0, 19).Select(i => Allow("POST", $"/a{i}/{{id}}/**") with { Roles = [$"r{i}"] }), Allow("GET", "/users/{id}") with { Claims = Claim("sub", OneOf("{id}")) }];
        var all = new AccessRules(rules, name => throw new ArgumentException(name));
        var facts = new IdentityFacts(new TestIdentity("""{"sub":"7 ä"}"""), all, Roles, "roles", "permissions");
        var readings = new PathReadings();
        byte[] path = Normal("/users/7%20%C3%A4");
        PeerAddress client = Peer("192.0.2.1");
        Assert.That(all.Decide("GET", path, client, facts, readings, out _), Is.EqualTo(Verdict.Allowed));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) all.Decide("GET", path, client, facts, readings, out _);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void NoDestinationOfAnyKindGetsOutOfWhatIsAllowed()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        string[] pieces = ["/", "..", ".", "public", "admin", "%2F", "%5C", "\\", "%2e", ";", ";x", "%3B", "%20", "%252F", "%252e", "a", "//", "%EF%BC%8F", "%25", "%C0%AF"];
        var all = new AccessRules([Allow("*", "/public/**")], name => throw new ArgumentException(name));
        var readings = new PathReadings();
        int allowed = 0;
        for (int i = 0; i < 50_000; i++)
        {
            string path = "/public/" + string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => pieces[random.Next(pieces.Length)]));
            byte[] normal = Encoding.Latin1.GetBytes(path);
            int length = PathNormalizer.Normalize(normal, normal);
            if (length < 0 || all.Decide("GET", normal.AsSpan(0, length), default, null, readings, out _) != Verdict.Allowed) continue;
            allowed++;
            string sent = Encoding.Latin1.GetString(normal, 0, length);
            foreach (string taken in Destinations(sent)) Assert.That(taken, Does.Match("^/public(/|$)"), $"{sent} was allowed; seed {seed}");
        }
        Assert.That(allowed, Is.GreaterThan(1000), $"seed {seed}");
    }

    // Plainly written, and nothing of what is tested: decoders, then cutters, then resolvers, in the orders that servers have them.
    private static IEnumerable<string> Destinations(string path)
    {
        string once = Uri.UnescapeDataString(path), twice = Uri.UnescapeDataString(once);
        foreach (string decoded in new[] { path, once, twice, Uri.UnescapeDataString(Cut(path)) })
        {
            foreach (string cut in new[] { decoded, Cut(decoded) })
            {
                yield return Resolve(cut, mergesSlashes: false);
                yield return Resolve(cut, mergesSlashes: true);
                yield return Resolve(cut.Replace('\\', '/'), mergesSlashes: true);
            }
        }

        static string Cut(string text) => string.Join('/', text.Split('/').Select(segment => segment.Split(';')[0]));

        static string Resolve(string text, bool mergesSlashes)
        {
            var segments = new List<string>();
            foreach (string segment in text.Split('/').Skip(1))
            {
                if (segment == "." || (mergesSlashes && segment.Length == 0)) continue;
                if (segment != "..") segments.Add(segment);
                else if (segments.Count > 0) segments.RemoveAt(segments.Count - 1);
            }
            return "/" + string.Join('/', segments);
        }
    }
}
