using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Limiting.Keys;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>A limit of the configuration while it runs: its key, its table, its counts. One for all routes that name it, and for all loops.</summary>
internal sealed class Limiter
{
    private readonly KeyPart[] _key;
    private readonly KeySecret _secret;
    private readonly LimitCounts[] _counts;

    /// <param name="name">In the configuration.</param>
    /// <param name="config">Of it.</param>
    /// <param name="sharedSecret">Common to the balancers that share it; null where none do.</param>
    /// <param name="time">What it counts by.</param>
    /// <param name="loopCount">How many ask it.</param>
    internal Limiter(string name, LimitConfig config, string? sharedSecret, TimeProvider time, int loopCount)
    {
        _secret = sharedSecret is null ? KeySecret.Random() : KeySecret.Of(sharedSecret, name);
        Name = name;
        Config = config;
        _counts = new LimitCounts[loopCount];
        _key = [.. config.Key.Select(text => KeyPart.TryParse(text, out KeyPart? part) ? part : throw new FormatException($"'{text}' is no part of a key"))];
        if (config.Rate is { } text)
        {
            RateText rate = RateText.TryParse(text, out RateText parsed) ? parsed : throw new FormatException($"'{text}' is no rate");
            long periodTicks = (long)(rate.Period.TotalSeconds * time.TimestampFrequency);
            Rate = config.Algorithm == LimitAlgorithm.SlidingWindow
                ? new SlidingWindow(rate.Quota, periodTicks, config.KeysMax)
                : new TokenBucket(rate.Quota, periodTicks, config.BurstOrDefault, config.KeysMax) { Taken = sharedSecret is null ? null : new TakenCosts(TakenCosts.DefaultCapacity) };
            Policy = $"\"{name}\";q={rate.Quota};w={(long)rate.Period.TotalSeconds}";
            RemainingLabel = Encoding.ASCII.GetBytes($"\"{name}\";r=");
        }
        else Concurrency = new KeyedConcurrency(config.Concurrency, config.KeysMax);
    }

    internal string Name { get; }

    internal LimitConfig Config { get; }

    /// <summary>Whether it counts by what policies have verified, so that it is asked after them.</summary>
    internal bool NeedsIdentity => Array.Exists(_key, part => part.NeedsIdentity);

    /// <summary>Null for a limit of concurrency.</summary>
    internal RateLimit? Rate { get; }

    /// <summary>Null for a limit of a rate.</summary>
    internal KeyedConcurrency? Concurrency { get; }

    /// <summary>Keys that can be counted at a time.</summary>
    internal int Capacity => Rate is { } rate ? rate.Capacity : Concurrency!.Capacity;

    /// <summary>Whether answers tell clients of it. What only says so is not to be told.</summary>
    internal bool IsTold => Rate is not null && Config.Headers && !Config.DryRun;

    /// <summary>Its member of RateLimit-Policy.</summary>
    internal string Policy { get; } = "";

    /// <summary>How its member of RateLimit begins.</summary>
    internal byte[] RemainingLabel { get; } = [];

    /// <summary>Requests let through since the start, over all loops. Any thread.</summary>
    internal long AllowedTotal => LimitCounts.AllowedSum(_counts);

    /// <summary>Requests refused, or that would have been.</summary>
    internal long RefusedTotal => LimitCounts.RefusedSum(_counts);

    /// <summary>The key of a request; 0 where the limit does not count it.</summary>
    // Hot path: per request and limit. 0 allocations.
    internal ulong KeyOf(Exchange exchange)
    {
        var hash = new KeyHash(_secret);
        foreach (KeyPart part in _key)
        {
            if (!part.Add(ref hash, exchange) && Config.SkipIfMissing) return 0;
        }
        return hash.ToKey(); // never 0
    }

    internal void CountAllowed(int loop) => LimitCounts.Count(ref _counts[loop].Allowed);

    internal void CountRefused(int loop) => LimitCounts.Count(ref _counts[loop].Refused);
}
