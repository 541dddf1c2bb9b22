namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="CacheConfig"/> and <see cref="RouteCacheConfig"/>.</summary>
internal static class CacheValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, CacheConfig cache) in config.Caches)
        {
            string path = ConfigPath.Member("caches", name);
            problems.Name(path, name, "cache");
            problems.Range(path, "memoryBytesMax", cache.MemoryBytesMax, ConfigRanges.CacheMemoryBytesMax);
            problems.Range(path, "objectBytesMax", cache.ObjectBytesMax, ConfigRanges.CacheObjectBytesMax);
            if (cache.ObjectBytesMax > cache.MemoryBytesMax)
                problems.Add($"{path}.objectBytesMax", $"{cache.ObjectBytesMax} is more than the {cache.MemoryBytesMax} bytes of \"memoryBytesMax\"; nothing so large could be stored");
            if (cache.Disk is not { } disk) continue;
            string diskPath = $"{path}.disk";
            problems.Range(diskPath, "bytesMax", disk.BytesMax, ConfigRanges.CacheDiskBytesMax);
            problems.Range(diskPath, "objectBytesMax", disk.ObjectBytesMax, ConfigRanges.CacheDiskObjectBytesMax);
            if (disk.ObjectBytesMax > disk.BytesMax) problems.Add($"{diskPath}.objectBytesMax", $"{disk.ObjectBytesMax} is more than the {disk.BytesMax} bytes of \"bytesMax\"; nothing so large could be stored");
            if (disk.Path.Length == 0) problems.Add($"{diskPath}.path", "is empty; expected a folder such as \"/var/cache/lb\"");
            else if (System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(disk.Path)) is var folder && !folders.TryAdd(folder, name))
                problems.Add($"{diskPath}.path", $"is the folder of cache \"{folders[folder]}\" too; each needs its own");
        }
        foreach ((string name, RouteConfig route) in config.Routes)
        {
            if (route.Cache is { } cache) Route(config, $"{ConfigPath.Member("routes", name)}.cache", route, cache, problems);
        }
    }

    private static void Route(ProxyConfig config, string path, RouteConfig route, RouteCacheConfig cache, ProblemList problems)
    {
        if (route.Cluster is null && route.Split.Count == 0) problems.Add(path, "has no effect on a route that forwards nothing; it goes with \"cluster\" or \"split\"");
        if (cache.In is { } store && !config.Caches.ContainsKey(store))
            problems.Add($"{path}.in", $"there is no cache {CharacterText.Quote(store)}{Suggestion.Text(store, [.. config.Caches.Keys])}");
        if (cache.In is null && config.Caches.Count != 1)
            problems.Add($"{path}.in", config.Caches.Count == 0 ? "there is no cache; expected one in \"caches\", as in { \"main\": {} }" : $"is missing, and there are {config.Caches.Count} caches; expected the name of one");
        if (!Enum.IsDefined(cache.Query)) problems.Add($"{path}.query", $"{(int)cache.Query} is no way to take a query");
        if (cache.Query == CacheKeyQuery.None && (cache.QueryIgnored.Count > 0 || cache.QueryOnly.Count > 0))
            problems.Add($"{path}.query", "is \"none\", so no parameter counts; leave out \"queryIgnored\" and \"queryOnly\"");
        if (cache.QueryIgnored.Count > 0 && cache.QueryOnly.Count > 0) problems.Add($"{path}.queryOnly", "cannot be given beside \"queryIgnored\"; expected one of them");
        Parameters($"{path}.queryIgnored", cache.QueryIgnored, problems);
        Parameters($"{path}.queryOnly", cache.QueryOnly, problems);
        Tokens($"{path}.keyHeaders", cache.KeyHeaders, "header", problems);
        Tokens($"{path}.keyCookies", cache.KeyCookies, "cookie", problems);
        foreach ((string status, TimeSpan ttl) in cache.Ttl)
        {
            string item = ConfigPath.Member($"{path}.ttl", status);
            if (!int.TryParse(status, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int code) || code is < 200 or > 599 || code is 206 or 304)
                problems.Add(item, $"{CharacterText.Quote(status)} is no status that can be stored; expected one such as \"200\" or \"404\"");
            if (!ConfigRanges.CacheTtl.Contains(ttl)) problems.Add(item, $"{DurationText.Format(ttl)} is out of range; expected {ConfigRanges.CacheTtl.Text}");
        }
        if (cache.TtlOverrides && cache.Ttl.Count == 0) problems.Add($"{path}.ttlOverrides", "has no effect without \"ttl\"");
        problems.Range(path, "staleWhileRevalidate", cache.StaleWhileRevalidate, ConfigRanges.CacheStale);
        problems.Range(path, "staleIfError", cache.StaleIfError, ConfigRanges.CacheStale);
        problems.Range(path, "collapseTimeout", cache.CollapseTimeout, ConfigRanges.CollapseTimeout);
    }

    private static void Parameters(string path, IReadOnlyList<string> names, ProblemList problems)
    {
        for (int i = 0; i < names.Count; i++)
        {
            string name = names[i];
            int star = name.IndexOf('*', StringComparison.Ordinal);
            if (name.Length == 0 || name.Any(c => c is '&' or '=' or '#' or '?' || char.IsControl(c) || c > '~'))
                problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(name)} is no name of a parameter; expected one as it stands in URLs, such as \"page\" or \"utm_*\"");
            else if (star >= 0 && star < name.Length - 1) problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(name)} has a \"*\" that is not its end");
        }
    }

    private static void Tokens(string path, IReadOnlyList<string> names, string kind, ProblemList problems)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < names.Count; i++)
        {
            if (!HttpSyntax.IsToken(names[i])) problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(names[i])} is no {kind} name; expected letters, digits and \"-\"");
            else if (!seen.Add(names[i])) problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(names[i])} is given twice");
        }
    }
}
