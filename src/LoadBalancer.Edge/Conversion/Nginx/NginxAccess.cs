using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>
/// Who may use a place. What lets in some clients only must not let in all: rules about addresses become "access" of a listener where they hold for all of it, and every other place with a rule is
/// closed, by an answer of lb's own.
/// </summary>
internal sealed class NginxAccess(DraftObject config, Action<NginxDirective, string> differs)
{
    private const string Closes = "501 is answered in this place, so that it is not open to everybody";

    // Each asks for something that lb was not told how to ask for. "off" ends what holds further out.
    private static readonly string[] s_askers =
    [
        "auth_basic", "auth_request", "auth_jwt", "auth_oidc", "auth_digest", "auth_pam", "auth_ldap", "auth_ldap_servers", "auth_gss", "js_access",
        "access_by_lua", "access_by_lua_block", "access_by_lua_file",
    ];

    private readonly Dictionary<NginxListener, string> _listeners = []; // the rules that are its "access" now

    /// <summary>Writes the rules about addresses of a listener into it, where they hold for whatever is asked there.</summary>
    internal void Add(NginxListener listener, DraftObject draft)
    {
        string[] rules = [.. listener.Servers.Select(server => Content(server.Scope)).Distinct()];
        if (rules is not [{ Length: > 0 } same] || listener.Socket is not null || listener.Servers.Exists(server => HasOwn(server.Directive.Block!, isServer: true)) || !SeesClients(listener)) return;
        IReadOnlyList<NginxDirective> all = listener.Default!.Scope.Rules();
        if (!NginxAddresses.TryLists(all, out List<string> allow, out List<string> block) || allow.Count + block.Count == 0) return;
        _listeners.Add(listener, same);
        Write(listener.Name, draft, allow, block);
        differs(all[0], "who is kept out is reset at accept; nginx answers 403");
    }

    /// <summary>The same of a listener of streams; false where lb cannot do it.</summary>
    internal bool TryAddStream(NginxListener listener, NginxScope scope, DraftObject draft)
    {
        IReadOnlyList<NginxDirective> rules = scope.Rules();
        if (rules.Count == 0 || NginxAddresses.IsOpen(rules)) return true;
        if (listener.Socket is null && NginxAddresses.TryLists(rules, out List<string> allow, out List<string> block))
        {
            Write(listener.Name, draft, allow, block);
            return true;
        }
        differs(rules[0], "lb cannot keep out the same clients: the listener is left out");
        return false;
    }

    /// <summary>With which status a place is closed; null where it is as open as with nginx.</summary>
    /// <param name="scope">The location's, or the server's.</param>
    /// <param name="server">Its server.</param>
    /// <param name="listeners">Where requests for it come from.</param>
    internal int? Status(NginxScope scope, NginxServer server, IReadOnlyList<NginxListener> listeners)
    {
        int? status = null;
        if (server.Scope.Find("ssl_verify_client") is { } verify && verify.Arg(0) == "on" && listeners.Any(listener => listener.IsEncrypted && !NginxTls.VerifiesAs(listener.Default!, server)))
            Close(verify, "lb verifies clients of a listener as its default server says");
        foreach (NginxDirective check in server.Directive.Block!.Concat(scope.Block).Where(Refuses)) Close(check, "lb has no \"if\"");
        foreach (NginxDirective except in scope.Own("limit_except"))
        {
            foreach (NginxDirective inner in except.Block ?? []) inner.IsUsed = true; // told of with its block
            Close(except, "lb lets in all methods or none");
        }
        // nginx comes to "return" before it looks at any of these.
        if (scope.Own("return").Count == 0)
        {
            foreach (string name in s_askers)
                if (scope.Find(name) is { } asks && asks.Arg(0) != "off") Close(asks, "lb does not ask for it here");
            IReadOnlyList<NginxDirective> rules = scope.Rules();
            string content = Content(scope);
            if (content.Length > 0 && !NginxAddresses.IsOpen(rules) && !listeners.All(listener => _listeners.TryGetValue(listener, out string? access) && access == content))
            {
                if (NginxAddresses.IsClosed(rules)) status ??= 403; // as nginx does
                else Close(rules[0], "lb keeps out addresses for a listener as a whole");
            }
        }
        if (scope.Find("internal") is not { } hidden) return status;
        differs(hidden, "clients get 404, as from nginx; nothing else becomes of the location");
        return 404;

        void Close(NginxDirective directive, string why)
        {
            differs(directive, $"{why}: {Closes}");
            status = 501;
        }
    }

    /// <summary>Whether something in a block asks who a client is: what a location that lb cannot match had for its own.</summary>
    internal static bool Asks(NginxDirective location) =>
        location.Block is not null && location.Block.Exists(directive => directive.Name is "allow" or "deny" or "internal" or "limit_except" || s_askers.Contains(directive.Name) || Refuses(directive) || Asks(directive));

    // An "if" that turns clients away, by whatever it looks at.
    private static bool Refuses(NginxDirective directive) =>
        directive is { Name: "if", Block: not null } && directive.Block.Exists(inner => inner.Name == "return" && NginxValues.Count(inner.Arg(0)) is >= 400 and < 500);

    private void Write(string listener, DraftObject draft, List<string> allow, List<string> block)
    {
        string?[] names = [List("allowed", allow), List("blocked", block)];
        draft.Add("access", new DraftObject().Add("allow", names[0] is { } allowed ? new[] { allowed } : null).Add("block", names[1] is { } blocked ? new[] { blocked } : null));

        string? List(string kind, List<string> addresses)
        {
            if (addresses.Count == 0) return null;
            string name = $"{listener}-{kind}";
            config.Child("addressLists").Add(name, new DraftObject().Add("addresses", addresses));
            return name;
        }
    }

    // Rules or answers that are not the same for everybody who asks there: "return" is answered to those too that no rule lets in.
    private static bool HasOwn(List<NginxDirective> block, bool isServer) => block.Exists(directive => directive.Name == "return" || (directive.Name is "allow" or "deny" && !isServer)
        || (directive is { Name: "location", Block: not null } && HasOwn(directive.Block, isServer: false)));

    // Whether lb looks at the same address as nginx does.
    private static bool SeesClients(NginxListener listener)
    {
        string[] fields = [.. listener.Servers.Select(server => server.Scope.All("set_real_ip_from").Count == 0 ? "" : server.Scope.Find("real_ip_header")?.Arg(0).ToLowerInvariant() ?? "x-real-ip").Distinct()];
        return fields is [var field] && field == (listener.HasProxyProtocol ? "proxy_protocol" : field.Length == 0 ? "" : "x-forwarded-for");
    }

    private static string Content(NginxScope scope) => string.Join(';', scope.Rules().Select(rule => string.Create(CultureInfo.InvariantCulture, $"{rule.Name} {rule.Arg(0)}")));
}
