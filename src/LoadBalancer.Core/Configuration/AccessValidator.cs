using LoadBalancer.Core.Protection.Addresses;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks address lists, and who uses them.</summary>
internal static class AccessValidator
{
    internal static void Validate(ProxyConfig config, AddressListStore lists, ProblemList problems)
    {
        foreach ((string name, AddressListConfig list) in config.AddressLists)
        {
            string path = ConfigPath.Member("addressLists", name);
            problems.Name(path, name, "address list");
            if (list.File is null && list.Addresses.Count == 0) problems.Add(path, "says no addresses; expected \"addresses\", or a \"file\" of them");
            if (list.Addresses.Count > AddressListFile.EntriesMax) problems.Add($"{path}.addresses", $"has {list.Addresses.Count} blocks; expected at most {AddressListFile.EntriesMax}");
            for (int i = 0; i < list.Addresses.Count; i++)
                if (!AddressBlockText.TryParse(list.Addresses[i], out _, out string? problem))
                    problems.Add(ConfigPath.Item($"{path}.addresses", i), $"{CharacterText.Quote(list.Addresses[i])} {problem}");
            if (list.File is { Length: 0 }) problems.Add($"{path}.file", "is empty; expected the path of a file");
            else if (lists.TryGet(name, out AddressList? read) && read.Problem is { } fault) problems.Add($"{path}.file", $"{CharacterText.Quote(list.File!)} {fault}");
        }
        problems.Range("", "bansMax", config.BansMax, ConfigRanges.BansMax);
        if (config.AutoBan is { } autoBan) AutoBan(config, autoBan, problems);
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            string path = ConfigPath.Member("listeners", name);
            if (listener.Access is { } access) Access(config, $"{path}.access", listener, access, problems);
            if (listener.PerSource is { } sources) PerSource($"{path}.perSource", listener, sources, problems);
        }
        foreach ((string name, BlockRuleConfig rule) in config.BlockRules) BlockRuleValidator.Validate(config, name, rule, problems);
    }

    private static void AutoBan(ProxyConfig config, AutoBanConfig autoBan, ProblemList problems)
    {
        problems.Range("autoBan", "refusals", autoBan.Refusals, ConfigRanges.AutoBanRefusals);
        problems.Range("autoBan", "within", autoBan.Within, ConfigRanges.AutoBanWithin);
        problems.Range("autoBan", "for", autoBan.For, ConfigRanges.AutoBanFor);
        Lists(config, "autoBan.ignore", autoBan.Ignore, problems);
    }

    private static void PerSource(string path, ListenerConfig listener, PerSourceConfig sources, ProblemList problems)
    {
        problems.Range(path, "connectionsMax", sources.ConnectionsMax, ConfigRanges.PerSource);
        problems.Range(path, "newConnectionsPerSecondMax", sources.NewConnectionsPerSecondMax, ConfigRanges.PerSource);
        problems.Range(path, "newConnectionsBurst", sources.NewConnectionsBurst, ConfigRanges.PerSource);
        if (sources.NewConnectionsBurst > 0 && sources.NewConnectionsPerSecondMax == 0) problems.Add($"{path}.newConnectionsBurst", "has no effect without \"newConnectionsPerSecondMax\"");
        if (sources.ConnectionsMax == 0 && sources.NewConnectionsPerSecondMax == 0) problems.Add(path, "has no limit; expected \"connectionsMax\" or \"newConnectionsPerSecondMax\"");
        else if (IsAddressless(listener)) problems.Add(path, "has no effect on a Unix socket, whose peers have no address");
    }

    private static bool IsAddressless(ListenerConfig listener) => listener.ProxyProtocol is null && listener.Address.StartsWith("unix:", StringComparison.Ordinal);

    private static void Access(ProxyConfig config, string path, ListenerConfig listener, AccessConfig access, ProblemList problems)
    {
        Lists(config, $"{path}.allow", access.Allow, problems);
        Lists(config, $"{path}.block", access.Block, problems);
        if (access.Allow.Count == 0 && access.Block.Count == 0) problems.Add(path, "names no list; expected \"allow\" or \"block\"");
        else if (IsAddressless(listener))
            problems.Add(path, "has no effect on a Unix socket, whose peers have no address; the permissions of its file decide who may connect");
    }

    /// <summary>Names of lists.</summary>
    internal static void Lists(ProxyConfig config, string path, IReadOnlyList<string> names, ProblemList problems)
    {
        for (int i = 0; i < names.Count; i++)
            if (!config.AddressLists.ContainsKey(names[i]))
                problems.Add(ConfigPath.Item(path, i), $"there is no address list {CharacterText.Quote(names[i])}{Suggestion.Text(names[i], [.. config.AddressLists.Keys])}");
    }
}
