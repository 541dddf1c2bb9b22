using System.Text;
using LoadBalancer.Core.Files;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Gateway.Tests.Authorization;

/// <summary>Tables of roles, and the files they come from.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class RoleTests
{
    private static readonly Dictionary<string, RoleConfig> None = [];

    private static string? Problem(string json) => RoleSource.TryRead(Encoding.UTF8.GetBytes(json), None, out _, out string error) ? null : error;

    [Test]
    public void AFileIsWrittenAsTheConfiguration()
    {
        bool isRead = RoleSource.TryRead("""
            { // who may what
              "reader": "orders:read",
              "editor": { "includes": ["reader"], "permissions": ["orders:write"] },
              "admin": { "includes": "editor", "permissions": "*", },
            }
            """u8.ToArray(), None, out RoleTable table, out _);
        RoleGrants grants = table.Grant(["editor", "unknown"]);
        Assert.That((isRead, table.Count, grants.Permits("orders:read"), grants.Permits("orders:write"), grants.Permits("orders:delete"), grants.Has("reader"), grants.Has("unknown"), grants.Has("admin")),
            Is.EqualTo((true, 3, true, true, false, true, true, false)));
    }

    [TestCase("[]", "cannot be used: expected an object with a member for each role")]
    [TestCase("""{"a":1}""", "cannot be used: the role \"a\" is no list of permissions, nor an object with \"permissions\" and \"includes\"")]
    [TestCase("""{"a":[1]}""", "cannot be used: the role \"a\" has a permission that is no string")]
    [TestCase("""{"a":{"include":"b"}}""", "cannot be used: the role \"a\" has the unknown key \"include\"; did you mean \"includes\"?")]
    [TestCase("""{"a":"x","a":"y"}""", "cannot be used: the role \"a\" is given twice")]
    [TestCase("""{"a":{"includes":["admn"]},"admin":[]}""", "cannot be used: the role \"a\" includes the role \"admn\", which is not there; did you mean \"admin\"?")]
    [TestCase("""{"a":{"includes":["a"]}}""", "cannot be used: the role \"a\" includes itself: a > a")]
    [TestCase("""{"x":{"includes":["a"]},"a":{"includes":["b","d"]},"b":{"includes":["c"]},"c":{"includes":["a"]},"d":[]}""", "cannot be used: the role \"a\" includes itself: a > b > c > a")]
    public void WhatIsWrongIsSaid(string json, string problem) => Assert.That(Problem(json), Is.EqualTo(problem));

    [TestCase("")]
    [TestCase("{")]
    [TestCase("{\"a\":\"\\ud800\"}")]
    [TestCase("{\"a\":[[[[[[[[[[\"x\"]]]]]]]]]]}")]
    public void WhatIsNoFileOfRolesIsAProblem(string json) => Assert.That(Problem(json), Does.StartWith("cannot be used: "));

    [Test]
    public void ALongChainOfRolesIsNoCycle()
    {
        string json = "{" + string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"r{i}\":{{\"includes\":[\"r{i + 1}\"]}}")) + ",\"r5000\":\"last\"}";
        Assert.That(RoleSource.TryRead(Encoding.UTF8.GetBytes(json), None, out RoleTable table, out _), Is.True);
        Assert.That(table.Grant(["r0"]).Permits("last"), Is.True);
    }

    [Test]
    public void ABrokenEditKeepsTheLastGoodOne()
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(file, """{"editor":"a"}""");
        using var log = new ErrorLog();
        using var source = new RoleSource("may", new AuthorizeConfig { RolesFile = file, Roles = new Dictionary<string, RoleConfig> { ["editor"] = new() { Permissions = ["fixed"] } } }, new FakeTimeProvider(), log);
        Assert.That((source.Table.Grant(["editor"]).Permits("a"), source.Table.Grant(["editor"]).Permits("fixed")), Is.EqualTo((true, true)));
        File.WriteAllText(file, """{"editor":""");
        Assert.That((source.Look(settles: false), source.Table.Grant(["editor"]).Permits("a")), Is.EqualTo((SourceChange.Refused, true)));
        File.WriteAllText(file, """{"editor":"b"}""");
        Assert.That((source.Look(settles: true), source.Look(settles: true)), Is.EqualTo((SourceChange.Unsettled, SourceChange.Replaced)), "it may still be being written");
        Assert.That((source.Table.Grant(["editor"]).Permits("a"), source.Table.Grant(["editor"]).Permits("b")), Is.EqualTo((false, true)));
        File.Delete(file);
    }
}
