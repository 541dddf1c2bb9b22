using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="LimitConfig"/>, and what routes say of limits.</summary>
internal static class LimitValidator
{
    private const int NameLengthMax = 64;

    // What a bucket takes to fill: far from the overflow of a timestamp.
    private static readonly TimeSpan FillTimeMax = TimeSpan.FromDays(30);

    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        foreach ((string name, LimitConfig limit) in config.Limits)
        {
            string path = ConfigPath.Member("limits", name);
            Name(path, name, problems);
            if (limit.Rate is null && limit.Concurrency == 0) problems.Add(path, "says not what it limits; expected \"rate\" or \"concurrency\"");
            else if (limit.Rate is not null && limit.Concurrency != 0) problems.Add(path, "has \"rate\" and \"concurrency\"; expected only one of them, a route can be under both by two limits");
            if (limit.Rate is { } rate) Rate(path, limit, rate, problems);
            else if (limit.Concurrency != 0) Concurrency(path, limit, problems);
            Key(path, limit, problems);
            problems.Range(path, "keysMax", limit.KeysMax, ConfigRanges.LimitKeysMax);
            problems.Range(path, "status", limit.Status, ConfigRanges.RefusalStatus);
            if (!limit.Shared) continue;
            if (config.Redis is null) problems.Add($"{path}.shared", "needs a \"redis\" by which it is shared");
            if (limit.Rate is null || limit.Algorithm != LimitAlgorithm.TokenBucket) problems.Add($"{path}.shared", "is for a \"rate\" by \"token-bucket\" alone");
        }
        if (config.Redis is { } redis) Redis(config, redis, problems);
    }

    private static void Redis(ProxyConfig config, RedisConfig redis, ProblemList problems)
    {
        const int SecretLengthMin = 16;
        if (!config.Limits.Values.Any(limit => limit.Shared) && !config.Policies.Values.Any(policy => policy.UsesRedis))
            problems.Add("redis", "has no effect without a limit that is \"shared\" or a policy that asks Redis");
        if (redis.Endpoints.Count == 0) problems.Add("redis.endpoints", "is empty; expected one such as \"redis.internal:6379\"");
        for (int i = 0; i < redis.Endpoints.Count; i++)
        {
            string endpoint = redis.Endpoints[i];
            if (endpoint.Length == 0 || endpoint.Any(c => c is <= ' ' or ',' or '/' or > '~'))
                problems.Add(ConfigPath.Item("redis.endpoints", i), $"{CharacterText.Quote(endpoint)} is no endpoint; expected \"host\" or \"host:port\"");
        }
        if (redis.Secret.Length < SecretLengthMin) problems.Add("redis.secret", $"has {redis.Secret.Length} characters; expected {SecretLengthMin} or more, by chance, the same for all balancers");
        problems.Range("redis", "database", redis.Database, ConfigRanges.RedisDatabase);
        problems.Range("redis", "syncInterval", redis.SyncInterval, ConfigRanges.RedisTime);
        problems.Range("redis", "timeout", redis.Timeout, ConfigRanges.RedisTime);
        if (redis.Ca is { } ca && !File.Exists(ca)) problems.Add("redis.ca", $"there is no file {CharacterText.Quote(ca)}");
        if (!redis.Tls && redis.Ca is not null) problems.Add("redis.ca", "has no effect without \"tls\": true");
        if (!redis.Tls && redis.TlsName is not null) problems.Add("redis.tlsName", "has no effect without \"tls\": true");
    }

    /// <summary>The limits that a route names.</summary>
    internal static void Route(ProxyConfig config, string path, RouteConfig route, ProblemList problems)
    {
        if (route.Limits.Count > LimitHolds.LimitsMax) problems.Add($"{path}.limits", $"names {route.Limits.Count} limits; expected at most {LimitHolds.LimitsMax}");
        foreach ((string name, int cost) in route.Limits)
        {
            string item = ConfigPath.Member($"{path}.limits", name);
            if (!config.Limits.TryGetValue(name, out LimitConfig? limit))
            {
                problems.Add(item, $"there is no limit {CharacterText.Quote(name)}{Suggestion.Text(name, [.. config.Limits.Keys])}");
                continue;
            }
            problems.Range($"{path}.limits", name, cost, ConfigRanges.LimitCost);
            if (limit.Concurrency > 0 && cost != 1) problems.Add(item, $"costs {cost}, but a request takes one place of a limit of concurrency; expected 1");
            if (limit.Rate is null || !RateText.TryParse(limit.Rate, out RateText rate)) continue;
            int most = limit.Algorithm == LimitAlgorithm.SlidingWindow ? rate.Quota : limit.BurstOrDefault;
            if (cost > most) problems.Add(item, $"costs {cost}, more than can ever be there at once, {most}; every request would be refused");
        }
    }

    // Names stand in a header field, as a string there (RFC 9651 §3.3.3).
    private static void Name(string path, string name, ProblemList problems)
    {
        problems.Name(path, name, "limit");
        if (name.Length > NameLengthMax) problems.Add(path, $"the name of a limit has {name.Length} characters; expected at most {NameLengthMax}, clients are told of it");
        foreach (char c in name)
        {
            if (c is >= ' ' and <= '~' and not ('"' or '\\') || char.IsControl(c)) continue;
            problems.Add(path, $"the name of a limit has {CharacterText.Name(c)}; expected letters, digits and \"-\", clients are told of it");
            break;
        }
    }

    private static void Rate(string path, LimitConfig limit, string text, ProblemList problems)
    {
        problems.Range(path, "burst", limit.Burst, ConfigRanges.LimitBurst);
        if (!RateText.TryParse(text, out RateText rate))
        {
            problems.Add($"{path}.rate", $"{CharacterText.Quote(text)} is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"");
            return;
        }
        if (limit.Algorithm == LimitAlgorithm.SlidingWindow)
        {
            if (rate.Quota > SlidingWindow.QuotaMax) problems.Add($"{path}.rate", $"{rate.Quota} is more than a sliding window counts; expected at most {SlidingWindow.QuotaMax}, or \"algorithm\": \"token-bucket\"");
            if (limit.Burst > 0) problems.Add($"{path}.burst", "has no effect with \"algorithm\": \"sliding-window\", which lets the whole quota through at once");
            return;
        }
        if (rate.Quota / rate.Period.TotalSeconds > ConfigRanges.LimitRatePerSecondMax)
            problems.Add($"{path}.rate", $"{CharacterText.Quote(text)} is more than can be counted; expected at most {ConfigRanges.LimitRatePerSecondMax}/s");
        if (limit.Burst > 0 && limit.Burst / (rate.Quota / rate.Period.TotalSeconds) > FillTimeMax.TotalSeconds)
            problems.Add($"{path}.burst", $"{limit.Burst} would take longer than {DurationText.Format(FillTimeMax)} to come back at a rate of {text}");
    }

    private static void Concurrency(string path, LimitConfig limit, ProblemList problems)
    {
        problems.Range(path, "concurrency", limit.Concurrency, ConfigRanges.LimitConcurrency);
        if (limit.Burst != 0) problems.Add($"{path}.burst", "has no effect with \"concurrency\"; it is for \"rate\"");
        if (limit.Algorithm != LimitAlgorithm.TokenBucket) problems.Add($"{path}.algorithm", "has no effect with \"concurrency\"; it is for \"rate\"");
    }

    private static void Key(string path, LimitConfig limit, ProblemList problems)
    {
        bool canBeMissing = false;
        for (int i = 0; i < limit.Key.Count; i++)
        {
            string text = limit.Key[i];
            if (!KeyPart.TryParse(text, out KeyPart? part))
                problems.Add(ConfigPath.Item($"{path}.key", i), $"{CharacterText.Quote(text)} is no part of a key; expected one of {string.Join(", ", KeyPart.Examples)}");
            else canBeMissing |= part.CanBeMissing;
            if (limit.Key.Take(i).Contains(text, StringComparer.Ordinal)) problems.Add(ConfigPath.Item($"{path}.key", i), $"{CharacterText.Quote(text)} is given twice");
        }
        if (limit.SkipIfMissing && !canBeMissing) problems.Add($"{path}.skipIfMissing", "has no effect without a header or cookie in \"key\"");
    }
}
