using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Yaml;

namespace LoadBalancer.Schemas.Documents;

/// <summary>Makes a document of bytes that are JSON or YAML.</summary>
internal static class DocumentReader
{
    internal static bool TryRead(Uri uri, string name, byte[] content, JsonLimits limits, [NotNullWhen(true)] out SchemaDocument? document, out SchemaProblem? problem)
    {
        document = null;
        problem = null;
        ReadOnlySpan<byte> text = content;
        if (text.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) content = content[3..];
        if (IsYaml(uri, content))
        {
            if (!YamlReader.TryConvert(content, limits, out byte[]? json, out int yamlLine, out string error))
            {
                problem = new SchemaProblem($"{Shown(name)}line {yamlLine}", error);
                return false;
            }
            content = json;
        }
        var tree = new JsonTree();
        JsonFault fault = tree.Parse(content, limits);
        if (fault != JsonFault.None)
        {
            int line = 1 + content.AsSpan(0, Math.Min(tree.Position, content.Length)).Count((byte)'\n');
            problem = new SchemaProblem($"{Shown(name)}line {line}", Describe(fault, limits));
            return false;
        }
        document = new SchemaDocument(uri, name, content, tree);
        return true;
    }

    private static string Shown(string name) => name.Length == 0 ? "" : name + " ";

    // A JSON text is YAML too, nearly; what begins as JSON is read as such.
    private static bool IsYaml(Uri uri, ReadOnlySpan<byte> content)
    {
        string path = uri.AbsolutePath;
        if (path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)) return true;
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) return false;
        ReadOnlySpan<byte> trimmed = content.TrimStart(" \t\r\n"u8);
        return !trimmed.IsEmpty && trimmed[0] is not ((byte)'{' or (byte)'[' or (byte)'"') && !trimmed.SequenceEqual("true"u8) && !trimmed.SequenceEqual("false"u8);
    }

    private static string Describe(JsonFault fault, JsonLimits limits) => fault switch
    {
        JsonFault.TooLarge => $"is too large; expected at most {limits.BytesMax} bytes and {limits.NodesMax} values and names",
        JsonFault.TooDeep => $"is nested deeper than {limits.DepthMax} levels",
        JsonFault.DuplicateName => "an object names a property twice",
        JsonFault.NumberTooLong => "a number is too long",
        _ => "is not valid JSON",
    };
}
