using System.Text;
using LoadBalancer.Schemas.OpenApi;

namespace LoadBalancer.Schemas.Tests.OpenApi;

[TestFixture]
public sealed class OpenApiPathTests
{
    private static string Document(string servers, params string[] paths) => $$"""
        openapi: 3.1.0
        info: { title: t, version: "1" }
        servers: {{servers}}
        paths:
        {{string.Join('\n', paths.Select(p => $"  '{p}': {{ get: {{ operationId: '{p}', responses: {{}} }} }}"))}}
        """;

    private static string? Match(OpenApiDocument document, string path, string method = "GET") =>
        document.Match(Encoding.ASCII.GetBytes(method), Encoding.UTF8.GetBytes(path)).Operation?.OperationId;

    [TestCase("/pets/mine", "/pets/mine")]
    [TestCase("/pets/42", "/pets/{id}")]
    [TestCase("/pets/42/photos", "/pets/{id}/photos")]
    [TestCase("/pets/mine/photos", "/pets/{id}/photos")]
    [TestCase("/pets/42.json", "/pets/{name}.json")]
    [TestCase("/range/1-5", "/range/{from}-{to}")]
    [TestCase("/", "/")]
    [TestCase("/gr%C3%B6%C3%9Fe", "/größe")]
    [TestCase("/pets/a%2Fb", "/pets/{id}")]
    [TestCase("/pets", null)]
    [TestCase("/pets/", null)]
    [TestCase("/pets/42/", null)]
    [TestCase("/pets/1/2", null)]
    [TestCase("/range/1", null)]
    [TestCase("*", null)]
    [TestCase("", null)]
    public void Match_Path_FindsTheMostConcrete(string path, string? expected)
    {
        OpenApiDocument document = OpenApiFixture.Load(Document("[]", "/pets/{id}", "/pets/mine", "/pets/{id}/photos", "/pets/{name}.json", "/range/{from}-{to}", "/", "/größe"));
        Assert.That(Match(document, path), Is.EqualTo(expected));
    }

    [TestCase("[{ url: https://api.example.com/v1 }]", "/v1/a")]
    [TestCase("[{ url: 'https://api.example.com/v1/' }]", "/v1/a")]
    [TestCase("[{ url: https://api.example.com }]", "/a")]
    [TestCase("[{ url: /x }, { url: /y }]", "/y/a")]
    [TestCase("[{ url: 'https://{host}/{version}', variables: { host: { default: h }, version: { default: v1, enum: [v1, v2] } } }]", "/v2/a")]
    public void Match_Servers_SayWhatPathsBeginWith(string servers, string path)
    {
        OpenApiDocument document = OpenApiFixture.Load(Document(servers, "/a"));
        Assert.That(Match(document, path), Is.EqualTo("/a"));
        Assert.That(Match(document, "/z/a"), Is.Null);
    }

    [Test]
    public void Match_ChosenBasePath_ReplacesServers()
    {
        OpenApiDocument document = OpenApiFixture.Load(Document("[{ url: /v1 }]", "/a"), new OpenApiOptions { BasePath = "/api/" });
        Assert.That(Match(document, "/api/a"), Is.EqualTo("/a"));
        Assert.That(Match(document, "/v1/a"), Is.Null);
    }

    [Test]
    public void Match_MethodThatIsNotThere_SaysWhichAre()
    {
        OpenApiDocument document = OpenApiFixture.Load("""
            openapi: 3.0.3
            paths:
              /a: { get: { responses: {} }, post: { responses: {} } }
            """);
        OpenApiMatch match = document.Match("DELETE"u8, "/a"u8);
        Assert.Multiple(() =>
        {
            Assert.That(match.IsPathKnown, Is.True);
            Assert.That(match.Operation, Is.Null);
            Assert.That(match.Allow, Is.EqualTo("GET, HEAD, POST"));
            Assert.That(document.Match("HEAD"u8, "/a"u8).Operation?.Method, Is.EqualTo("GET"));
            Assert.That(document.Match("get"u8, "/a"u8).Operation, Is.Null, "methods are case-sensitive");
        });
    }

    [TestCase("openapi: 2.0.0", "not supported")]
    [TestCase("swagger: '2.0'", "Swagger 2.0")]
    [TestCase("a: 1", "no OpenAPI document")]
    [TestCase("openapi: 3.1.0", "no \"paths\"")]
    [TestCase("openapi: 3.1.0\npaths:\n  a: {}", "begin with a slash")]
    [TestCase("openapi: 3.1.0\npaths:\n  /{a}: {get: {}}\n  /{b}: {get: {}}", "are the same but for the names")]
    [TestCase("openapi: 3.1.0\npaths:\n  /{a}{b}: {get: {}}", "nothing between")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {get: {parameters: [{name: x, in: body}]}}", "\"in\" must be")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {get: {parameters: [{name: x, in: path}]}}", "has no {x}")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {get: {parameters: [{$ref: '#/components/parameters/x'}]}}", "#/paths/~1a/get/parameters/0: \"#/components/parameters/x\" points to nothing")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {get: {parameters: [{name: x, in: query, style: simple}]}}", "\"style\"")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {post: {requestBody: {content: {json: {}}}}}", "no media type")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {post: {requestBody: {}}}", "must have \"content\"")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {get: {responses: {'2x0': {}}}}", "is no status")]
    [TestCase("openapi: 3.1.0\npaths:\n  /a: {post: {requestBody: {content: {a/json: {schema: {type: strin}}}}}}", "name of a type")]
    [TestCase("openapi: 3.1.0\npaths: {a: *b}", "line 2: the alias *b")]
    [TestCase("openapi: 3.1.0\npaths:\n\t- x", "line 3: is not valid YAML")]
    [TestCase("openapi: 3.1.0\npaths: {}\npaths: {}", "line 3: the key \"paths\" is there twice")]
    public void TryLoad_BrokenDocument_SaysWhereAndWhat(string text, string expected)
    {
        (OpenApiDocument? document, IReadOnlyList<SchemaProblem> problems) = OpenApiFixture.TryLoad(text);
        Assert.That(document, Is.Null);
        Assert.That(string.Join('\n', problems), Does.Contain(expected));
    }

    [Test]
    public void TryLoad_AliasesOfAliases_AreBounded()
    {
        string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        (_, IReadOnlyList<SchemaProblem> problems) = OpenApiFixture.TryLoad(bomb);
        Assert.That(problems.Single().Message, Does.Contain("too large with its aliases"));
    }
}
