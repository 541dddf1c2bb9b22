using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptor of <see cref="RedisConfig"/>.</summary>
internal static class RedisSpecs
{
    internal static readonly ObjectSpec<RedisConfig> Redis = new(
        "redis", "The Redis by which several balancers share the limits that are \"shared\". No request waits for it; while it is away each limits alone.", () => new RedisConfig { Endpoints = [], Secret = "" },
        new FieldSpec<RedisConfig, IReadOnlyList<string>>("endpoints", "\"host\" or \"host:port\" (6379), several for a cluster or for replicas of one primary.",
            new TextListSpec(new TextSpec(examples: ["redis.internal:6379"])), c => c.Endpoints, (c, v) => c with { Endpoints = v }) { IsRequired = true, OtherNames = ["endpoint", "address", "host", "hosts", "servers"] },
        new FieldSpec<RedisConfig, string>("secret", "What all balancers know and nobody else, 16 characters or more: keys stand in Redis hashed under it. Keep it out of the file: \"${LB_REDIS_SECRET}\" or \"@file:/path\".",
            new TextSpec(examples: ["${LB_REDIS_SECRET}"]), c => c.Secret, (c, v) => c with { Secret = v }) { Secrecy = Secrecy.All, IsRequired = true },
        new FieldSpec<RedisConfig, string?>("user", "User of Redis' access lists. Left out: \"default\".", new TextSpec()!, c => c.User, (c, v) => c with { User = v }) { OtherNames = ["username"] },
        new FieldSpec<RedisConfig, string?>("password", "Left out: none is asked for.", new TextSpec(examples: ["${REDIS_PASSWORD}"])!, c => c.Password, (c, v) => c with { Password = v }) { Secrecy = Secrecy.All },
        new FieldSpec<RedisConfig, int>("database", "Number of the database.", new CountSpec(ConfigRanges.RedisDatabase), c => c.Database, (c, v) => c with { Database = v }) { OtherNames = ["db"] },
        new FieldSpec<RedisConfig, bool>("tls", "Whether to speak TLS.", new FlagSpec(), c => c.Tls, (c, v) => c with { Tls = v }) { OtherNames = ["ssl"] },
        new FieldSpec<RedisConfig, string?>("tlsName", "Name that the certificate must have. Left out: the endpoint's.", new TextSpec()!, c => c.TlsName, (c, v) => c with { TlsName = v }),
        new FieldSpec<RedisConfig, string?>("ca", "PEM file of the authority that the certificate must come from. Left out: those of the system.", new TextSpec(examples: ["ca.pem"])!, c => c.Ca, (c, v) => c with { Ca = v }),
        new FieldSpec<RedisConfig, string>("keyPrefix", "What the names of the keys in Redis begin with.", new TextSpec(), c => c.KeyPrefix, (c, v) => c with { KeyPrefix = v }) { OtherNames = ["prefix"] },
        new FieldSpec<RedisConfig, TimeSpan>("syncInterval", "How often balancers tell each other what they have let through.",
            new DurationSpec(ConfigRanges.RedisTime), c => c.SyncInterval, (c, v) => c with { SyncInterval = v }) { OtherNames = ["interval"] },
        new FieldSpec<RedisConfig, TimeSpan>("timeout", "How long an answer may take before Redis counts as away, and each limits alone.",
            new DurationSpec(ConfigRanges.RedisTime), c => c.Timeout, (c, v) => c with { Timeout = v }));
}
