using System.Text;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;
using LoadBalancer.Schemas.Tests.Requests;

namespace LoadBalancer.Schemas.Tests.OpenApi;

[TestFixture]
public sealed class OpenApiRequestTests
{
    private const string Pets = """
        openapi: 3.1.0
        info: { title: Pets, version: "1" }
        paths:
          /pets:
            parameters:
              - { name: trace, in: header, schema: { type: string, format: uuid } }
            get:
              parameters:
                - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
                - { name: tag, in: query, schema: { type: array, items: { type: string, maxLength: 3 }, maxItems: 2 } }
                - { name: ids, in: query, explode: false, schema: { type: array, items: { type: integer } } }
                - { name: pipe, in: query, style: pipeDelimited, explode: false, schema: { type: array, items: { type: integer } } }
                - { name: space, in: query, style: spaceDelimited, explode: false, schema: { type: array, items: { type: integer } } }
                - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { age: { type: integer } }, additionalProperties: false } }
                - { name: q, in: query, content: { application/json: { schema: { type: object, required: [a] } } } }
                - { name: either, in: query, schema: { anyOf: [{ type: integer, maximum: 9 }, { type: string, enum: [all, "10"] }] } }
                - { name: flag, in: query, allowEmptyValue: true, schema: { type: boolean } }
                - { name: session, in: cookie, schema: { type: integer } }
              responses: { "200": { description: ok } }
            post:
              requestBody: { $ref: '#/components/requestBodies/Pet' }
              responses:
                "201": { description: made, headers: { X-Count: { required: true, schema: { type: integer } } }, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
                4XX: { description: no, content: { application/problem+json: {} } }
          /pets/{id}:
            get:
              parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
              responses: { default: { description: any } }
        components:
          requestBodies:
            Pet:
              required: true
              content:
                application/json: { schema: { $ref: '#/components/schemas/Pet' } }
                application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Pet' } }
                image/*: {}
          schemas:
            Pet:
              type: object
              required: [id, name, secret]
              unevaluatedProperties: false
              properties:
                id: { type: integer, readOnly: true }
                name: { type: string, maxLength: 10 }
                secret: { $ref: '#/components/schemas/Secret' }
                tags: { type: array, items: { type: string } }
                age: { type: [integer, "null"] }
            Secret: { type: string, writeOnly: true }
        """;

    private static readonly OpenApiDocument Document = OpenApiFixture.Load(Pets);
    private static readonly OpenApiDocument Strict = OpenApiFixture.Load(Pets, new OpenApiOptions { RefuseUnknownQuery = true });

    [TestCase("/pets")]
    [TestCase("/pets?limit=42")]
    [TestCase("/pets?limit=%34%32")]
    [TestCase("/pets?tag=a&tag=b")]
    [TestCase("/pets?ids=1,2,3")]
    [TestCase("/pets?pipe=1|2%7C3")]
    [TestCase("/pets?space=1%202+3")]
    [TestCase("/pets?filter[age]=3")]
    [TestCase("/pets?filter%5Bage%5D=3")]
    [TestCase("/pets?q=%7B%22a%22:1%7D")]
    [TestCase("/pets?either=5")]
    [TestCase("/pets?either=all")]
    [TestCase("/pets?either=10")]
    [TestCase("/pets?flag")]
    [TestCase("/pets?flag=true")]
    [TestCase("/pets/7")]
    public void ValidateRequest_GoodParameters_AreValid(string target)
    {
        Assert.That(Document.Send("GET", target), Is.EqualTo((RequestVerdict.Valid, (List<RequestProblem>)[])));
        Assert.That(Strict.Send("GET", target).Verdict, Is.EqualTo(RequestVerdict.Valid), "none of them is unknown");
    }

    [TestCase("/pets?limit=x", "Query limit: is a string; expected integer (#/paths/~1pets/get/parameters/0/schema/type)")]
    [TestCase("/pets?limit=", "Query limit: is a string; expected integer (#/paths/~1pets/get/parameters/0/schema/type)")]
    [TestCase("/pets?limit=1.5", "Query limit: is a number; expected integer (#/paths/~1pets/get/parameters/0/schema/type)")]
    [TestCase("/pets?limit=101", "Query limit: must be at most 100 (#/paths/~1pets/get/parameters/0/schema/maximum)")]
    [TestCase("/pets?limit=1&limit=2", "Query limit: is given twice (single)")]
    [TestCase("/pets?limit=1&%6cimit=2", "Query limit: is given twice (single)")]
    [TestCase("/pets?limit=%zz", "Query limit: is wrongly percent-encoded (encoding)")]
    [TestCase("/pets?tag=%ff", "Query tag: is not UTF-8 (encoding)")]
    [TestCase("/pets?tag=a&tag=long", "Query tag/1: has 4 characters; expected at most 3 (#/paths/~1pets/get/parameters/1/schema/items/maxLength)")]
    [TestCase("/pets?tag=a&tag=b&tag=c", "Query tag: has 3 items; expected at most 2 (#/paths/~1pets/get/parameters/1/schema/maxItems)")]
    [TestCase("/pets?ids=1,x", "Query ids/1: is a string; expected integer (#/paths/~1pets/get/parameters/2/schema/items/type)")]
    [TestCase("/pets?filter[age]=x", "Query filter/age: is a string; expected integer (#/paths/~1pets/get/parameters/5/schema/properties/age/type)")]
    [TestCase("/pets?filter[b]=1", "Query filter/b: the property \"b\" is not allowed (#/paths/~1pets/get/parameters/5/schema/additionalProperties)")]
    [TestCase("/pets?filter[age]=1&filter[age]=2", "Query filter/age: is there twice (json)")]
    [TestCase("/pets?q=%7B%7D", "Query q: the property \"a\" is missing (#/paths/~1pets/get/parameters/6/content/application~1json/schema/required)")]
    [TestCase("/pets?%zz=1", "Query: the query is wrongly percent-encoded, or has more than 1000 parameters (encoding)")]
    [TestCase("/pets/x", "Path id: is a string; expected integer (#/paths/~1pets~1{id}/get/parameters/0/schema/type)")]
    public void ValidateRequest_BadParameters_AreNamed(string target, string expected)
    {
        (RequestVerdict verdict, List<RequestProblem> problems) = Document.Send("GET", target);
        Assert.That(verdict, Is.EqualTo(RequestVerdict.BadParameters));
        Assert.That(problems.Select(p => p.ToString()), Is.EqualTo((string[])[expected]));
    }

    [Test]
    public void ValidateRequest_UnknownQuery_IsRefusedByChoice()
    {
        Assert.That(Document.Send("GET", "/pets?other=1").Verdict, Is.EqualTo(RequestVerdict.Valid));
        (RequestVerdict verdict, List<RequestProblem> problems) = Strict.Send("GET", "/pets?limit=1&other=1");
        Assert.That(verdict, Is.EqualTo(RequestVerdict.BadParameters));
        Assert.That(problems.Single().ToString(), Is.EqualTo("Query other: is no parameter of this operation (unknown)"));
    }

    [Test]
    public void ValidateRequest_HeadersAndCookies_AreHeldAgainstTheirSchemas()
    {
        Assert.That(Document.Send("GET", "/pets", "", "Trace: 123e4567-e89b-12d3-a456-426614174000", "Cookie: a=b; session=5").Verdict, Is.EqualTo(RequestVerdict.Valid));
        Assert.That(Document.Send("GET", "/pets", "", "Trace: x", "Cookie: session=x").Problems.Select(p => $"{p.Place} {p.Name}"), Is.EqualTo((string[])["Cookie session", "Header trace"]));
    }

    [TestCase("""{"name":"Rex","secret":"s"}""", "application/json", RequestVerdict.Valid, null)]
    [TestCase("""{"name":"Rex","secret":"s","age":null,"tags":[]}""", "application/json; charset=utf-8", RequestVerdict.Valid, null)]
    [TestCase("""{"id":"anything","name":"Rex","secret":"s"}""", "application/json", RequestVerdict.Valid, null)]
    [TestCase("""{"name":"Rex"}""", "application/json", RequestVerdict.BadBody, "")]
    [TestCase("""{"name":"Rex","secret":"s","x":1}""", "application/json", RequestVerdict.BadBody, "/x")]
    [TestCase("""{"name":""", "application/json", RequestVerdict.BadBody, "")]
    [TestCase("name=Rex&secret=s&age=5&tags=a&tags=b", "application/x-www-form-urlencoded", RequestVerdict.Valid, null)]
    [TestCase("name=Rex&secret=s&age=x", "application/x-www-form-urlencoded", RequestVerdict.BadBody, "/age")]
    [TestCase("name=Rex&name=Max&secret=s", "application/x-www-form-urlencoded", RequestVerdict.BadBody, "/name")]
    [TestCase("whatever", "image/png", RequestVerdict.Valid, null)]
    [TestCase("<a/>", "text/xml", RequestVerdict.BadMediaType, "")]
    [TestCase("{}", "", RequestVerdict.BadMediaType, "")]
    [TestCase("", "application/json", RequestVerdict.NoBody, "")]
    public void ValidateRequest_Body_IsHeldAgainstItsMediaType(string body, string contentType, RequestVerdict expected, string? pointer)
    {
        (RequestVerdict verdict, List<RequestProblem> problems) = Document.Send("POST", "/pets", body, $"Content-Type: {contentType}");
        Assert.That(verdict, Is.EqualTo(expected), string.Join('\n', problems));
        Assert.That(problems.Select(p => p.Pointer), pointer is null ? Is.Empty : Is.EqualTo((string[])[pointer]), string.Join('\n', problems));
    }

    [TestCase("POST", "/nothing", RequestVerdict.NoPath)]
    [TestCase("PUT", "/pets", RequestVerdict.NoMethod)]
    public void ValidateRequest_NotInTheDocument_SaysWhich(string method, string target, RequestVerdict expected) =>
        Assert.That(Document.Send(method, target).Verdict, Is.EqualTo(expected));

    [TestCase(201, """{"id":1,"name":"Rex"}""", "application/json", "X-Count: 5", null)]
    [TestCase(201, """{"id":1,"name":"Rex"}""", "application/json", "X-Count: x", "Header X-Count: is a string; expected integer")]
    [TestCase(201, """{"name":"Rex"}""", "application/json", "X-Count: 5", "Body: the property \"id\" is missing")]
    [TestCase(201, "x", "text/plain", "X-Count: 5", "Header Content-Type: expected application/json")]
    [TestCase(201, "", "", "a: b", "Header X-Count: is missing")]
    [TestCase(404, "x", "application/problem+json", "a: b", null)]
    [TestCase(404, "x", "text/html", "a: b", "Header Content-Type: expected application/problem+json")]
    [TestCase(500, "x", "text/html", "a: b", "Status: the status 500 is not described")]
    public void ValidateResponse_Response_IsHeldAgainstTheOperation(int status, string body, string contentType, string field, string? expected)
    {
        var problems = new List<RequestProblem>();
        OpenApiOperation operation = Document.Match("POST"u8, "/pets"u8).Operation!;
        bool isValid = RequestContract.ValidateResponse(operation, status, new Fields($"Content-Type: {contentType}", field), Encoding.UTF8.GetBytes(body), problems);
        Assert.That(isValid, Is.EqualTo(expected is null));
        if (expected is null) Assert.That(problems, Is.Empty);
        else Assert.That(problems.Single().ToString(), Does.StartWith(expected));
    }

    [Test]
    public void ValidateRequest_OpenApi30_HasItsOwnKeywords()
    {
        OpenApiDocument document = OpenApiFixture.Load("""
            {"openapi":"3.0.3","paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},"responses":{}}}},
             "components":{"schemas":{"A":{"type":"object","properties":{
               "n":{"type":"string","nullable":true,"example":"x"},
               "low":{"type":"number","minimum":0,"exclusiveMinimum":true},
               "other":{"$ref":"other.yaml#/components/schemas/B","description":"ignored"},
               "self":{"$ref":"#/components/schemas/A"}}}}}}
            """, null, ("other.yaml", "components:\n  schemas:\n    B:\n      type: integer\n      format: int32\n"));
        string[] Check(string body) => [.. document.Send("POST", "/a", body, "Content-Type: application/json").Problems.Select(p => p.Rule)];
        Assert.Multiple(() =>
        {
            Assert.That(Check("""{"n":null,"low":0.1,"other":1,"self":{"n":"x"}}"""), Is.Empty);
            Assert.That(Check("""{"low":0}"""), Is.EqualTo((string[])["#/components/schemas/A/properties/low/minimum"]));
            Assert.That(Check("""{"self":{"n":1}}"""), Is.EqualTo((string[])["#/components/schemas/A/properties/n/type"]));
            Assert.That(Check("""{"other":3000000000}""").Single(), Does.EndWith("other.yaml#/components/schemas/B/format"));
        });
    }

    [Test]
    public void ValidateRequest_ValidRequest_AllocatesNothing()
    {
        byte[] path = "/pets"u8.ToArray(), query = "limit=42&tag=a&tag=b&filter[age]=3"u8.ToArray();
        var fields = new NoFields();
        for (int i = 0; i < 100; i++) Assert.That(Document.ValidateRequest("GET"u8, path, query, fields, default, null), Is.EqualTo(RequestVerdict.Valid));
        var problems = new List<RequestProblem>();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Document.ValidateRequest("GET"u8, path, query, fields, default, problems);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private sealed class NoFields : IHeaderFields
    {
        public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
        {
            value = default;
            return false;
        }
    }

    [Test]
    [CancelAfter(30_000)]
    public void ValidateRequest_RandomRequests_NeverThrow()
    {
        const int Seed = 99;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        string[] parts = ["limit", "tag", "ids", "filter[age]", "filter[", "]", "q", "=", "&", "%", "%7B", "1", ",", "|", "+", "either", "\"", "\\", "{", "ü", "flag", "\0", ";"];
        for (int i = 0; i < 20_000; i++)
        {
            string Random(int max) => string.Concat(Enumerable.Range(0, random.Next(max)).Select(_ => parts[random.Next(parts.Length)]));
            string target = $"/pets{(random.Next(3) == 0 ? "/" + Random(4).Replace("?", "", StringComparison.Ordinal) : "")}?{Random(12)}";
            bool isPost = random.Next(2) == 0;
            (RequestVerdict verdict, List<RequestProblem> problems) = Document.Send(isPost ? "POST" : "GET", target, isPost ? Random(10) : "",
                $"Content-Type: {(random.Next(2) == 0 ? "application/json" : "application/x-www-form-urlencoded")}", $"Cookie: session={Random(3)}", $"Trace: {Random(3)}");
            if (verdict is RequestVerdict.BadBody or RequestVerdict.BadParameters) Assert.That(problems, Is.Not.Empty, target);
        }
    }
}
