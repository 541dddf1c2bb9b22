using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="AcmeConfig"/> and the names that want certificates. Asks nobody.</summary>
internal static class AcmeValidator
{
    /// <summary>Most names of one listener.</summary>
    internal const int NamesMax = 1000;

    private const int MacKeyBytesMin = 16;

    private static readonly SearchValues<char> MailCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$&'*+/=^_`{|}~-");

    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        bool isUsed = false;
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            if (listener.Tls is not { Acme.Count: > 0 } tls) continue;
            isUsed = true;
            string path = $"{ConfigPath.Member("listeners", name)}.tls.acme";
            Names(path, tls.Acme, problems);
            if (config.Acme is null) problems.Add(path, "needs the top-level key \"acme\", as in \"acme\": { \"agreeToTerms\": true }");
        }
        if (config.Acme is not { } acme) return;
        if (!isUsed) problems.Add("acme", "has no effect: no listener names what certificates are wanted for, as in \"tls\": { \"acme\": \"example.com\" }");
        if (!acme.AgreeToTerms) problems.Add("acme.agreeToTerms", "must be true: the authority gives certificates only to who agrees to its terms of service");
        if (!Uri.TryCreate(acme.Directory, UriKind.Absolute, out Uri? directory) || directory.Scheme != Uri.UriSchemeHttps || directory.UserInfo.Length > 0)
            problems.Add("acme.directory", $"{CharacterText.Quote(acme.Directory)} is no URL of a directory; expected one such as \"{AcmeConfig.LetsEncrypt}\"");
        if (acme.Storage.Length == 0) problems.Add("acme.storage", "is empty; expected a folder such as \"acme\"");
        for (int i = 0; i < acme.Contact.Count; i++)
            if (!IsMail(acme.Contact[i])) problems.Add(ConfigPath.Item("acme.contact", i), $"{CharacterText.Quote(acme.Contact[i])} is no mail address; expected one such as \"admin@example.com\"");
        if (!Enum.IsDefined(acme.Challenge)) problems.Add("acme.challenge", $"{(int)acme.Challenge} is no challenge");
        if (!Enum.IsDefined(acme.Key)) problems.Add("acme.key", $"{(int)acme.Key} is no kind of key");
        if (acme.Challenge == AcmeChallenge.Http01 && !PlainHttpAddresses(config).Any())
            problems.Add("acme.challenge", "needs a listener without \"tls\" and \"tcp\", or an address that \"httpsOnly\" redirects from, which the authority reaches on port 80; or leave it out");
        problems.Range("acme", "renewBefore", acme.RenewBefore, ConfigRanges.AcmeRenewBefore);
        if (acme.Trust is { } trust && !TrustFile.TryLoad(trust, out X509Certificate2Collection? _, out string error)) problems.Add("acme.trust", $"{CharacterText.Quote(trust)} {error}");
        if (acme.ExternalAccount is not { } account) return;
        if (account.KeyId.Length == 0) problems.Add("acme.externalAccount.keyId", "is empty; expected the identifier that the authority gave you");
        if (!IsMacKey(account.MacKey)) problems.Add("acme.externalAccount.macKey", $"is no key in base64url of at least {MacKeyBytesMin} bytes");
    }

    /// <summary>Where plain HTTP is spoken, and HTTP-01 answered therefore: redirects to HTTPS come after it.</summary>
    internal static IEnumerable<string> PlainHttpAddresses(ProxyConfig config)
    {
        foreach (ListenerConfig listener in config.Listeners.Values)
        {
            if (listener.Tls is null && listener.Tcp is null) yield return listener.Address;
            foreach (string address in listener.Tls?.HttpsOnly?.RedirectFrom ?? []) yield return address;
        }
    }

    private static void Names(string path, IReadOnlyList<string> names, ProblemList problems)
    {
        if (names.Count > NamesMax) problems.Add(path, $"has {names.Count} names; expected at most {NamesMax}");
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < names.Count; i++)
            if ((NameError(names[i]) ?? (seen.Add(names[i]) ? null : "stands there twice")) is { } error) problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(names[i])} {error}");
    }

    private static string? NameError(string name) =>
        name.StartsWith("*.", StringComparison.Ordinal) ? "is a wildcard, which needs a challenge by DNS that there is none of here; list the names, or take a certificate from a file"
        : HostName.IsValid(name) && name.Contains('.', StringComparison.Ordinal) && !name.Contains('_', StringComparison.Ordinal) ? null
        : "is no public DNS name; expected one such as \"www.example.com\"";

    // A dot-atom and a domain (RFC 5322 §3.4.1): what else the grammar allows no authority takes.
    private static bool IsMail(string text)
    {
        int at = text.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && !text.AsSpan(0, at).ContainsAnyExcept(MailCharacters) && HostName.IsValid(text.AsSpan(at + 1));
    }

    /// <summary>The key in bytes is what <see cref="Base64Url"/> decodes.</summary>
    private static bool IsMacKey(string text) => Base64Url.IsValid(text, out int length) && length >= MacKeyBytesMin;
}
