using System.Buffers;
using System.Text;
using System.Text.Json;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;
using LoadBalancer.Schemas.Tests.OpenApi;

namespace LoadBalancer.Schemas.Tests.Requests;

[TestFixture]
public sealed class RequestRulesTests
{
    private static RequestRules Create(RequestRequirements requirements)
    {
        Assert.That(RequestRules.TryCreate(requirements, new SchemaOptions(), out RequestRules? rules, out IReadOnlyList<SchemaProblem> problems), Is.True, string.Join('\n', problems));
        return rules!;
    }

    private static JsonSchema Schema(string text)
    {
        Assert.That(JsonSchema.TryCompile(Encoding.UTF8.GetBytes(text), new SchemaOptions(), out JsonSchema? schema, out _), Is.True);
        return schema!;
    }

    [TestCase("GET", "/any?page=2", "", "X-Key: k", RequestVerdict.Valid)]
    [TestCase("PUT", "/any?page=2", "", "X-Key: k", RequestVerdict.NoMethod)]
    [TestCase("GET", "/any?page=2", "", "X-Other: k", RequestVerdict.BadParameters)]
    [TestCase("GET", "/any", "", "X-Key: k", RequestVerdict.BadParameters)]
    [TestCase("GET", "/any?page=0", "", "X-Key: k", RequestVerdict.BadParameters)]
    [TestCase("GET", "/any?page=3", "", "X-Key: k", RequestVerdict.BadParameters)]
    [TestCase("GET", "/any?page=1&sort=up", "", "X-Key: k", RequestVerdict.Valid)]
    [TestCase("GET", "/any?page=1&sort=UP", "", "X-Key: k", RequestVerdict.BadParameters)]
    [TestCase("GET", "/any?page=1&id=a&id=b", "", "X-Key: k", RequestVerdict.Valid)]
    [TestCase("GET", "/any?page=1&more=1", "", "X-Key: k", RequestVerdict.BadParameters)]
    [TestCase("POST", "/any?page=1", "", "X-Key: k", RequestVerdict.NoBody)]
    public void ValidateRequest_Requirements_AreHeld(string method, string target, string body, string field, RequestVerdict expected)
    {
        RequestRules rules = Create(new RequestRequirements
        {
            Methods = ["GET", "POST"],
            RequiredHeaders = ["X-Key"],
            RefuseUnknownQuery = true,
            Query = new Dictionary<string, QueryRequirement>
            {
                ["page"] = new() { Required = true, Type = "integer", Min = "1", Enum = ["0", "1", "2"] },
                ["sort"] = new() { Pattern = "^[a-z]+$", LengthMax = 4 },
                ["id"] = new() { Type = "array", LengthMax = 1 },
            },
            Body = Schema("true"),
        });
        Assert.That(rules.Send(method, target, body, field).Verdict, Is.EqualTo(expected));
    }

    [TestCase("application/json", "1", RequestVerdict.BadBody)]
    [TestCase("application/merge-patch+json", "1", RequestVerdict.BadBody)]
    [TestCase("application/json", "{}", RequestVerdict.Valid)]
    [TestCase("text/csv", "1", RequestVerdict.BadMediaType)]
    [TestCase("", "{}", RequestVerdict.BadMediaType)]
    public void ValidateRequest_BodyBySchema_IsJson(string contentType, string body, RequestVerdict expected) =>
        Assert.That(Create(new RequestRequirements { Body = Schema("""{"type":"object"}""") }).Send("POST", "/", body, $"Content-Type: {contentType}").Verdict, Is.EqualTo(expected));

    [TestCase("text/csv", RequestVerdict.Valid)]
    [TestCase("image/png", RequestVerdict.Valid)]
    [TestCase("application/json", RequestVerdict.BadMediaType)]
    public void ValidateRequest_ContentTypes_AreTheOnesThatMayCome(string contentType, RequestVerdict expected) =>
        Assert.That(Create(new RequestRequirements { ContentTypes = ["text/csv", "image/*"] }).Send("POST", "/", "1", $"Content-Type: {contentType}").Verdict, Is.EqualTo(expected));

    [Test]
    public void TryCreate_BrokenRequirements_SaysAll()
    {
        var requirements = new RequestRequirements
        {
            ContentTypes = ["json"],
            Query = new Dictionary<string, QueryRequirement> { ["a"] = new() { Type = "int" }, ["b"] = new() { Pattern = "(" } },
        };
        Assert.That(RequestRules.TryCreate(requirements, new SchemaOptions(), out _, out IReadOnlyList<SchemaProblem> problems), Is.False);
        Assert.That(problems.Select(p => p.Location), Is.EqualTo((string[])["query.a", "query.b", "contentTypes"]));
    }

    [Test]
    public void Write_Problems_AreProblemDetails()
    {
        var output = new ArrayBufferWriter<byte>();
        ProblemDetails.Write(output, 400, "Bad Request", "The request is not valid.",
        [
            new(RequestPlace.Body, "", "/a b/ü~1", "#/x", "is <wrong>"),
            new(RequestPlace.Query, "limit", "", "#/y", new string('m', 10_000)),
        ]);
        using JsonDocument document = JsonDocument.Parse(output.WrittenMemory);
        JsonElement root = document.RootElement, errors = root.GetProperty("errors");
        Assert.Multiple(() =>
        {
            Assert.That(root.GetProperty("type").GetString(), Is.EqualTo("about:blank"));
            Assert.That(root.GetProperty("status").GetInt32(), Is.EqualTo(400));
            Assert.That(errors[0].GetProperty("pointer").GetString(), Is.EqualTo("#/a%20b/%C3%BC~1"));
            Assert.That(errors[1].GetProperty("parameter").GetString(), Is.EqualTo("limit"));
            Assert.That(errors[1].GetProperty("in").GetString(), Is.EqualTo("query"));
            Assert.That(errors[1].TryGetProperty("pointer", out _), Is.False);
            Assert.That(output.WrittenCount, Is.LessThan(1000));
            Assert.That(Encoding.UTF8.GetString(output.WrittenSpan), Does.Not.Contain("<"), "no markup, should a browser take it for some");
        });
    }
}
