namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="StickyConfig"/>. Never repeats a key in a message.</summary>
internal static class StickyValidator
{
    private const int KeyLengthMin = 16, KeyLengthMax = 1024, KeysMax = 8, LengthMax = 200;

    internal static void Validate(string path, StickyConfig sticky, ProblemList problems)
    {
        if (!HttpSyntax.IsToken(sticky.Cookie) || sticky.Cookie.Length > LengthMax)
            problems.Add($"{path}.cookie", $"{CharacterText.Quote(sticky.Cookie)} is no name of a cookie; expected letters, digits and \"-\", \"_\" or \".\", as in \"lb\"");
        if (sticky.Keys.Count > KeysMax) problems.Add($"{path}.keys", $"has {sticky.Keys.Count} keys; expected at most {KeysMax}: the one in use and those before it");
        for (int i = 0; i < sticky.Keys.Count; i++)
            if (sticky.Keys[i].Length is < KeyLengthMin or > KeyLengthMax)
                problems.Add(ConfigPath.Item($"{path}.keys", i), $"has {sticky.Keys[i].Length} characters; expected {KeyLengthMin} to {KeyLengthMax}, as from \"openssl rand -base64 32\"");
        // RFC 6265 §4.1.1: no control character, no ";".
        if (!sticky.Path.StartsWith('/') || sticky.Path.Length > LengthMax || sticky.Path.AsSpan().ContainsAnyExceptInRange('!', '~') || sticky.Path.Contains(';', StringComparison.Ordinal))
            problems.Add($"{path}.path", $"{CharacterText.Quote(sticky.Path)} is no path; expected one such as \"/\" or \"/shop\"");
        problems.Range(path, "maxAge", sticky.MaxAge, ConfigRanges.StickyMaxAge);
        // What browsers would silently not keep.
        if (sticky.SameSite == StickySameSite.None && !sticky.Secure) problems.Add($"{path}.sameSite", "\"none\" needs \"secure\": true; browsers drop the cookie otherwise");
        if (!sticky.Secure && HasPrefix(sticky, "__Secure-")) problems.Add($"{path}.cookie", "the prefix \"__Secure-\" needs \"secure\": true; browsers drop the cookie otherwise");
        if ((!sticky.Secure || sticky.Path != "/") && HasPrefix(sticky, "__Host-"))
            problems.Add($"{path}.cookie", "the prefix \"__Host-\" needs \"secure\": true and \"path\": \"/\"; browsers drop the cookie otherwise");
    }

    private static bool HasPrefix(StickyConfig sticky, string prefix) => sticky.Cookie.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
}
