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
    private readonly byte[][] _bytes;

    internal Redaction(IReadOnlyList<string> more)
    {
        _names = [.. Always, .. more];
        _bytes = [.. _names.Select(Encoding.UTF8.GetBytes)];
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
        target = target[(query + 1)..];
        while (!target.IsEmpty)
        {
            int end = target.IndexOfAny((byte)'&', (byte)';');
            ReadOnlySpan<byte> pair = end < 0 ? target : target[..end];
            int equals = pair.IndexOf((byte)'=');
            if (equals >= 0 && IsSecret(pair[..equals]))
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

    private bool IsSecret(ReadOnlySpan<byte> name)
    {
        if (name.Contains((byte)'%')) return true;
        foreach (byte[] secret in _bytes)
            if (Ascii.EqualsIgnoreCase(name, secret)) return true;
        return false;
    }
}
