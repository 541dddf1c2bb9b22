namespace LoadBalancer.Core.AccessLog;

/// <summary>What a cache had to do with a request. Names are stable: they stand in logs, metrics and tests.</summary>
public enum CacheOutcome : byte
{
    /// <summary>The route has no cache.</summary>
    None,
    /// <summary>Answered from the cache.</summary>
    Hit,
    /// <summary>Answered from the cache with a stale response, while a new one is being fetched.</summary>
    Stale,
    /// <summary>Answered from the cache with a stale response, as the destination failed.</summary>
    StaleIfError,
    /// <summary>Answered from the cache after the destination has said that the response is still good.</summary>
    Revalidated,
    /// <summary>Answered by the destination: nothing that could be used was stored.</summary>
    Miss,
    /// <summary>Answered by the destination: what was stored is not good any more.</summary>
    Expired,
    /// <summary>Answered by the destination: a request that the cache does not answer.</summary>
    Bypass,
}
