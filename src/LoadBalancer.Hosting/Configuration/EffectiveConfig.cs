using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Writes a configuration as it is in effect, defaults included and secrets left out, in the form of its file. The same configuration is always written alike, so that its hash tells it from others.</summary>
public static class EffectiveConfig
{
    /// <summary>In the place of a secret.</summary>
    public const string Hidden = "***";

    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The configuration as JSON in UTF-8. Policies that a program has added by code are shown by their kind only.</summary>
    public static byte[] Write(ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var text = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(text, Options)) ProxySpecs.Root.WriteValue(json, config);
        text.Write("\n"u8);
        return text.WrittenSpan.ToArray();
    }

    internal static void WriteHidden<T>(Utf8JsonWriter json, T value)
    {
        switch (value)
        {
            case IReadOnlyDictionary<string, string> texts:
                json.WriteStartObject();
                foreach ((string name, string text) in texts) json.WriteString(name, text == "*" ? text : Hidden); // the presence alone, where something is matched
                json.WriteEndObject();
                break;
            case IReadOnlyList<string> texts:
                json.WriteStartArray();
                for (int i = 0; i < texts.Count; i++) json.WriteStringValue(Hidden);
                json.WriteEndArray();
                break;
            default:
                json.WriteStringValue(Hidden);
                break;
        }
    }

    /// <summary>An address without what may be secret in it: user and password, and the query.</summary>
    internal static string WithoutSecrets(string address)
    {
        int query = address.IndexOf('?', StringComparison.Ordinal);
        string shown = query < 0 ? address : $"{address[..query]}?{Hidden}";
        int scheme = shown.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0) return shown;
        int start = scheme + 3, end = shown.IndexOf('/', start), at = shown.LastIndexOf('@', (end < 0 ? shown.Length : end) - 1);
        return at < start ? shown : $"{shown[..start]}{Hidden}{shown[at..]}";
    }
}
