using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>What a body of one media type is held against.</summary>
internal enum MediaKind : byte
{
    /// <summary>Anything: there is no schema, or bodies of this type are not read.</summary>
    Opaque,
    Json,
    /// <summary>application/x-www-form-urlencoded.</summary>
    Form,
    /// <summary>text/*, whose schema is that of a string.</summary>
    Text,
}

/// <summary>A media type of a request's or response's content.</summary>
/// <param name="Range">Which types.</param>
/// <param name="Schema">Null: none is described.</param>
/// <param name="Shape">How the text of a form or of text/* becomes JSON.</param>
/// <param name="JsonOnly">Whether the schema is about JSON bodies alone.</param>
internal sealed record MediaRule(MediaRange Range, JsonSchema? Schema, ValueShape Shape, bool JsonOnly = false)
{
    /// <summary>How a body is looked at whose type is in the range: of */* the type that was sent tells.</summary>
    internal MediaKind KindOf(ReadOnlySpan<byte> contentType)
    {
        if (Schema is null) return MediaKind.Opaque;
        if (MediaRange.IsJson(contentType)) return MediaKind.Json;
        if (JsonOnly) return MediaKind.Opaque;
        if (Form.Contains(contentType)) return MediaKind.Form;
        return Text.Contains(contentType) ? MediaKind.Text : MediaKind.Opaque;
    }

    private static readonly MediaRange Form = MediaRange.Parse("application/x-www-form-urlencoded")!;
    private static readonly MediaRange Text = MediaRange.Parse("text/*")!;
}

/// <summary>The body of a request or response: by media type, the most specific first.</summary>
internal sealed record ContentRule(MediaRule[] Media, bool IsRequired, string Rule)
{
    internal MediaRule? Find(ReadOnlySpan<byte> contentType)
    {
        foreach (MediaRule media in Media)
        {
            if (media.Range.Contains(contentType)) return media;
        }
        return null;
    }
}
