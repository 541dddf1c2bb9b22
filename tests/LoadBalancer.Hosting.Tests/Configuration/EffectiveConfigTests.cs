using System.Reflection;
using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>A configuration is shown as it is in effect, and without what is secret in it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class EffectiveConfigTests
{
    private const string Marker = "LEAKED-0123456789abcdef0123456789abcdef";

    // A marker in every secret.
    private static readonly string Secrets = $$"""
        {
          "listeners": { "web": { "address": ":443", "tls": { "certificates": [{ "file": "a.pfx", "password": "{{Marker}}" }], "acme": "example.com" } } },
          "acme": { "agreeToTerms": true, "externalAccount": { "keyId": "kid", "macKey": "{{Marker}}" } },
          "redis": { "endpoints": ["redis:6379"], "secret": "{{Marker}}", "user": "lb", "password": "{{Marker}}" },
          "admin": { "address": "127.0.0.1:9900", "token": "{{Marker}}" },
          "blockRules": { "b": { "headers": { "X-Secret": "{{Marker}}" } } },
          "routes": {
            "r": { "path": "/a", "headers": { "X-Api-Key": "{{Marker}}", "X-There": "*" }, "cookies": { "session": "{{Marker}}" }, "cluster": "c", "policies": ["headers", "jwt", "keys", "users", "signed", "sessions", "script", "who"] },
            "s": { "path": "/b", "respond": { "headers": { "X-Token": "{{Marker}}" } } }
          },
          "clusters": { "c": {
            "destinations": { "d": "10.0.0.1:80" }, "sticky": { "cookie": "lb", "keys": ["{{Marker}}", "{{Marker}}2"] },
            "tls": { "certificate": { "file": "b.pfx", "password": "{{Marker}}" } },
            "healthCheck": { "path": "/health?token={{Marker}}" }, "balance": "prequal", "probe": { "path": "/load?token={{Marker}}" }
          } },
          "policies": {
            "headers": { "headers": { "request": { "set": { "Authorization": "Basic {{Marker}}" }, "add": { "Cookie": "{{Marker}}" } }, "response": { "set": { "X": "{{Marker}}" } } } },
            "jwt": { "jwt": { "issuers": { "i": { "secret": "{{Marker}}", "audiences": "*" }, "j": { "key": "{{Marker}}", "audiences": "*" }, "k": { "jwks": "https://user:{{Marker}}@id.example.com/keys?key={{Marker}}", "audiences": "*" } } } },
            "keys": { "apiKey": { "keys": { "from": "https://h/keys?token={{Marker}}" }, "hashes": { "one": "{{Marker}}" } } },
            "users": { "basic": { "hashes": { "alice": "{{Marker}}" } } },
            "signed": { "signature": { "keys": { "k": { "secret": "{{Marker}}" } } } },
            "sessions": { "session": { "keys": { "k": "{{Marker}}" } } },
            "script": { "script": { "file": "a.js", "env": { "TOKEN": "{{Marker}}" } } },
            "who": { "authorize": { "service": { "cluster": "c", "path": "/check?key={{Marker}}" } } }
          }
        }
        """;

    [Test]
    public void Write_SecretsEverywhere_ShowsNoneOfThem()
    {
        // Files that are not there, and values that are no keys, do not matter here: read, and not validated.
        ProxyConfig config = Read(Secrets);
        string text = Encoding.UTF8.GetString(EffectiveConfig.Write(config));
        Assert.That(text, Does.Not.Contain("LEAKED"));
        string[] shown = ["\"TOKEN\": \"***\"", "\"X-There\": \"*\"", "\"from\": \"https://***@id.example.com/keys?***\"", "\"path\": \"/health?***\"", "\"keyId\": \"kid\"", "\"alice\": \"***\""];
        foreach (string one in shown) Assert.That(text, Does.Contain(one));
        // Each of the descriptors that hide all of a value is among them, so that a new one is put above too.
        using JsonDocument document = JsonDocument.Parse(text);
        var hidden = new HashSet<string>(StringComparer.Ordinal);
        Collect(document.RootElement, "", hidden);
        Assert.That(hidden, Is.SupersetOf(Fields().Where(field => field.Secrecy == Secrecy.All).Select(field => field.Name).Distinct()));
    }

    // What is called so and is no secret.
    private static readonly string[] Public =
    [
        "stickyPolicy.keys", "routeCache.keyHeaders", "routeCache.keyCookies", "redis.keyPrefix", "limit.key", "limit.keysMax", "externalAccount.keyId", "acme.key", "certificate.key", "script.kvKeysMax", "jwt.tokenBytesMax",
        "apiKeyPolicy.keys", "signature.keys", "decisionCache.key", "redisPermission.key",
    ];

    [Test]
    public void Fields_NamedLikeSecrets_AreHidden()
    {
        string[] suspicious = [.. Fields().Where(field => field.Secrecy != Secrecy.All && System.Text.RegularExpressions.Regex.IsMatch(field.Name, "secret|password|token|key|hash$|hashes|^env$|credential(?!s?$)", System.Text.RegularExpressions.RegexOptions.IgnoreCase))
            .Select(field => $"{field.Owner}.{field.Name}").Except(Public).Distinct()];
        Assert.That(suspicious.Where(name => !name.EndsWith(".removeCredential", StringComparison.Ordinal)), Is.Empty, "say Secrecy.All in their descriptors, or that they are public here");
    }

    [Test]
    public void Write_WithoutSecrets_ReadsAsTheSameConfiguration()
    {
        string[] documents = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md").SelectMany(name => File.ReadAllText(name).Split("```jsonc\n").Skip(1).Select(part => part.Split("```")[0]))];
        int compared = 0;
        foreach (string document in documents)
        {
            ConfigReadResult read = ReadTests.Parse(document);
            if (read.Config is null || read.Problems.Count > 0) continue; // a part of one
            byte[] written = EffectiveConfig.Write(read.Config);
            if (Encoding.UTF8.GetString(written).Contains(EffectiveConfig.Hidden, StringComparison.Ordinal)) continue;
            ConfigReadResult again = ReadTests.Parse(Encoding.UTF8.GetString(written));
            Assert.That(again.Problems, Is.Empty, Encoding.UTF8.GetString(written));
            Assert.That(EffectiveConfig.Write(again.Config!), Is.EqualTo(written));
            compared++;
        }
        Assert.That(compared, Is.Positive);
        ProxyConfig small = Read("""{ "listeners": { "web": { "address": ":80" } }, "routes": { "r": { "cluster": "c" } }, "clusters": { "c": { "destinations": { "a": "10.0.0.1:80" }, "healthCheck": {}, "concurrency": true, "queue": { "requestsMax": 5 } } } }""");
        byte[] first = EffectiveConfig.Write(small);
        Assert.That(EffectiveConfig.Write(Read(Encoding.UTF8.GetString(first))), Is.EqualTo(first));
    }

    private static ProxyConfig Read(string json)
    {
        var text = new ConfigText(Encoding.UTF8.GetBytes(json), "lb.json");
        var problems = new List<ConfigDiagnostic>();
        ConfigNode root = ConfigParser.Parse(text, problems)!;
        ProxyConfig config = ProxySpecs.Root.ReadRoot(root, new ReadContext(text, problems, new ConfigSources(Path.GetTempPath(), null)));
        Assert.That(problems, Is.Empty, json);
        return config;
    }

    private sealed record Field(string Owner, string Name, Secrecy Secrecy);

    // All descriptors there are, found by reflection: what is forgotten in a list is found here.
    private static IEnumerable<Field> Fields()
    {
        foreach (FieldInfo holder in typeof(ProxySpecs).Assembly.GetTypes().SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Where(field => field.FieldType.IsGenericType && field.FieldType.GetGenericTypeDefinition() == typeof(ObjectSpec<>)))
        {
            object spec = holder.GetValue(null)!;
            string owner = ((IObjectSpec)spec).Name;
            var fields = (System.Collections.IEnumerable)spec.GetType().GetProperty("Fields", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(spec)!;
            foreach (object field in fields)
            {
                Type type = field.GetType();
                yield return new Field(owner, (string)type.GetProperty("Name", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(field)!,
                    (Secrecy)type.GetProperty("Secrecy", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(field)!);
            }
        }
    }

    // Names under which something is hidden: of a map its own name.
    private static void Collect(JsonElement element, string name, HashSet<string> hidden)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    if (property.Value.ValueKind == JsonValueKind.String && property.Value.GetString() == EffectiveConfig.Hidden) hidden.Add(name);
                    Collect(property.Value, property.Name, hidden);
                }
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray()) Collect(item, name, hidden);
                break;
            case JsonValueKind.String when element.GetString() == EffectiveConfig.Hidden:
                hidden.Add(name);
                break;
        }
    }
}
