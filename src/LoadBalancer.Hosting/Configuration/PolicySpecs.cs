using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Headers;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="PolicyConfig"/>: an object with exactly one key, which says what kind of policy it is.</summary>
internal static class PolicySpecs
{
    internal static readonly ObjectSpec<HeaderChanges> HeaderChanges = new(
        "headerChanges", "Changes of header fields: first \"remove\", then \"set\", then \"add\".", () => new HeaderChanges(),
        new FieldSpec<HeaderChanges, IReadOnlyList<string>>("remove", "Fields that are taken out.",
            new TextListSpec(new TextSpec()), c => c.Remove, (c, v) => c with { Remove = v }) { OtherNames = ["delete", "hide", "removeHeaders"] },
        new FieldSpec<HeaderChanges, IReadOnlyDictionary<string, string>>("set", "Fields with this value, in the place of any.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Set, (c, v) => c with { Set = v }) { Secrecy = Secrecy.All, OtherNames = ["replace", "overwrite", "proxySetHeader"] },
        new FieldSpec<HeaderChanges, IReadOnlyDictionary<string, string>>("add", "Lines beside those that are there.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Add, (c, v) => c with { Add = v }) { Secrecy = Secrecy.All, OtherNames = ["append", "addHeader"] });

    internal static readonly ObjectSpec<HeadersConfig> Headers = new(
        "headersPolicy", "Changes header fields of requests and answers.", () => new HeadersConfig(),
        new FieldSpec<HeadersConfig, HeaderChanges?>("request", "Changes of requests. Left out: none.",
            HeaderChanges!, c => c.Request, (c, v) => c with { Request = v }) { OtherNames = ["requestHeaders", "customRequestHeaders"] },
        new FieldSpec<HeadersConfig, HeaderChanges?>("response", "Changes of answers, of destinations and of the cache. Left out: none.",
            HeaderChanges!, c => c.Response, (c, v) => c with { Response = v }) { OtherNames = ["responseHeaders", "customResponseHeaders"] });

    internal static readonly PolicySpec Policy = new(
        "policy", "What is done with requests beside forwarding them: exactly one kind.",
        Kind("headers", "Changes header fields.", Headers),
        Kind("translate", "Translates between two versions of an API.", TranslateSpecs.Translate, "version", "versioning", "transform"),
        Kind("script", "Has a script look at requests and answers.", ScriptSpecs.Script, "js", "njs", "lua", "javascript", "function"),
        Kind("validate", "Holds requests against an OpenAPI document or a list of requirements.", ValidationSpecs.Validate, "openapi", "requestValidation", "oasValidation", "bodySchema"),
        Kind("authorize", "Who may do what.", AuthorizeSpecs.Authorize, "authorization", "rbac", "acl", "forwardAuth", "authRequest", "extAuthz"),
        Kind("jwt", "Verifies signed tokens.", AuthenticationSpecs.Jwt, "jwtAuth", "oauth2", "openidConnect", "authJwt"),
        Kind("apiKey", "Verifies API keys.", AuthenticationSpecs.ApiKey, "keyAuth", "apiKeys"),
        Kind("basic", "Verifies names and passwords.", AuthenticationSpecs.Basic, "basicAuth", "authBasic", "htpasswd"),
        Kind("signature", "Verifies signed requests.", AuthenticationSpecs.Signature, "hmacAuth", "hmac"),
        Kind("session", "Verifies sessions in a signed cookie.", AuthenticationSpecs.Session, "cookieAuth"),
        Kind("clientCertificate", "Takes who a request is from out of the client certificate.", AuthenticationSpecs.MutualTls, "mtls", "mtlsAuth"),
        Kind("authenticate", "Takes one of several ways to verify who a request is from.", AuthenticationSpecs.Authenticate, "anyOf", "authentication"));

    /// <summary>In the place of one that could not be read.</summary>
    internal static PolicyConfig StandIn { get; } = new HeadersConfig();

    private static FieldSpec<PolicySlot> Kind<T>(string name, string doc, ObjectSpec<T> spec, params string[] otherNames) where T : PolicyConfig =>
        new FieldSpec<PolicySlot, T>(name, doc, spec, slot => (slot.Policy as T)!, (slot, policy) => slot with { Policy = policy }) { OtherNames = otherNames };
}

/// <summary>A policy of one kind or another, while it is read.</summary>
internal sealed record PolicySlot
{
    internal PolicyConfig? Policy { get; init; }
}

/// <summary>Reads a policy of whatever kind.</summary>
internal sealed class PolicySpec(string name, string doc, params FieldSpec<PolicySlot>[] kinds) : ValueSpec<PolicyConfig>
{
    private readonly string[] _kinds = [.. kinds.Select(kind => kind.Name)];
    private readonly ObjectSpec<PolicySlot> _slot = new(name, doc, () => new PolicySlot(), kinds) { ExactlyOneOf = [.. kinds.Select(kind => kind.Name)] };

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out PolicyConfig value)
    {
        bool ok = _slot.TryRead(node, path, context, out PolicySlot slot);
        value = slot.Policy ?? PolicySpecs.StandIn;
        if (!ok || node.Kind != ConfigNodeKind.Object) return ok;
        int given = node.Members.Count(member => Array.IndexOf(_kinds, member.Key) >= 0);
        if (given == 1) return slot.Policy is not null;
        // An unknown kind is reported as an unknown key.
        if (given > 1) context.Add(node, path, $"is of {given} kinds; expected exactly one: put the others in policies of their own");
        else if (node.Members.Count == 0) context.Add(node, path, $"says not what it does; expected one of {string.Join(", ", _kinds.Select(kind => $"\"{kind}\""))}");
        return false;
    }

    internal override void WriteValue(Utf8JsonWriter json, PolicyConfig value)
    {
        json.WriteStartObject();
        var slot = new PolicySlot { Policy = value };
        FieldSpec<PolicySlot>? kind = Array.Find(kinds, one => one.Get(slot) is not null);
        // One that a program has added by code: what it has nobody here knows.
        if (kind is null) json.WriteString(value.Kind, EffectiveConfig.Hidden);
        else kind.Write(json, slot);
        json.WriteEndObject();
    }

    internal override void WriteSchema(SchemaWriter schema) => _slot.WriteSchema(schema);
}
