using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>An address that servers of an nginx configuration share, and becomes one listener.</summary>
internal sealed class NginxListener(string host, int port, string? socket, NginxDirective listen)
{
    /// <summary>The first directive that names it.</summary>
    internal NginxDirective Directive => listen;

    /// <summary>"" for every IPv4 address, "[::]" for every IPv6 one, "*" for both.</summary>
    internal string Host { get; set; } = host;

    internal int Port => port;

    /// <summary>Path of a Unix socket, or null.</summary>
    internal string? Socket => socket;

    internal string Name { get; set; } = "";

    internal bool IsEncrypted { get; set; }

    internal bool HasProxyProtocol { get; set; }

    /// <summary>Of "[::]": whether it takes IPv4 clients too ("ipv6only=off", which one server says for all).</summary>
    internal bool IsDualStack { get; set; }

    internal int? Backlog { get; set; }

    internal List<NginxServer> Servers { get; } = [];

    /// <summary>Gets what no name of the others matches.</summary>
    internal NginxServer? Default { get; set; }

    internal string Address => socket is not null ? $"unix:{socket}" : string.Create(CultureInfo.InvariantCulture, $"{Host switch { "" => "0.0.0.0", "*" => "", var other => other }}:{port}");
}

/// <summary>A server block.</summary>
internal sealed class NginxServer(NginxDirective block, NginxScope scope)
{
    internal NginxDirective Directive => block;

    internal NginxScope Scope => scope;

    internal List<NginxListener> Listeners { get; } = [];

    /// <summary>Names that lb can match.</summary>
    internal List<string> Names { get; } = [];
}

/// <summary>All listeners of a context (http or stream), by their "listen" directives.</summary>
internal sealed class NginxListeners(Action<NginxDirective, string> differs)
{
    private readonly List<NginxListener> _all = [];

    internal IReadOnlyList<NginxListener> All => _all;

    /// <summary>Takes a server's "listen" directives; without any, nginx listens on port 80.</summary>
    internal void Add(NginxServer server)
    {
        IReadOnlyList<NginxDirective> directives = server.Scope.Own("listen");
        if (directives.Count == 0) Add(server, new NginxDirective("listen", ["80"], server.Directive.File, server.Directive.Line));
        foreach (NginxDirective listen in directives) Add(server, listen);
    }

    private void Add(NginxServer server, NginxDirective listen)
    {
        if (!TryParse(listen.Arg(0), out string host, out int port, out string? socket))
        {
            differs(listen, "is no address that lb can listen on");
            return;
        }
        // A socket of its own, also where another server has the port for TCP.
        if (listen.Args.Any(option => option is "udp" or "quic"))
        {
            differs(listen, "lb has no UDP: there is no listener for it");
            return;
        }
        NginxListener? listener = _all.Find(other => other.Host == host && other.Port == port && other.Socket == socket);
        if (listener is null) _all.Add(listener = new NginxListener(host, port, socket, listen));
        bool isDefault = false;
        foreach (string option in listen.Args.Skip(1))
        {
            string name = option.Split('=')[0];
            if (name is "default_server" or "default") isDefault = true;
            else if (name == "ssl") listener.IsEncrypted = true;
            else if (name == "proxy_protocol") listener.HasProxyProtocol = true;
            else if (name == "backlog") listener.Backlog = NginxValues.Count(NginxValues.Option([option], "backlog"));
            else if (name is "http2" or "spdy") differs(listen, "lb speaks HTTP/1.1 with clients; HTTP/2 is left out");
            else if (option == "ipv6only=off") listener.IsDualStack = true;
            else if (name is not ("reuseport" or "deferred" or "so_keepalive" or "ipv6only" or "bind" or "fastopen" or "rcvbuf" or "sndbuf" or "setfib" or "accept_filter")) differs(listen, $"the option \"{name}\" is left out");
        }
        if (!listener.Servers.Contains(server)) listener.Servers.Add(server);
        if (!server.Listeners.Contains(listener)) server.Listeners.Add(listener);
        if (isDefault || listener.Default is null) listener.Default = server;
    }

    /// <summary>Leaves one out: its servers are then for their other addresses alone.</summary>
    internal void Remove(NginxListener listener)
    {
        _all.Remove(listener);
        foreach (NginxServer server in listener.Servers) server.Listeners.Remove(listener);
    }

    /// <summary>Makes one of the two wildcards of a port where they have the same servers, and gives names.</summary>
    internal void Complete(Func<NginxListener, string> kind)
    {
        foreach (NginxListener six in _all.Where(listener => listener is { Host: "[::]", Socket: null }).ToArray())
        {
            NginxListener? four = _all.Find(other => other is { Host: "", Socket: null } && other.Port == six.Port);
            if (four is null || four.IsEncrypted != six.IsEncrypted || four.Default != six.Default || !four.Servers.SequenceEqual(six.Servers)) continue;
            four.Host = "*";
            _all.Remove(six);
            foreach (NginxServer server in six.Servers) server.Listeners.Remove(six);
        }
        // Where IPv4 has a listener of its own, its clients come to that one.
        foreach (NginxListener six in _all.Where(listener => listener is { Host: "[::]", Socket: null, IsDualStack: true }))
            if (!_all.Exists(other => other is { Host: "" or "*", Socket: null } && other.Port == six.Port)) six.Host = "*";
        var taken = new HashSet<string>();
        foreach (NginxListener listener in _all)
        {
            string name = listener.Socket is { } path ? $"{kind(listener)}-{Path.GetFileNameWithoutExtension(path)}" : string.Create(CultureInfo.InvariantCulture, $"{kind(listener)}-{listener.Port}");
            listener.Name = name;
            for (int i = 2; !taken.Add(listener.Name); i++) listener.Name = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
        }
    }

    private static bool TryParse(string text, out string host, out int port, out string? socket)
    {
        (host, port, socket) = ("", 80, null);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            (socket, port) = (text[5..], 0);
            return socket.Length > 0;
        }
        if (IsPort(text, out port)) return true;
        int colon = text.LastIndexOf(':');
        bool hasPort = colon > 0 && text[^1] != ']';
        if (hasPort && !IsPort(text[(colon + 1)..], out port)) return false;
        if (!hasPort) port = 80;
        host = hasPort ? text[..colon] : text;
        if (host is "*" or "0.0.0.0") host = "";
        if (host is "" or "localhost") return true;
        if (!System.Net.IPAddress.TryParse(host.Trim('[', ']'), out System.Net.IPAddress? address)) return false;
        if (address.Equals(System.Net.IPAddress.IPv6Any)) host = "[::]"; // of its many spellings
        return true;
    }

    private static bool IsPort(string text, out int port) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
}
