using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Validation;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>The policy "validate": how it is written, and what is wrong with it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ValidateConfigTests
{
    private static ProxyConfig Config(ValidateConfig valid) => new()
    {
        Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = ":80" } },
        Policies = new Dictionary<string, PolicyConfig> { ["valid"] = valid },
        Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { Respond = new(), Policies = ["valid"] } },
    };

    private static string[] Problems(ValidateConfig valid) => [.. ConfigValidator.Validate(Config(valid)).Select(problem => problem.ToString())];

    [Test]
    public void TheDocumentsExampleIsRead()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "api.yaml"), "openapi: 3.1.0\npaths: {}\n");
            File.WriteAllText(Path.Combine(folder, "order.schema.json"), "{}");
            string example = Repository.Read("docs/validation.md").Split("```jsonc\n")[1].Split("```")[0];
            Check(ReadTests.Parse(example.Replace("api.yaml", $"{folder}/api.yaml", StringComparison.Ordinal).Replace("order.schema.json", $"{folder}/order.schema.json", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Check(ConfigReadResult result)
    {
        Assert.That(result.Problems, Is.Empty);
        var api = (ValidateConfig)result.Config!.Policies["api"];
        var upload = (ValidateConfig)result.Config.Policies["upload"];
        Assert.Multiple(() =>
        {
            Assert.That(Path.GetFileName(api.OpenApi), Is.EqualTo("api.yaml"));
            Assert.That((api.Responses, api.UnknownQuery, api.Mode), Is.EqualTo((ResponseValidation.Report, UnknownQuery.Refuse, ValidationMode.Enforce)));
            Assert.That((upload.Methods[0], upload.BodyBytesMax, upload.RequiredHeaders[0]), Is.EqualTo(("POST", 1 << 20, "X-Request-Id")));
            Assert.That(upload.Query["page"] with { Enum = [] }, Is.EqualTo(new QueryParameterConfig { Type = "integer", Min = "1", Max = "100", Enum = [] }));
        });
    }

    [Test]
    public void RequirementsAreChecked()
    {
        Assert.That(Problems(new ValidateConfig()), Is.EqualTo(new[]
        {
            "policies.valid.validate: asks for nothing; expected \"openapi\", or some of \"methods\", \"contentTypes\", \"bodyBytesMax\", \"requiredHeaders\", \"query\" and \"body\"",
        }));
        Assert.That(Problems(new ValidateConfig
        {
            BasePath = "v1", Responses = ResponseValidation.Report, Methods = ["get", "G T"], ContentTypes = ["json"], RequiredHeaders = ["X Key"], InvalidBodyStatus = 500, DepthMax = 5000,
        }), Is.EqualTo(new[]
        {
            "policies.valid.validate.depthMax: 5000 is out of range; expected 1 to 1024",
            "policies.valid.validate.invalidBodyStatus: 500 is out of range; expected 400 or 422",
            "policies.valid.validate.basePath: \"v1\" must begin with \"/\"",
            "policies.valid.validate.basePath: is for \"openapi\" alone",
            "policies.valid.validate.responses: is for \"openapi\" alone: nothing else says what responses look like",
            "policies.valid.validate.methods[0]: \"get\": methods are in upper case",
            "policies.valid.validate.methods[1]: \"G T\" is no method",
            "policies.valid.validate.requiredHeaders[0]: \"X Key\" is no header name; expected letters, digits and \"-\"",
        }));
        Assert.That(Problems(new ValidateConfig
        {
            ContentTypes = ["json"],
            Query = new Dictionary<string, QueryParameterConfig> { ["a"] = new() { Pattern = "(?<=" }, ["b"] = new() { Type = "int" }, ["c"] = new() { Min = "x" } },
        }).Select(problem => problem.Split(':')[0]), Is.EqualTo(new[] { "policies.valid.validate.query.a", "policies.valid.validate.query.b", "policies.valid.validate.query.c", "policies.valid.validate.contentTypes" }));
    }

    [Test]
    public void FilesAreReadAndTheirProblemsTold()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "api.yaml"), "openapi: 3.1.0\npaths:\n  /a: { get: { parameters: [{ name: x, in: query, schema: { type: strin } }] } }\n");
            File.WriteAllText(Path.Combine(folder, "body.json"), "{ \"type\": ");
            Assert.That(Problems(new ValidateConfig { OpenApi = Path.Combine(folder, "api.yaml"), Methods = ["GET"] }), Is.EqualTo(new[]
            {
                "policies.valid.validate.methods: has no effect with \"openapi\", which says it; leave one of them out",
                "policies.valid.validate.openapi: api.yaml#/paths/~1a/get/parameters/0/schema/type: must be the name of a type, or several: null, boolean, object, array, number, integer, string",
            }));
            Assert.That(Problems(new ValidateConfig { Body = Path.Combine(folder, "body.json") }), Is.EqualTo(new[] { "policies.valid.validate.body: body.json line 1: is not valid JSON" }));
            Assert.That(Problems(new ValidateConfig { Body = Path.Combine(folder, "none.json") }), Is.EqualTo(new[] { "policies.valid.validate.body: none.json: does not exist" }));
            Assert.That(Problems(new ValidateConfig { OpenApi = "" }), Is.EqualTo(new[] { "policies.valid.validate.openapi: is empty; expected the file of an OpenAPI document" }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
