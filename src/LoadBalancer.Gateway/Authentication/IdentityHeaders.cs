using System.Buffers;
using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>
/// Writes claims into header fields for the destination, and keeps clients from sending such fields themselves. Thread-safe.
/// </summary>
internal sealed class IdentityHeaders(IReadOnlyDictionary<string, string> headers, HeaderEncoding encoding, int bytesMax)
{
    private static readonly SearchValues<char> Plain = SearchValues.Create(" !\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly (byte[] Name, string Claim)[] _headers = [.. headers.Select(header => (Encoding.ASCII.GetBytes(header.Key), header.Value))];

    /// <summary>
    /// Takes out what the client has sent under these names, but not what an earlier policy has set under them. CGI and its heirs (WSGI, Rack, PHP) turn "-" into "_", and some ".":
    /// to such a destination X_User is X-User.
    /// </summary>
    // Hot path: per request. 0 allocations.
    internal void Strip(HeaderFields fields, VerifiedIdentity? earlier)
    {
        foreach ((byte[] name, _) in _headers)
        {
            for (int i = fields.Count - 1; i >= 0; i--)
                if (IsTakenFor(fields.NameAt(i), name) && !IsOf(earlier, fields.NameAt(i))) fields.RemoveAt(i);
        }
    }

    /// <summary>Sets the fields.</summary>
    internal static void Set(HeaderFields fields, VerifiedIdentity identity)
    {
        for (int i = 0; i < identity.Headers.Count; i++) fields.Set(identity.Headers[i].Name, identity.Headers[i].Value);
    }

    /// <summary>Makes the fields of a principal.</summary>
    internal VerifiedIdentity Make(Principal principal)
    {
        var made = new List<(byte[], byte[])>(_headers.Length);
        foreach ((byte[] name, string claim) in _headers)
        {
            string? text = claim == "*" ? All(principal) : principal.TryGet(claim, out Claim? found) && found.Kind != ClaimKind.Null ? ValueOf(found) : null;
            if (claim != "*" && text is not null && encoding == HeaderEncoding.Base64) text = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
            if (text is null) continue;
            byte[] value = Encoding.ASCII.GetBytes(text);
            if (value.Length > bytesMax || !HeaderFields.IsValue(value)) return new VerifiedIdentity(principal, [], Encoding.ASCII.GetString(name));
            made.Add((name, value));
        }
        return new VerifiedIdentity(principal, made, null);
    }

    private static bool IsTakenFor(ReadOnlySpan<byte> sent, ReadOnlySpan<byte> name)
    {
        if (sent.Length != name.Length) return false;
        for (int i = 0; i < sent.Length; i++)
        {
            byte a = sent[i], b = name[i];
            if (char.IsAsciiLetterOrDigit((char)b) ? (a | 0x20) != (b | 0x20) || !char.IsAsciiLetterOrDigit((char)a) : char.IsAsciiLetterOrDigit((char)a)) return false;
        }
        return true;
    }

    private static bool IsOf(VerifiedIdentity? earlier, ReadOnlySpan<byte> name)
    {
        if (earlier is null) return false;
        for (int i = 0; i < earlier.Headers.Count; i++)
            if (Ascii.EqualsIgnoreCase(name, earlier.Headers[i].Name)) return true;
        return false;
    }

    // All claims are many things at once, and have no other form than this one.
    private static string All(Principal principal) => Convert.ToBase64String(principal.Json.Span);

    private string? ValueOf(Claim claim)
    {
        if (encoding == HeaderEncoding.Base64) return claim.Kind == ClaimKind.List ? Encoding.UTF8.GetString(claim.Json.Span) : claim.Text;
        // An empty list says nothing: no field then, not one with a value that destinations may read as one empty item.
        if (claim.Kind == ClaimKind.List && claim.Values.Count == 0) return null;
        return claim.Kind == ClaimKind.List ? string.Join(',', claim.Values.Select(value => Percent(value, isItem: true))) : Percent(claim.Text, isItem: false);
    }

    // Control characters are left as they are: the request is refused for them, as nobody's name has any.
    private static string Percent(string text, bool isItem)
    {
        bool isPlain = !text.AsSpan().ContainsAnyExcept(Plain) && !(isItem && text.Contains(',', StringComparison.Ordinal)) && text.Trim(' ').Length == text.Length;
        if (isPlain) return text;
        var result = new StringBuilder();
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < utf8.Length; i++)
        {
            byte b = utf8[i];
            bool isEncoded = b is (byte)'%' or > (byte)'~' and not 0x7F || isItem && b == ',' || b == ' ' && (i == 0 || i == utf8.Length - 1);
            if (isEncoded) result.Append('%').Append(b.ToString("X2"));
            else result.Append((char)b);
        }
        return result.ToString();
    }
}
