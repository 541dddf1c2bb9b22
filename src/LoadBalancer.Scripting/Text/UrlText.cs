using System.Text;

namespace LoadBalancer.Scripting.Text;

/// <summary>A URL of http or https, taken apart and put together as the URL Standard says (§4.4, its "special" schemes). Other schemes are refused: a gateway has no use for them.</summary>
internal sealed class UrlText
{
    private const string Fragment = " \"<>`", Query = " \"#<>'", Path = " \"#<>?^`{}", UserInfo = " \"#<>?^`{}/:;=@[\\]|";

    internal string Scheme { get; private set; } = "";

    internal string UserName { get; private set; } = "";

    internal string Password { get; private set; } = "";

    internal string Host { get; private set; } = "";

    /// <summary>Empty for the scheme's own.</summary>
    internal string Port { get; private set; } = "";

    internal string PathName { get; private set; } = "/";

    /// <summary>Without "?"; null for none.</summary>
    internal string? Search { get; private set; }

    /// <summary>Without "#"; null for none.</summary>
    internal string? Hash { get; private set; }

    internal string Authority => Port.Length > 0 ? $"{Host}:{Port}" : Host;

    internal string Origin => $"{Scheme}://{Authority}";

    internal string Href
    {
        get
        {
            string credentials = UserName.Length + Password.Length == 0 ? "" : Password.Length > 0 ? $"{UserName}:{Password}@" : $"{UserName}@";
            return $"{Scheme}://{credentials}{Authority}{PathName}{(Search is null ? "" : "?" + Search)}{(Hash is null ? "" : "#" + Hash)}";
        }
    }

    internal static UrlText? Parse(string text, UrlText? relativeTo = null)
    {
        text = text.Trim([.. Enumerable.Range(0, 33).Select(c => (char)c)]).Replace("\t", "").Replace("\n", "").Replace("\r", "");
        var url = new UrlText();
        string rest = text;
        int colon = text.IndexOf(':');
        if (colon > 0 && char.IsAsciiLetter(text[0]) && text.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0)
        {
            url.Scheme = text[..colon].ToLowerInvariant();
            if (url.Scheme is not ("http" or "https")) return null;
            rest = text[(colon + 1)..];
            // "https:path" is relative to a URL of its scheme.
            if (relativeTo is null || relativeTo.Scheme != url.Scheme || rest.StartsWith('/') || rest.StartsWith('\\')) return url.ParseAuthority(rest.TrimStart('/', '\\')) ? url : null;
        }
        if (relativeTo is null) return null;
        url.Scheme = relativeTo.Scheme;
        if (rest.Length > 1 && rest[0] is '/' or '\\' && rest[1] is '/' or '\\') return url.ParseAuthority(rest.TrimStart('/', '\\')) ? url : null;
        (url.UserName, url.Password, url.Host, url.Port) = (relativeTo.UserName, relativeTo.Password, relativeTo.Host, relativeTo.Port);
        (string path, string? query, string? fragment) = Split(rest);
        if (path.Length == 0)
        {
            url.PathName = relativeTo.PathName;
            url.Search = query is null ? relativeTo.Search : Encode(query, Query);
        }
        else
        {
            url.PathName = NormalPath(path[0] is '/' or '\\' ? path : relativeTo.PathName[..(relativeTo.PathName.LastIndexOf('/') + 1)] + path);
            url.Search = query is null ? null : Encode(query, Query);
        }
        url.Hash = fragment is null ? null : Encode(fragment, Fragment);
        return url;
    }

    internal void SetPath(string path) => PathName = NormalPath(path is ['/' or '\\', ..] ? Escape(path) : "/" + Escape(path));

    internal void SetSearch(string query) => Search = query.Length == 0 ? null : Encode(query, Query);

    internal void SetHash(string fragment) => Hash = fragment.Length == 0 ? null : Encode(fragment, Fragment);

    internal void SetAuthority(string authority)
    {
        var probe = new UrlText { Scheme = Scheme };
        if (authority.IndexOfAny(['/', '\\', '?', '#', '@']) >= 0 || !probe.ParseAuthority(authority)) return; // the standard: nothing happens
        Host = probe.Host;
        if (authority.LastIndexOf(':') > authority.LastIndexOf(']')) Port = probe.Port;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    private bool ParseAuthority(string rest)
    {
        int end = rest.IndexOfAny(['/', '\\', '?', '#']);
        string authority = end < 0 ? rest : rest[..end];
        (string path, string? query, string? fragment) = Split(end < 0 ? "" : rest[end..]);
        int at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            string credentials = authority[..at];
            int colon = credentials.IndexOf(':');
            UserName = Encode(colon < 0 ? credentials : credentials[..colon], UserInfo);
            Password = colon < 0 ? "" : Encode(credentials[(colon + 1)..], UserInfo);
            authority = authority[(at + 1)..];
        }
        int port = authority.LastIndexOf(':');
        if (port >= 0 && port > authority.LastIndexOf(']'))
        {
            string digits = authority[(port + 1)..];
            authority = authority[..port];
            if (digits.Length > 0)
            {
                if (digits.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0 || !int.TryParse(digits, out int number) || number > ushort.MaxValue) return false;
                Port = number == (Scheme == "http" ? 80 : 443) ? "" : number.ToString();
            }
        }
        if (UrlHost.Parse(authority) is not { } host) return false;
        Host = host;
        PathName = path.Length == 0 ? "/" : NormalPath(path);
        Search = query is null ? null : Encode(query, Query);
        Hash = fragment is null ? null : Encode(fragment, Fragment);
        return true;
    }

    private static (string Path, string? Query, string? Fragment) Split(string text)
    {
        string? query = null, fragment = null;
        int hash = text.IndexOf('#');
        if (hash >= 0) (text, fragment) = (text[..hash], text[(hash + 1)..]);
        int mark = text.IndexOf('?');
        if (mark >= 0) (text, query) = (text[..mark], text[(mark + 1)..]);
        return (text, query, fragment);
    }

    private static string NormalPath(string path)
    {
        var segments = new List<string>();
        string[] parts = path.Replace('\\', '/').Split('/')[1..];
        for (int i = 0; i < parts.Length; i++)
        {
            string dots = parts[i].Replace("%2e", ".", StringComparison.OrdinalIgnoreCase);
            bool isLast = i == parts.Length - 1;
            if (dots == "..")
            {
                if (segments.Count > 0) segments.RemoveAt(segments.Count - 1);
                if (isLast) segments.Add("");
            }
            else if (dots == ".")
            {
                if (isLast) segments.Add("");
            }
            else segments.Add(Encode(parts[i], Path));
        }
        return "/" + string.Join('/', segments);
    }

    // In a path that is set, "?" and "#" are its own.
    private static string Escape(string path) => path.Replace("?", "%3F").Replace("#", "%23");

    private static string Encode(string text, string set)
    {
        StringBuilder? encoded = null;
        Span<byte> utf8 = stackalloc byte[4];
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isPlain = rune.Value is > 0x1F and < 0x7F && !set.Contains((char)rune.Value);
            if (!isPlain)
            {
                encoded ??= new StringBuilder(text, 0, at, text.Length + 16);
                foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)]) encoded.Append('%').Append(b.ToString("X2"));
            }
            else encoded?.Append((char)rune.Value);
            at += rune.Utf16SequenceLength;
        }
        return encoded?.ToString() ?? text;
    }
}
