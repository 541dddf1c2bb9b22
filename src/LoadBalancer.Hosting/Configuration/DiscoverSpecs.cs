using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptor of <see cref="DiscoverConfig"/>.</summary>
internal static class DiscoverSpecs
{
    internal static readonly ObjectSpec<DiscoverConfig> Discover = new(
        "discover", "Where further destinations come from while running. A plain string is a \"dns\" name with its port.", () => new DiscoverConfig(),
        new FieldSpec<DiscoverConfig, string?>("dns", "\"name:port\": each address (A, AAAA) of the name is a destination.",
            new TextSpec(pattern: "^[^/]+:[0-9]{1,5}$", examples: ["api.internal:8080"])!, c => c.Dns, (c, v) => c with { Dns = v }) { OtherNames = ["a", "name", "hostname"] },
        new FieldSpec<DiscoverConfig, string?>("srv", "Name of SRV records: each address of their targets is a destination; priority becomes tier, weight weight.",
            new TextSpec(examples: ["_http._tcp.api.internal"])!, c => c.Srv, (c, v) => c with { Srv = v }) { OtherNames = ["service"] },
        new FieldSpec<DiscoverConfig, string?>("file", "A file, watched, with destinations as a map or a list. Its path is relative to this file.",
            new TextSpec(examples: ["fleet.json"])!, c => c.File, (c, v) => c with { File = v }) { OtherNames = ["path"] },
        new FieldSpec<DiscoverConfig, string?>("resolver", "Name server to ask, and nobody else. Left out: hosts file, name servers and search domains of the system.",
            new TextSpec(examples: ["10.0.0.2:53"])!, c => c.Resolver, (c, v) => c with { Resolver = v }) { OtherNames = ["nameserver", "server", "nameservers"] },
        new FieldSpec<DiscoverConfig, TimeSpan>("intervalMin", "Shortest time between look-ups, whatever the TTL, or between looks at the file.",
            new DurationSpec(ConfigRanges.DiscoverInterval), c => c.IntervalMin, (c, v) => c with { IntervalMin = v }) { OtherNames = ["ttlMin", "interval"] },
        new FieldSpec<DiscoverConfig, TimeSpan>("intervalMax", "Longest time between look-ups, whatever the TTL.",
            new DurationSpec(ConfigRanges.DiscoverInterval), c => c.IntervalMax, (c, v) => c with { IntervalMax = v }) { OtherNames = ["ttlMax"] },
        new FieldSpec<DiscoverConfig, int>("tier", "Tier of what DNS finds; of SRV records, that of the best priority.",
            new CountSpec(ConfigRanges.Tier), c => c.Tier, (c, v) => c with { Tier = v }) { OtherNames = ["priority", "backup"] },
        new FieldSpec<DiscoverConfig, int>("requestsMax", "Most requests at once for each destination that DNS finds. 0 for no limit.",
            new CountSpec(ConfigRanges.RequestsMax), c => c.RequestsMax, (c, v) => c with { RequestsMax = v }) { OtherNames = ["maxconn", "maxConns", "maxRequests"] })
    {
        FromText = text => new DiscoverConfig { Dns = text },
        ExactlyOneOf = ["dns", "srv", "file"],
    };
}
