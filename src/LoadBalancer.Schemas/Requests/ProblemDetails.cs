using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoadBalancer.Schemas.Requests;

/// <summary>Writes problem details (RFC 9457): the answer to a request that is not as it must be.</summary>
public static class ProblemDetails
{
    /// <summary>The media type.</summary>
    public const string ContentType = "application/problem+json";

    private const int TextMax = 256; // characters of a message or a name; what a client chose is shortened before already

    /// <summary>Writes one problem.</summary>
    /// <param name="output">Takes the JSON.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="title">The kind of problem, the same each time.</param>
    /// <param name="detail">This occurrence, for a person.</param>
    /// <param name="errors">Each thing that is wrong.</param>
    public static void Write(IBufferWriter<byte> output, int status, string title, string detail, IReadOnlyList<RequestProblem> errors)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.Default });
        json.WriteStartObject();
        // RFC 9457 §4.2.1: the kind is the status, and nothing more.
        json.WriteString("type", "about:blank");
        json.WriteString("title", title);
        json.WriteNumber("status", status);
        json.WriteString("detail", detail);
        if (errors.Count > 0)
        {
            json.WriteStartArray("errors");
            foreach (RequestProblem error in errors) Write(json, error);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RequestProblem error)
    {
        json.WriteStartObject();
        if (error.Place != RequestPlace.Body)
        {
            json.WriteString("in", error.Place switch
            {
                RequestPlace.Query => "query",
                RequestPlace.Path => "path",
                RequestPlace.Header => "header",
                RequestPlace.Cookie => "cookie",
                RequestPlace.Method => "method",
                _ => "status",
            });
            if (error.Name.Length > 0) json.WriteString("parameter", Bounded(error.Name));
        }
        if (error.Place == RequestPlace.Body || error.Pointer.Length > 0) json.WriteString("pointer", Fragment(error.Pointer));
        json.WriteString("rule", Bounded(error.Rule));
        json.WriteString("message", Bounded(error.Message));
        json.WriteEndObject();
    }

    // RFC 6901 §6: a pointer as a fragment; what a fragment may not have is percent-encoded.
    private static string Fragment(string pointer)
    {
        var text = new StringBuilder("#");
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in pointer.EnumerateRunes())
        {
            if (text.Length >= TextMax)
            {
                text.Append("...");
                break;
            }
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || "-._~!$&'()*+,;=:@/?".Contains((char)rune.Value, StringComparison.Ordinal)))
            {
                text.Append((char)rune.Value);
                continue;
            }
            foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)]) text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    private static string Bounded(string text) => text.Length <= TextMax ? text : text[..(char.IsHighSurrogate(text[TextMax - 1]) ? TextMax - 1 : TextMax)] + "...";
}
