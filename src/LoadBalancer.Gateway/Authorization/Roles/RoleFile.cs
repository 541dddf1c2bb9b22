using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Gateway.Authorization.Roles;

/// <summary>Files of roles: a JSON object as in the configuration, with comments and trailing commas where somebody likes them.</summary>
internal static class RoleFile
{
    /// <summary>Largest file, in bytes: 8 MiB.</summary>
    internal const int BytesMax = 8 * 1024 * 1024;

    private const int TextMax = 1024;

    private static readonly JsonDocumentOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 };

    /// <summary>Reads what stands in a file; false with what is wrong, as an operator says it of the file.</summary>
    internal static bool TryParse(ReadOnlyMemory<byte> content, [NotNullWhen(true)] out Dictionary<string, RoleConfig>? roles, out string error)
    {
        roles = null;
        error = "";
        if (content.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) content = content[3..];
        try
        {
            using JsonDocument document = JsonDocument.Parse(content, Options);
            var read = new Dictionary<string, RoleConfig>(StringComparer.Ordinal);
            if (document.RootElement.ValueKind != JsonValueKind.Object) error = "cannot be used: expected an object with a member for each role";
            else if (Read(document.RootElement, read) is { } problem) error = $"cannot be used: {problem}";
            else roles = read;
        }
        catch (JsonException e)
        {
            error = $"cannot be used: line {e.LineNumber + 1}: {Core.Files.WholeFile.Line(e)}";
        }
        catch (InvalidOperationException)
        {
            error = "cannot be used: a string has half a character"; // an unpaired surrogate
        }
        return roles is not null;
    }

    private static string? Read(JsonElement root, Dictionary<string, RoleConfig> roles)
    {
        foreach (JsonProperty member in root.EnumerateObject())
        {
            if (roles.Count > RoleTable.RolesMax) return $"it has more than {RoleTable.RolesMax} roles";
            if (member.Name.Length is 0 or > TextMax) return $"the name of a role has {member.Name.Length} characters";
            if (ReadRole(member.Value, out RoleConfig role) is { } problem) return $"the role {CharacterText.Quote(member.Name)} {problem}";
            if (!roles.TryAdd(member.Name, role)) return $"the role {CharacterText.Quote(member.Name)} is given twice";
        }
        return null;
    }

    private static string? ReadRole(JsonElement value, out RoleConfig role)
    {
        role = new RoleConfig();
        if (value.ValueKind is JsonValueKind.Array or JsonValueKind.String)
        {
            if (!TryReadTexts(value, out List<string> permissions)) return "has a permission that is no string";
            role = new RoleConfig { Permissions = permissions };
            return null;
        }
        if (value.ValueKind != JsonValueKind.Object) return "is no list of permissions, nor an object with \"permissions\" and \"includes\"";
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!TryReadTexts(member.Value, out List<string> texts)) return $"has in {CharacterText.Quote(member.Name)} what is no string";
            if (member.NameEquals("permissions")) role = role with { Permissions = texts };
            else if (member.NameEquals("includes")) role = role with { Includes = texts };
            else return $"has the unknown key {CharacterText.Quote(member.Name)}{Suggestion.Text(member.Name, ["permissions", "includes"])}";
        }
        return null;
    }

    private static bool TryReadTexts(JsonElement value, out List<string> texts)
    {
        texts = [];
        if (value.ValueKind == JsonValueKind.String)
        {
            texts.Add(value.GetString()!);
            return true;
        }
        if (value.ValueKind != JsonValueKind.Array) return false;
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || item.GetString() is not { Length: > 0 and <= TextMax } text) return false;
            texts.Add(text);
        }
        return true;
    }
}
