using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Translation.Messages;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>Fields that describe content.</summary>
internal static class ContentFields
{
    /// <summary>Whether the content is JSON: application/json, text/json, or a type that ends with +json (RFC 6839 §3.1).</summary>
    internal static bool IsJson(HeaderFields fields)
    {
        if (!fields.TryGet("content-type"u8, out ReadOnlySpan<byte> value) || fields.CountOf("content-type"u8) != 1) return false;
        int end = value.IndexOf((byte)';');
        ReadOnlySpan<byte> type = (end < 0 ? value : value[..end]).TrimEnd((byte)' ');
        return Ascii.EqualsIgnoreCase(type, "application/json"u8) || Ascii.EqualsIgnoreCase(type, "text/json"u8)
            || (type.Length > 5 && type.Contains((byte)'/') && Ascii.EqualsIgnoreCase(type[^5..], "+json"u8));
    }

    /// <summary>The codings of the content; null where it is as it is.</summary>
    internal static string? Codings(HeaderFields fields) => fields.IndexOf("content-encoding"u8) < 0 ? null : fields.Get("content-encoding") is { } value && !value.Equals("identity", StringComparison.OrdinalIgnoreCase) ? value : null;

    /// <summary>What was said of bytes that are not those any more (RFC 9530; RFC 3230; RFC 1864).</summary>
    internal static void RemoveDigests(HeaderFields fields)
    {
        fields.Remove("content-digest"u8);
        fields.Remove("repr-digest"u8);
        fields.Remove("digest"u8);
        fields.Remove("content-md5"u8);
    }

    /// <summary>As the rules of a map see them.</summary>
    internal readonly struct ForRules(HeaderFields fields) : IMessageFields
    {
        public void Read(string name, List<string> values)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(name);
            for (int i = fields.IndexOf(bytes); i >= 0; i = fields.IndexOf(bytes, i + 1)) values.Add(Encoding.Latin1.GetString(fields.ValueAt(i)));
        }

        public void Remove(string name) => fields.Remove(name);

        public void Append(string name, string value)
        {
            // Latin-1 is how they are read; what a map writes may be any text.
            bool isWide = value.Any(c => c > '\xFF');
            fields.Append(Encoding.ASCII.GetBytes(name), isWide ? Encoding.UTF8.GetBytes(value) : Encoding.Latin1.GetBytes(value));
        }
    }
}
