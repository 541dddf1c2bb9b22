using System.Reflection;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Authentication: how it is written, and what is wrong with it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AuthenticationConfigTests
{
    private static string[] Problems(string policy)
    {
        ConfigReadResult result = ReadTests.Parse($$"""
            { "listeners": { "web": { "address": ":80" } }, "policies": { "p": {{policy}} }, "clusters": { "c": { "destinations": { "a": "10.0.0.1:80" } } },
              "routes": { "r": { "path": "/", "cluster": "c", "policies": ["p"] } } }
            """);
        return [.. result.Problems.Select(problem => $"{problem.Path}: {problem.Message}"), .. result.Config is null ? [] : ConfigValidator.Validate(result.Config).Select(problem => problem.ToString())];
    }

    [Test]
    public void TheDocumentsExampleIsRead()
    {
        ConfigReadResult result = ReadTests.Parse(Repository.Read("docs/authentication.md").Split("```jsonc\n")[1].Split("```")[0]);
        Assert.That(result.Problems, Is.Empty);
        var users = (JwtConfig)result.Config!.Policies["users"];
        Assert.That(users.Issuers["https://id.example.com/"].Jwks, Is.EqualTo(new SourceConfig { From = "https://id.example.com/.well-known/jwks.json" }));
        Assert.That(users.Headers["X-Roles"], Is.EqualTo("realm_access.roles"));
        Assert.That(users.Revoked, Is.EqualTo(new SourceConfig { From = "https://id.example.com/revoked.txt", Interval = TimeSpan.FromMinutes(1), MaxAge = TimeSpan.FromHours(1) }));
        Assert.That(((AuthenticateConfig)result.Config.Policies["who"]).AnyOf, Is.EqualTo(new[] { "users", "machines" }));
        Assert.That(ConfigValidator.Validate(result.Config).Where(problem => problem.ToString().StartsWith("policies", StringComparison.Ordinal)), Is.Empty);
    }

    [TestCase("""{ "jwt": { "issuers": { "i": { "secret": "0123456789abcdef0123456789abcdef", "audiences": "*" } }, "removeCredential": true, "headerEncoding": "base64" } }""")]
    [TestCase("""{ "jwt": { "issuers": { "*": { "jwks": { "from": "https://h/k", "ca": "x" }, "audiences": ["a", "b"], "algorithms": ["ES256", "EdDSA"], "types": "at+jwt" } }, "from": ["bearer", "cookie:t"] } }""")]
    [TestCase("""{ "apiKey": { "hashes": { "a": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae owner=b" } } }""")]
    [TestCase("""{ "signature": { "keys": { "a": "0123456789abcdef0123456789abcdef", "b": { "secret": "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "claims": { "sub": "x" } } }, "components": ["@target-uri", "date"] } }""")]
    [TestCase("""{ "session": { "keys": { "a": "0123456789abcdef0123456789abcdef" }, "cookie": "s", "optional": true } }""")]
    public void GoodOnesAreTaken(string policy) => Assert.That(Problems(policy), Is.Empty);

    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k" } } } }""", "audiences")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "audiences": "a" } } } }""", "has no keys")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "secret": "x", "audiences": "a" } } } }""", "from several places")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a", "algorithms": "none" } } } }""", "no algorithm")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a", "algorithms": "HS256" } } } }""", "where everybody can read it")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "http://h/k", "audiences": "a" } } } }""", "without TLS")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "file:///k", "audiences": "a" } } } }""", "no URL that can be fetched")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "/nowhere/k", "audiences": "a" } } } }""", "does not exist")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "redis:k", "audiences": "a" } } } }""", "no key set")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "secret": "short", "audiences": "a" } } } }""", "at least 32")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "secret": "-----BEGIN PUBLIC KEY----- 0123456789abcdef", "audiences": "a" } } } }""", "is a PEM")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "key": "x", "audiences": "a" } } } }""", "no PEM")]
    [TestCase("""{ "jwt": { "issuers": {} } }""", "names 0 issuers")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "from": "query:token" } }""", "is unknown")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "headers": { "Authorization": "sub" } } }""", "credential out")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "headers": { "Content-Length": "sub" } } }""", "balancer itself")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "from": "header:X-T", "headers": { "x-t": "sub" } } }""", "credential out")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "realm": "a\"b" } }""", "realm")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwks": "https://h/k", "audiences": "a" } }, "revoked": "redis:r" } }""", "needs the \"redis\"")]
    [TestCase("""{ "jwt": { "issuers": { "i": { "jwksUri": "https://h/k", "audiences": "a" } } } }""", "did you mean \"jwks\"?")]
    [TestCase("""{ "apiKey": {} }""", "has no keys")]
    [TestCase("""{ "apiKey": { "hashes": { "a": "abc" } } }""", "64 hexadecimal digits")]
    [TestCase("""{ "basic": { "hashes": { "a": "{SHA}x" } } }""", "SHA-1")]
    [TestCase("""{ "signature": { "keys": { "a": "short" } } }""", "at least 32")]
    [TestCase("""{ "signature": { "keys": { "a": "0123456789abcdef0123456789abcdef" }, "components": ["@status"] } }""", "no component")]
    [TestCase("""{ "session": { "keys": { "a.b": "0123456789abcdef0123456789abcdef" } } }""", "its id")]
    [TestCase("""{ "clientCertificate": true }""", "no listener asks")]
    [TestCase("""{ "authenticate": { "anyOf": ["q"] } }""", "there is no policy \"q\"")]
    [TestCase("""{ "authenticate": { "anyOf": ["p"] } }""", "does not verify")]
    [TestCase("""{ "jwtAuth": {} }""", "did you mean \"jwt\"?")]
    public void AFaultIsNamed(string policy, string expected) => Assert.That(string.Join('\n', Problems(policy)), Does.Contain(expected));

    [Test]
    public void SpecsAndRecordsHaveTheSameNamesAndDefaults()
    {
        Compare(AuthenticationSpecs.Source);
        Compare(AuthenticationSpecs.Issuer);
        Compare(AuthenticationSpecs.SigningKey);
        Compare(AuthenticationSpecs.Jwt);
        Compare(AuthenticationSpecs.ApiKey);
        Compare(AuthenticationSpecs.Basic);
        Compare(AuthenticationSpecs.Signature);
        Compare(AuthenticationSpecs.Session);
        Compare(AuthenticationSpecs.MutualTls);
        Compare(AuthenticationSpecs.Authenticate);
    }

    private static void Compare<T>(ObjectSpec<T> spec) where T : class
    {
        PropertyInfo[] properties = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.Name != nameof(PolicyConfig.Kind))];
        Assert.That(spec.Fields.Select(field => field.Name), Is.EquivalentTo(properties.Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))), typeof(T).Name);
        T defaults = spec.Empty();
        foreach (PropertyInfo property in properties)
            Assert.That(spec.Fields.Single(field => field.Name == JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Get(defaults), Is.EqualTo(property.GetValue(defaults)), property.Name);
    }
}
