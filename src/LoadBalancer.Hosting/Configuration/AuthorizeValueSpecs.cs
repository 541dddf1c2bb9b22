using System.Text.Json;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Gateway.Authorization.Rules;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>true, false, or left out for either.</summary>
internal sealed class OptionalFlagSpec : ValueSpec<bool?>
{
    private static readonly FlagSpec Flag = new();

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out bool? value)
    {
        bool ok = Flag.TryRead(node, path, context, out bool flag);
        value = ok ? flag : null;
        return ok;
    }

    internal override void WriteValue(Utf8JsonWriter json, bool? value)
    {
        if (value is { } flag) Flag.WriteValue(json, flag);
        else json.WriteNullValue();
    }

    internal override void WriteSchema(SchemaWriter schema) => Flag.WriteSchema(schema);
}

/// <summary>A condition on a claim: a value or values, true or false for whether it is there, or an object.</summary>
internal sealed class ClaimSpec : ValueSpec<ClaimConditionConfig>
{
    private static readonly TextListSpec Values = new(new TextSpec());

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out ClaimConditionConfig value)
    {
        value = new ClaimConditionConfig();
        if (node.Kind == ConfigNodeKind.Object) return AuthorizeSpecs.ClaimCondition.TryRead(node, path, context, out value);
        if (node.Kind is ConfigNodeKind.True or ConfigNodeKind.False)
        {
            value = new ClaimConditionConfig { Present = node.Kind == ConfigNodeKind.True };
            return true;
        }
        if (node.Kind is not (ConfigNodeKind.String or ConfigNodeKind.Array)) return Wrong(node, path, context, "a value or a list of them as strings, true, false, or an object");
        bool ok = Values.TryRead(node, path, context, out IReadOnlyList<string> values);
        value = new ClaimConditionConfig { Is = values };
        return ok;
    }

    internal override void WriteValue(Utf8JsonWriter json, ClaimConditionConfig value) => AuthorizeSpecs.ClaimCondition.WriteValue(json, value);

    internal override void WriteSchema(SchemaWriter schema) => schema.AnyOf(
        json => json.WriteString("type", "string"),
        json => json.WriteString("type", "boolean"),
        json =>
        {
            json.WriteString("type", "array");
            json.WriteStartObject("items");
            json.WriteString("type", "string");
            json.WriteEndObject();
        },
        _ => schema.Reference(AuthorizeSpecs.ClaimCondition));
}

/// <summary>A role: its permissions, or an object.</summary>
internal sealed class RoleSpec(ObjectSpec<RoleConfig> role) : ValueSpec<RoleConfig>
{
    private static readonly TextListSpec Permissions = new(new TextSpec());

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out RoleConfig value)
    {
        value = new RoleConfig();
        if (node.Kind == ConfigNodeKind.Object) return role.TryRead(node, path, context, out value);
        if (node.Kind is not (ConfigNodeKind.String or ConfigNodeKind.Array)) return Wrong(node, path, context, "permissions as a string or a list of them, or an object");
        bool ok = Permissions.TryRead(node, path, context, out IReadOnlyList<string> permissions);
        value = new RoleConfig { Permissions = permissions };
        return ok;
    }

    internal override void WriteValue(Utf8JsonWriter json, RoleConfig value) => role.WriteValue(json, value);

    internal override void WriteSchema(SchemaWriter schema) => schema.AnyOf(
        json => json.WriteString("type", "string"),
        json =>
        {
            json.WriteString("type", "array");
            json.WriteStartObject("items");
            json.WriteString("type", "string");
            json.WriteEndObject();
        },
        _ => schema.Reference(role));
}
