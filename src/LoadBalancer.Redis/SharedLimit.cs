using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Redis;

/// <summary>A limit that all nodes share which know it by the same name.</summary>
public sealed class SharedLimit
{
    /// <param name="name">The same on all nodes.</param>
    /// <param name="bucket">What this node decides by; its <see cref="TokenBucket.Taken"/> is noted, and its keys are made under a secret of <see cref="RedisOptions.Secret"/>.</param>
    public SharedLimit(string name, TokenBucket bucket)
    {
        Name = name;
        Bucket = bucket;
        Taken = bucket.Taken ?? throw new ArgumentException("what the bucket gives is not noted", nameof(bucket));
    }

    /// <summary>The same on all nodes.</summary>
    public string Name { get; }

    internal TokenBucket Bucket { get; }

    internal TakenCosts Taken { get; }

    /// <summary>What <see cref="TakenCosts.OverflowTotal"/> was when it was looked at last.</summary>
    internal long OverflowSeen { get; set; }
}
