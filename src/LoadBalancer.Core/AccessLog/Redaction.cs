using System.Text;

namespace LoadBalancer.Core.AccessLog;

/// <summary>Knows the names whose values are not written. In a target, a name with a percent sign counts as one: it may be any.</summary>
internal sealed class Redaction
{
    private static readonly string[] Always =
    [
        "access_token", "api-key", "api_key", "apikey", "assertion", "auth", "authorization", "client_secret", "code", "cookie", "credential", "credentials", "id_token", "jwt", "key",
        "pass", "passwd", "password", "proxy-authorization", "pwd", "refresh_token", "secret", "session", "session_id", "sessionid", "set-cookie", "sig", "signature", "token",
        "x-amz-credential", "x-amz-security-token", "x-amz-signature", "x-api-key",
    ];

    private readonly string[] _names;
    private readonly byte[][] _bytes, _plain; // as they are; in lower case without what parts words

    internal Redaction(IReadOnlyList<string> more)
    {
        _names = [.. Always, .. more];
        _bytes = [.. _names.Select(Encoding.UTF8.GetBytes)];
        _plain = [.. _names.Select(name => Encoding.UTF8.GetBytes(name.ToLowerInvariant()).Where(static b => !PartsWords(b)).ToArray())];
    }

    internal bool IsSecret(string name)
    {
        foreach (string secret in _names)
            if (secret.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    /// <summary>Writes a request target; "***" stands for the values of secrets.</summary>
    internal void Target(ref LineWriter line, ReadOnlySpan<byte> target, Escape escape)
    {
        int query = target.IndexOf((byte)'?');
        if (query < 0)
        {
            line.Bytes(target, escape);
            return;
        }
        line.Bytes(target[..(query + 1)], escape);
        Pairs(ref line, target[(query + 1)..], escape, null);
    }

    /// <summary>The same for names with values as in a query or a form.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="target">The pairs.</param>
    /// <param name="escape">How values are escaped.</param>
    /// <param name="form">Knows further names of a form's fields, which are secret by what they speak of too, as JSON's are; null for a query, where only names count.</param>
    internal void Pairs(ref LineWriter line, ReadOnlySpan<byte> target, Escape escape, Redaction? form)
    {
        while (!target.IsEmpty)
        {
            int end = target.IndexOfAny((byte)'&', (byte)';');
            ReadOnlySpan<byte> pair = end < 0 ? target : target[..end];
            int equals = pair.IndexOf((byte)'=');
            if (equals >= 0 && (IsSecret(pair[..equals]) || (form is not null && (IsSecretField(pair[..equals]) || form.IsSecretField(pair[..equals])))))
            {
                line.Bytes(pair[..(equals + 1)], escape);
                line.Raw("***"u8);
                // Servers differ on ";": to some the value goes on after it.
                end = target.IndexOf((byte)'&');
            }
            else line.Bytes(pair, escape);
            if (end < 0) return;
            line.Raw(target[end]);
            target = target[(end + 1)..];
        }
    }

    /// <summary>Whether a member of a JSON object or a field of a form is a secret: its name is one, whatever its style, or speaks of one, as "newPassword" does.</summary>
    internal bool IsSecretField(ReadOnlySpan<byte> name)
    {
        const int NameBytesMax = 128;
        if (name.Length > NameBytesMax) return true; // nobody's idea of a name: what it hides is not looked for
        Span<byte> plain = stackalloc byte[NameBytesMax];
        int length = 0;
        foreach (byte b in name)
            if (!PartsWords(b)) plain[length++] = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
        plain = plain[..length];
        if (plain.IndexOf("password"u8) >= 0 || plain.IndexOf("passwd"u8) >= 0 || plain.IndexOf("secret"u8) >= 0 || plain.IndexOf("token"u8) >= 0 || plain.IndexOf("credential"u8) >= 0) return true;
        foreach (byte[] secret in _plain)
            if (plain.SequenceEqual(secret)) return true;
        return false;
    }

    // "+" is the space of a form.
    private static bool PartsWords(byte value) => value is (byte)'_' or (byte)'-' or (byte)'.' or (byte)' ' or (byte)'+';

    private bool IsSecret(ReadOnlySpan<byte> name)
    {
        if (name.Contains((byte)'%')) return true;
        foreach (byte[] secret in _bytes)
            if (Ascii.EqualsIgnoreCase(name, secret)) return true;
        return false;
    }
}
