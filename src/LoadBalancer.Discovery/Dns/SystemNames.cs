using System.Globalization;
using System.Net;

namespace LoadBalancer.Discovery.Dns;

/// <summary>What the system says about names, read anew for each look-up: name servers and search domains (resolv.conf), fixed names (hosts).</summary>
internal sealed class SystemNames(string resolvConf = "/etc/resolv.conf", string hosts = "/etc/hosts")
{
    private const int ServersMax = 3, DotsMax = 15, SearchMax = 32, FileBytesMax = 4 * 1024 * 1024; // glibc's bounds, and one for the files

    /// <summary>The addresses that the hosts file gives a name; none when it does not know it.</summary>
    internal IReadOnlyList<IPAddress> Hosts(string name)
    {
        var addresses = new List<IPAddress>();
        foreach (string[] words in Lines(hosts))
            if (words.Length > 1 && words.Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase) && IPAddress.TryParse(words[0], out IPAddress? address))
                addresses.Add(address);
        return addresses;
    }

    /// <summary>The name servers, at most three as with the C library; and the names to ask for a name, in order.</summary>
    internal (IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<string> Candidates) Read(string name)
    {
        var servers = new List<IPEndPoint>();
        string[] search = [];
        int dotsMin = 1;
        foreach (string[] words in Lines(resolvConf))
            switch (words[0])
            {
                case "nameserver" when words.Length > 1 && servers.Count < ServersMax && IPAddress.TryParse(words[1], out IPAddress? address):
                    servers.Add(new IPEndPoint(address, 53));
                    break;
                case "search" or "domain":
                    search = [.. words.Skip(1).Take(SearchMax).Select(domain => domain.TrimEnd('.')).Where(domain => domain.Length > 0)];
                    break;
                case "options":
                    foreach (string option in words.Skip(1))
                        if (option.StartsWith("ndots:", StringComparison.Ordinal) && int.TryParse(option.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int dots))
                            dotsMin = Math.Min(dots, DotsMax);
                    break;
            }
        if (name.EndsWith('.')) return (servers, [name[..^1]]);
        IEnumerable<string> searched = search.Select(domain => $"{name}.{domain}").Where(candidate => Core.Configuration.HostName.IsValid(candidate));
        return (servers, name.Count(c => c == '.') >= dotsMin ? [name, .. searched] : [.. searched, name]);
    }

    private static IEnumerable<string[]> Lines(string path)
    {
        string text;
        try
        {
            var file = new FileInfo(path);
            text = file.Exists && file.Length <= FileBytesMax ? File.ReadAllText(path) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            text = "";
        }
        foreach (string line in text.Split('\n'))
        {
            int comment = line.AsSpan().IndexOfAny('#', ';');
            string[] words = (comment < 0 ? line : line[..comment]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0) yield return words;
        }
    }
}
