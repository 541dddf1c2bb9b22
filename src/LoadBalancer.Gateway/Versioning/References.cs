using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Translation.Messages;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>Location and Content-Location of destinations, as their clients know the same resource.</summary>
internal static class References
{
    /// <summary>Translates a field in place. What is of another host, or of no operation of the map, stays as it is.</summary>
    internal static void Translate(HeaderFields fields, ReadOnlySpan<byte> name, RequestContext request, Translator translator, TargetBuffers buffers)
    {
        if (!fields.TryGet(name, out ReadOnlySpan<byte> value) || value.Length > 8 * 1024 || fields.CountOf(name) != 1) return;
        ReadOnlySpan<byte> rest = value, prefix = default;
        int scheme = value.IndexOf("://"u8);
        bool isAbsolute = scheme > 0 && value[..scheme].IndexOfAny("/?#"u8) < 0;
        if (isAbsolute || value.StartsWith("//"u8))
        {
            int authority = isAbsolute ? scheme + 3 : 2;
            int end = value[authority..].IndexOfAny("/?#"u8);
            end = end < 0 ? value.Length : authority + end;
            if (!Ascii.EqualsIgnoreCase(value[authority..end], Encoding.Latin1.GetBytes(request.Host))) return;
            prefix = value[..end];
            rest = value[end..];
            if (rest.IsEmpty || rest[0] != '/') return;
        }
        else if (value.IsEmpty || value[0] != '/')
        {
            // Relative to the destination's path (RFC 3986 §5.2), which the client does not know.
            if (!Uri.TryCreate($"http://host{request.PathText}", UriKind.Absolute, out Uri? own) || !Uri.TryCreate(own, Encoding.Latin1.GetString(value), out Uri? resolved) || resolved.Host != "host" || resolved.Scheme != "http") return;
            rest = Encoding.ASCII.GetBytes(resolved.PathAndQuery + resolved.Fragment);
        }
        int hash = rest.IndexOf((byte)'#');
        ReadOnlySpan<byte> fragment = hash < 0 ? default : rest[hash..];
        if (hash >= 0) rest = rest[..hash];
        int question = rest.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = question < 0 ? rest : rest[..question], query = question < 0 ? default : rest[(question + 1)..];
        if (!translator.TryTranslateReference(path, query, buffers)) return;
        ReadOnlySpan<byte> separator = buffers.Query.IsEmpty ? default : "?"u8;
        byte[] translated = [.. prefix, .. buffers.Path, .. separator, .. buffers.Query, .. fragment];
        fields.Set(name, translated);
    }
}
