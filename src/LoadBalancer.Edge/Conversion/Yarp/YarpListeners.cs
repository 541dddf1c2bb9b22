using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Kestrel's addresses: its section, else "Urls", else its default.</summary>
internal static class YarpListeners
{
    /// <summary>Whether a password has come into the result.</summary>
    internal static bool Convert(YarpSection file, DraftObject config)
    {
        bool hasPassword = false, hasEndpoints = false;
        DraftObject listeners = config.Child("listeners");
        YarpSection kestrel = file.Section("Kestrel");
        foreach ((string name, YarpSection endpoint) in kestrel.Section("Endpoints").Sections())
        {
            hasEndpoints = true;
            if (endpoint.Text("Url") is not { } url || Address(url) is not { } address)
            {
                endpoint.Differs("has no address that lb can listen on");
                continue;
            }
            var listener = new DraftObject().Add("address", address);
            if (url.StartsWith("https:", StringComparison.OrdinalIgnoreCase))
            {
                if (Tls(endpoint, kestrel) is not { } tls) continue;
                listener.Add("tls", new DraftObject().Add("certificates", tls));
                hasPassword |= tls.Has("password");
            }
            if (endpoint.Text("Protocols") is { } protocols && protocols.Contains('2', StringComparison.Ordinal)) endpoint.Differs("Protocols", "lb speaks HTTP/1.1 with clients");
            listeners.Add(name, listener, endpoint.Place);
        }
        kestrel.Section("Certificates").Section("Default").UseAll();
        kestrel.Left();
        if (hasEndpoints) return hasPassword; // Kestrel too does not look at the rest then
        foreach (string url in (file.Text("Urls") ?? "http://localhost:5000").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Address(url) is not { } address) file.Differs("Urls", $"{url} is no address that lb can listen on");
            else if (url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)) file.Differs("Urls", $"{url}: lb needs to be told the certificate, under \"tls\"; left out");
            else listeners.Add(string.Create(CultureInfo.InvariantCulture, $"web{(listeners.Count == 0 ? "" : listeners.Count + 1)}"), new DraftObject().Add("address", address), file.Has("Urls") ? "Urls" : "Kestrel's default");
        }
        return false;
    }

    // The certificate; null where lb cannot be as Kestrel is there: such a listener must not become one without TLS, or without asking who a client is.
    private static DraftObject? Tls(YarpSection endpoint, YarpSection kestrel)
    {
        YarpSection certificate = endpoint.Has("Certificate") ? endpoint.Section("Certificate") : kestrel.Section("Certificates").Section("Default");
        if (certificate.Text("Path") is not { } path)
        {
            endpoint.Differs("has no certificate in a file, and is left out");
            certificate.UseAll();
            return null;
        }
        if (endpoint.Text("ClientCertificateMode") is { } mode && !mode.Equals("NoCertificate", StringComparison.OrdinalIgnoreCase))
        {
            bool isRequired = mode.Equals("RequireCertificate", StringComparison.OrdinalIgnoreCase);
            endpoint.Differs("ClientCertificateMode", isRequired ? "lb needs to be told the authorities (\"clientCertificates\"); the listener is left out" : "left out: clients are not asked for certificates");
            if (isRequired)
            {
                certificate.UseAll();
                return null;
            }
        }
        string? password = certificate.Text("Password");
        if (password is not null) certificate.Differs("Password", "stands in the result as it is; \"@file:password.txt\" or \"${NAME}\" would keep it out");
        return new DraftObject().Add("file", path).Add("key", certificate.Text("KeyPath")).Add("password", password);
    }

    // "http://*:80", "https://localhost:5001", "http://[::]:8080", "http://unix:/run/x.sock".
    internal static string? Address(string url)
    {
        int start = url.IndexOf("://", StringComparison.Ordinal);
        if (start < 0) return null;
        string scheme = url[..start].ToLowerInvariant(), rest = url[(start + 3)..].TrimEnd('/');
        if (scheme is not ("http" or "https")) return null;
        if (rest.StartsWith("unix:/", StringComparison.OrdinalIgnoreCase)) return rest;
        int colon = rest.LastIndexOf(':');
        bool hasPort = colon >= 0 && rest[^1] != ']';
        string host = hasPort ? rest[..colon] : rest, port = hasPort ? rest[(colon + 1)..] : scheme == "https" ? "443" : "80";
        if (port.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0 || port.Length is 0 or > 5) return null;
        // Kestrel takes every host that is no IP address for all addresses.
        return host == "localhost" || System.Net.IPAddress.TryParse(host.Trim('[', ']'), out _) ? $"{(host == "[::]" ? "" : host)}:{port}" : $":{port}";
    }
}
