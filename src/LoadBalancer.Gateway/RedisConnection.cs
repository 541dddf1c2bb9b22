using LoadBalancer.Core.Configuration;
using LoadBalancer.Redis;

namespace LoadBalancer.Gateway;

/// <summary>How the configuration's Redis is reached.</summary>
internal static class RedisConnection
{
    internal static RedisOptions OptionsOf(RedisConfig config) => new()
    {
        Endpoints = config.Endpoints,
        Secret = config.Secret,
        User = config.User,
        Password = config.Password,
        Database = config.Database,
        Tls = config.Tls,
        TlsName = config.TlsName,
        TlsAuthority = config.Ca,
        KeyPrefix = config.KeyPrefix,
        SyncInterval = config.SyncInterval,
        Timeout = config.Timeout,
    };
}
