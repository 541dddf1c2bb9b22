using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Schemas.MetaSchemas;

/// <summary>The schemas of schemas, which a schema may refer to like any other document. They are in the assembly.</summary>
internal static class BuiltInSchemas
{
    private const string Prefix202012 = "https://json-schema.org/draft/2020-12/";

    internal static bool TryRead(Uri uri, [NotNullWhen(true)] out byte[]? content)
    {
        content = null;
        string text = uri.AbsoluteUri;
        string? name = text == Documents.Dialect.Uri7 ? "draft-07.json"
            : text == Documents.Dialect.Uri202012 ? "draft2020-12.schema.json"
            : text.StartsWith(Prefix202012 + "meta/", StringComparison.Ordinal) ? $"draft2020-12.{text[(Prefix202012.Length + 5)..]}.json" : null;
        if (name is null) return false;
        using Stream? stream = typeof(BuiltInSchemas).Assembly.GetManifestResourceStream($"MetaSchemas.{name}");
        if (stream is null) return false;
        content = new byte[stream.Length];
        stream.ReadExactly(content);
        return true;
    }
}
