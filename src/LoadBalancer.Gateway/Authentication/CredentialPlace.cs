using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Where in a request a credential stands: behind a scheme in Authorization, in a header field of its own, or in a cookie. Immutable.</summary>
internal sealed class CredentialPlace
{
    private enum PlaceKind
    {
        Authorization,
        Header,
        Cookie,
    }

    private readonly PlaceKind _kind;
    private readonly byte[] _name; // of the scheme, the field, the cookie

    private CredentialPlace(PlaceKind kind, string name)
    {
        _kind = kind;
        _name = Encoding.ASCII.GetBytes(name);
    }

    internal static CredentialPlace Authorization(string scheme) => new(PlaceKind.Authorization, scheme);

    /// <summary>"authorization:SCHEME", "header:NAME" or "cookie:NAME"; "bearer" for the first. Null with what is wrong.</summary>
    internal static CredentialPlace? Parse(string text, out string problem)
    {
        problem = "";
        if (text == "bearer") return Authorization("Bearer");
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = text[(colon + 1)..];
        PlaceKind? kind = colon < 0 ? null : text[..colon] switch { "authorization" => PlaceKind.Authorization, "header" => PlaceKind.Header, "cookie" => PlaceKind.Cookie, _ => null };
        if (kind is null) problem = $"{CharacterText.Quote(text)} is unknown; expected \"bearer\", \"authorization:SCHEME\", \"header:NAME\" or \"cookie:NAME\"";
        else if (!HttpSyntax.IsToken(name)) problem = $"{CharacterText.Quote(name)} is no name; expected letters, digits and \"-\"";
        else if (kind == PlaceKind.Header && name.Equals("authorization", StringComparison.OrdinalIgnoreCase)) problem = "write \"bearer\" or \"authorization:SCHEME\" for Authorization";
        else if (kind == PlaceKind.Header && name.Equals("cookie", StringComparison.OrdinalIgnoreCase)) problem = "write \"cookie:NAME\" for a cookie";
        return problem.Length == 0 ? new CredentialPlace(kind!.Value, name) : null;
    }

    internal static IReadOnlyList<CredentialPlace> ParseAll(IReadOnlyList<string> texts) => [.. texts.Select(text => Parse(text, out string problem) ?? throw new FormatException(problem))];

    internal static void Validate(IReadOnlyList<string> texts, PolicyProblems problems)
    {
        if (texts.Count is 0 or > 8) problems.Add("from", $"names {texts.Count} places; expected 1 to 8");
        for (int i = 0; i < texts.Count; i++)
            if (Parse(texts[i], out string problem) is null) problems.Add(ConfigPath.Item("from", i), problem);
    }

    /// <summary>The one credential in all these places; more than one is none that can be trusted: destination and balancer may look at different ones.</summary>
    // Hot path: per request. 0 allocations.
    internal static FailureReason Find(IReadOnlyList<CredentialPlace> places, HeaderFields fields, out ReadOnlySpan<byte> credential)
    {
        credential = default;
        FailureReason result = FailureReason.NoCredential;
        for (int i = 0; i < places.Count; i++)
        {
            FailureReason reason = places[i].Find(fields, out ReadOnlySpan<byte> found);
            if (reason == FailureReason.NoCredential) continue;
            if (result != FailureReason.NoCredential || reason == FailureReason.SeveralCredentials) return FailureReason.SeveralCredentials;
            result = reason;
            credential = found;
        }
        return result;
    }

    internal void Remove(HeaderFields fields)
    {
        if (_kind == PlaceKind.Authorization) fields.Remove("authorization"u8);
        else if (_kind == PlaceKind.Header) fields.Remove(_name);
        else RemoveCookie(fields);
    }

    private FailureReason Find(HeaderFields fields, out ReadOnlySpan<byte> credential)
    {
        credential = default;
        if (_kind == PlaceKind.Cookie) return FindCookie(fields, out credential);
        ReadOnlySpan<byte> name = _kind == PlaceKind.Header ? _name : "authorization"u8;
        int index = fields.IndexOf(name);
        if (index < 0) return FailureReason.NoCredential;
        if (fields.IndexOf(name, index + 1) >= 0) return FailureReason.SeveralCredentials;
        ReadOnlySpan<byte> value = fields.ValueAt(index);
        if (_kind == PlaceKind.Authorization)
        {
            // RFC 9110 §11.4: the scheme in any case, then at least one space.
            int space = value.IndexOf((byte)' ');
            if (!Ascii.EqualsIgnoreCase(space < 0 ? value : value[..space], _name)) return FailureReason.NoCredential;
            value = space < 0 ? default : value[space..].TrimStart((byte)' ');
        }
        if (value.IsEmpty) return FailureReason.CredentialMalformed;
        credential = value;
        return FailureReason.None;
    }

    private FailureReason FindCookie(HeaderFields fields, out ReadOnlySpan<byte> credential)
    {
        credential = default;
        FailureReason result = FailureReason.NoCredential;
        for (int i = fields.IndexOf("cookie"u8); i >= 0; i = fields.IndexOf("cookie"u8, i + 1))
        {
            ReadOnlySpan<byte> line = fields.ValueAt(i);
            foreach (Range range in line.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = line[range];
                if (!IsOurs(pair, out int value)) continue;
                if (result != FailureReason.NoCredential) return FailureReason.SeveralCredentials;
                credential = pair[value..].TrimEnd(" \t"u8);
                result = credential.IsEmpty ? FailureReason.CredentialMalformed : FailureReason.None;
            }
        }
        return result;
    }

    // Names of cookies are case-sensitive (RFC 6265 §4.1.1, §5.4).
    private bool IsOurs(ReadOnlySpan<byte> pair, out int value)
    {
        int equals = pair.IndexOf((byte)'=');
        value = equals + 1;
        return equals >= 0 && pair[..equals].Trim(" \t"u8).SequenceEqual(_name);
    }

    // The lines that are left stay lines of their own.
    private void RemoveCookie(HeaderFields fields)
    {
        var kept = new List<string>();
        for (int i = fields.IndexOf("cookie"u8); i >= 0; i = fields.IndexOf("cookie"u8, i + 1))
        {
            string line = string.Join(';', Encoding.Latin1.GetString(fields.ValueAt(i)).Split(';').Where(pair => !IsOurs(Encoding.Latin1.GetBytes(pair), out _))).Trim();
            if (line.Length > 0) kept.Add(line);
        }
        fields.Remove("cookie"u8);
        foreach (string line in kept) fields.Append("Cookie", line);
    }
}
