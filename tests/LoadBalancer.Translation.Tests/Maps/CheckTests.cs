using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Tests.Maps;

/// <summary>Every problem of a map is told, with its place and what to do.</summary>
public class CheckTests
{
    [TestCase("'name'", "")]
    [TestCase("'a <-> b', 'c <-> b'", "fields[1]: \"b\" of v2 is written by routes[0].request.fields[0] too; expected one rule for a value")]
    [TestCase("'a <-> b', 'a <-> c'", "fields[1]: \"a\" of v1 is read by routes[0].request.fields[0] too; expected one rule for a value")]
    [TestCase("'a <-> b <-> c'", "fields[0]: has \"<->\" more than once")]
    [TestCase("'a[].b <-> c'", "fields[0]: \"a[].b\" and \"c\" do not go through the same: each \"[]\" and \"*\" of v1 needs one in v2, in the same order")]
    [TestCase("'a.[0] <-> c'", "fields[0]: the path \"a.[0]\" has an empty name")]
    [TestCase("'a[0] <-> c'", "fields[0]: the path \"a[0]\" has \"[\" that is neither \"[]\" (every element) nor ['name']")]
    [TestCase("'items[].a <-> list[].a', 'items[].b <-> other[].b'", "goes to \"list[]\" by routes[0].request.fields[0], and to \"other[]\" here; expected one of them")]
    [TestCase("'items <-> other', 'items[].b <-> list[].b'", "goes to \"list[]\", but routes[0].request.fields[0] has \"items\" of v1 go elsewhere")]
    [TestCase("{'v2':'list[].kind','constant':1}", "goes through \"list[]\" of v2, but no rule says what that is in v1")]
    [TestCase("{'v1':'a'}", "is in v1 only, so its value is lost on the way to v2; if that is meant, add \"lossy\": true, else \"v2\"")]
    [TestCase("{'v1':'a','lossy':true}", "")]
    [TestCase("{'v2':'a'}", "is in v2 only, so its value is lost on the way to v1; if that is meant, add \"lossy\": true, else \"v1\" or a \"constant\"")]
    [TestCase("{'v2':'a','constant':1}", "")]
    [TestCase("{'v2':'a','constan':1}", "fields[0].constan: unknown key \"constan\"; did you mean \"constant\"?")]
    [TestCase("{'v1':'a','v2':'b','constant':1}", "fields[0].constant: stands on a rule with both sides")]
    [TestCase("{'v1':'a','v2':['b','c']}", "has several paths on a side, but no \"separator\" that stands between them")]
    [TestCase("{'v1':'a','v2':'b','separator':' '}", "fields[0].separator: has no effect on a rule with one path on each side")]
    [TestCase("{'v1':'a','v2':['b'],'separator':' '}", "fields[0].v2: has 1 parts; expected 2 to 16")]
    [TestCase("{'path':'a','convert':{'enum':{'x':'A','y':'A'}}}", "\"A\" of v2 stands for 2 values of v1, so nobody knows which it is on the way there; expected one, or \"winner\": \"first\" beside \"enum\"")]
    [TestCase("{'path':'a','convert':{'enum':[['x','A'],['y','A']],'winner':'first'}}", "")]
    [TestCase("{'path':'a','convert':{'enum':{'x':'A'},'otherwise':{'v1':'o'}}}", "fields[0].convert.otherwise: makes different values one, so they do not come back; if that is meant, add \"lossy\": true to the rule")]
    [TestCase("{'path':'a','convert':{'v1':'number','v2':'rfc3339'}}", "\"number\" and \"rfc3339\" cannot be converted into one another")]
    [TestCase("{'path':'a','convert':{'v1':'numer','v2':'string'}}", "fields[0].convert.v1: expected one of \"string\", \"number\"")]
    [TestCase("{'path':'a','convert':{'factor':0}}", "fields[0].convert.factor: expected a number other than 0")]
    [TestCase("{'path':'a','type':'Nobody'}", "fields[0].type: there is no type \"Nobody\"; expected one of \"T\"")]
    [TestCase("{'path':'a','type':'T'}, 'a.b <-> a.c'", "takes \"a\" of v1 as a whole, but other rules go into it; expected them in the type")]
    [TestCase("{'path':'a','default':1}", "fields[0].default: expected an object such as { \"v2\": \"none\" }")]
    [TestCase("{'path':'a.*','convert':{'v1':'number','v2':'string'}}, 'a.b <-> a.c'", "goes into every member of \"a\" of v1, and other rules into some by name")]
    [TestCase("5", "fields[0]: expected a rule, such as \"name <-> fullName\"")]
    public void Rules(string fields, string expected)
    {
        IReadOnlyList<MapProblem> problems = TestMaps.Problems($"{{ 'routes': [{{ 'v1': 'POST /a', 'v2': 'POST /b', 'request': {{ 'fields': [{fields}] }} }}], 'types': {{ 'T': ['x'] }} }}");
        if (expected.Length == 0) Assert.That(problems, Is.Empty);
        else Assert.That(problems.Select(p => p.ToString()), Has.One.Contains(expected));
    }

    [TestCase("'v1': 'GET /a/{id}', 'v2': 'GET /b'", "routes[0]: has \"{id}\" in v1 but not in v2; each variable has to be on both sides")]
    [TestCase("'v1': 'GET /a/**', 'v2': 'GET /b'", "routes[0]: has \"**\" in v1 but not in v2; each variable has to be on both sides")]
    [TestCase("'v1': 'GET /a/{id}/{id}', 'v2': 'GET /b/{id}'", "routes[0].v1: \"GET /a/{id}/{id}\" has \"{id}\" twice")]
    [TestCase("'v1': 'GET a', 'v2': 'GET /b'", "routes[0].v1: \"GET a\" has no path; expected one such as \"GET /v1/users/{id}\"")]
    [TestCase("'v1': 'get /a', 'v2': 'GET /b'", "routes[0].v1: \"get /a\" has the method \"get\"; expected one such as GET, or none for every method")]
    [TestCase("'v1': '/a', 'v2': 'GET /b'", "routes[0]: has a method on one side only")]
    [TestCase("'v1': 'GET /a b', 'v2': 'GET /b'", "which must be percent-encoded")]
    [TestCase("'v1': 'GET /a'", "routes[0]: has no \"v2\"")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'response': { 'status': { '200': 204 } }", "204, 205 and 304 never have a body")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'response': { 'status': { '200': 202, '201': 202 } }", "202 of v2 stands for 200 too")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'request': { 'headers': ['Content-Length <-> X'] }", "belongs to the connection or to the body")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'request': { 'headers': [{ 'v2': 'X', 'constant': 'a\\nb' }] }", "writes what is no value of a header field")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'request': { 'type': 'T', 'fields': [] }", "routes[0].request.type: stands beside \"fields\"; expected one of them")]
    [TestCase("'v1': 'GET /a', 'v2': 'GET /b', 'query': ['q <-> s', 'x <-> s']", "\"s\" of v2 is written by routes[0].query[0] too")]
    public void Routes(string route, string expected) =>
        Assert.That(TestMaps.Problems($"{{ 'routes': [{{ {route} }}], 'types': {{ 'T': ['x'] }} }}").Select(p => p.ToString()), Has.One.Contains(expected));

    [Test]
    public void RoutesThatMatchTheSameAreTold() =>
        Assert.That(TestMaps.Problems("{ 'routes': [{ 'v1': 'GET /a/{x}', 'v2': 'GET /b/{x}' }, { 'v1': 'GET /a/{y}', 'v2': 'GET /c/{y}' }] }").Select(p => p.ToString()),
            Is.EqualTo(new[] { "routes[1].v1: \"GET /a/{y}\" matches the same as routes[0], so one of them is never used; expected different templates" }));

    [TestCase("{ 'routes': [] , }", "", Description = "trailing commas")]
    [TestCase("// why\n{ 'routes': [/* none */] }", "")]
    [TestCase("{ 'routes': [] ", "the map is no JSON at line 1")]
    [TestCase("[]", "expected an object with \"routes\"")]
    [TestCase("{ 'routes': [], 'routs': [] }", "routs: unknown key \"routs\"")]
    [TestCase("{ 'routes': [], 'routes': [] }", "the map is no JSON")]
    [TestCase("{ 'routes': [], 'unknown': 'keep' }", "unknown: expected \"pass\" or \"drop\", found \"keep\"")]
    [TestCase("{ 'routes': [], 'types': { 'A': [{ 'path': '$', 'type': 'B' }], 'B': [{ 'path': '$', 'type': 'A' }] } }", "types.A: is \"B\" itself")]
    public void Maps(string json, string expected)
    {
        if (expected.Length == 0) Assert.That(TestMaps.Problems(json), Is.Empty);
        else Assert.That(TestMaps.Problems(json).Select(p => p.ToString()), Has.Some.Contains(expected));
    }

    [Test]
    public void Losses_AreWhatTheMapDeclares()
    {
        VersionMap map = TestMaps.OfFields("[{'v1':'a','lossy':true}, 'b <-> c', {'path':'d','default':{'v2':1,'omit':true}}]");
        Assert.That(map.Losses.Select(l => l.ToString()).Take(2), Is.EqualTo(new[] { "routes[0].request.fields[0]: \"a\": lossy", "routes[0].request.fields[2]: \"d\": what is absent and what is the default become one" }));
    }
}
