using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of what keeps clients out.</summary>
internal static class AccessSpecs
{
    internal static readonly ObjectSpec<AddressListConfig> AddressList = new(
        "addressList", "Addresses under one name: those given here and those of a file together. A plain string is the only entry of \"addresses\".", () => new AddressListConfig(),
        new FieldSpec<AddressListConfig, IReadOnlyList<string>>("addresses", "Blocks and single addresses.",
            new TextListSpec(new TextSpec(examples: ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32"])), c => c.Addresses, (c, v) => c with { Addresses = v }) { OtherNames = ["cidrs", "ranges", "ips"] },
        new FieldSpec<AddressListConfig, string?>("file",
            "Text file with a block on each line; what stands behind \"#\" or \";\" does not count. Watched: a change is used within some seconds, what cannot be used is logged and changes nothing.",
            new TextSpec(examples: ["blocklist.txt"])!, c => c.File, (c, v) => c with { File = v }) { OtherNames = ["path"] })
    {
        FromText = text => new AddressListConfig { Addresses = [text] },
    };

    internal static readonly ObjectSpec<AccessConfig> Access = new(
        "access", "Which clients are let in by address, at accept and before TLS. Behind a PROXY header or a trusted proxy, the client that is named there. A plain string is the only entry of \"block\".",
        () => new AccessConfig(),
        new FieldSpec<AccessConfig, IReadOnlyList<string>>("allow", "Address lists of those who are let in; everybody else is kept out. None: everybody.",
            new TextListSpec(new TextSpec()), c => c.Allow, (c, v) => c with { Allow = v }) { OtherNames = ["whitelist", "allowlist", "only"] },
        new FieldSpec<AccessConfig, IReadOnlyList<string>>("block", "Address lists of those who are kept out, also where they are in \"allow\".",
            new TextListSpec(new TextSpec()), c => c.Block, (c, v) => c with { Block = v }) { OtherNames = ["deny", "blacklist", "blocklist"] },
        DryRun<AccessConfig>("Keep nobody out; records and the meter tell who would have been.", c => c.DryRun, (c, v) => c with { DryRun = v }))
    {
        FromText = text => new AccessConfig { Block = [text] },
    };

    internal static readonly ObjectSpec<PerSourceConfig> PerSource = new(
        "perSource", "What one source, an IPv4 address or a /64 of IPv6, may have of a listener. Behind a PROXY header, the client that is named there; connections of \"trustedProxies\" are not counted.",
        () => new PerSourceConfig(),
        new FieldSpec<PerSourceConfig, int>("connectionsMax", "Most open connections; further ones are reset at accept. 0 for no limit.",
            new CountSpec(ConfigRanges.PerSource), c => c.ConnectionsMax, (c, v) => c with { ConnectionsMax = v }) { OtherNames = ["connections", "maxconn"] },
        new FieldSpec<PerSourceConfig, int>("newConnectionsPerSecondMax", "Most new connections in a second; further ones are reset at accept. 0 for no limit.",
            new CountSpec(ConfigRanges.PerSource), c => c.NewConnectionsPerSecondMax, (c, v) => c with { NewConnectionsPerSecondMax = v }) { OtherNames = ["rate", "connectionRate"] },
        new FieldSpec<PerSourceConfig, int>("newConnectionsBurst", "How many new connections may come at once. 0: as many as in a second.",
            new CountSpec(ConfigRanges.PerSource), c => c.NewConnectionsBurst, (c, v) => c with { NewConnectionsBurst = v }) { OtherNames = ["burst"] },
        DryRun<PerSourceConfig>("Refuse nothing; records and the meter tell what would have been.", c => c.DryRun, (c, v) => c with { DryRun = v }));

    internal static readonly ObjectSpec<AutoBanConfig> AutoBan = new(
        "autoBan", "Bans who is refused too often by address lists, block rules or limits. Trusted peers and trusted proxies are never banned.", () => new AutoBanConfig(),
        new FieldSpec<AutoBanConfig, int>("refusals", "So many refusals lead to a ban.",
            new CountSpec(ConfigRanges.AutoBanRefusals), c => c.Refusals, (c, v) => c with { Refusals = v }) { IsRequired = true, OtherNames = ["max", "maxretry", "threshold"] },
        new FieldSpec<AutoBanConfig, TimeSpan>("within", "In this time.",
            new DurationSpec(ConfigRanges.AutoBanWithin), c => c.Within, (c, v) => c with { Within = v }) { OtherNames = ["window", "findtime", "interval"] },
        new FieldSpec<AutoBanConfig, TimeSpan>("for", "How long the ban lasts.",
            new DurationSpec(ConfigRanges.AutoBanFor), c => c.For, (c, v) => c with { For = v }) { OtherNames = ["duration", "bantime"] },
        new FieldSpec<AutoBanConfig, IReadOnlyList<string>>("ignore", "Address lists of those who are never banned.",
            new TextListSpec(new TextSpec()), c => c.Ignore, (c, v) => c with { Ignore = v }) { OtherNames = ["except", "ignoreip"] },
        DryRun<AutoBanConfig>("Ban nobody; the log, records and the meter tell who would be.", c => c.DryRun, (c, v) => c with { DryRun = v }));

    internal static readonly ObjectSpec<BlockRuleConfig> BlockRule = new(
        "blockRule", "Requests that are refused before a route is looked for: those for which every condition given holds. In patterns \"*\" is for any characters, or none; case does not count.",
        () => new BlockRuleConfig(),
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("listeners", "Listeners the rule applies to. Empty: all that serve HTTP.",
            new TextListSpec(new TextSpec()), c => c.Listeners, (c, v) => c with { Listeners = v }),
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("hosts", "Patterns of hosts, without port. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["old.example.com", "*.test"])), c => c.Hosts, (c, v) => c with { Hosts = v }) { OtherNames = ["host"] },
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("paths",
            "Patterns of paths, matched with the path that is forwarded, and with it decoded and with slashes merged. \"/a/**\" is for \"/a\" too. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["/wp-admin/**", "*.php"])), c => c.Paths, (c, v) => c with { Paths = v }) { OtherNames = ["path"] },
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("methods", "Case-sensitive. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["TRACE"])), c => c.Methods, (c, v) => c with { Methods = v }) { OtherNames = ["method"] },
        new FieldSpec<BlockRuleConfig, IReadOnlyDictionary<string, string>>("headers",
            "Patterns of header fields by name, all of which must match; \"*\" is for any value, \"\" for a field that is missing or empty.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Headers, (c, v) => c with { Headers = v }) { Secrecy = Secrecy.All, OtherNames = ["header"] },
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("userAgents", "Patterns of User-Agent; \"\" is for a request without one. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["*sqlmap*"])), c => c.UserAgents, (c, v) => c with { UserAgents = v }) { OtherNames = ["userAgent", "agents"] },
        new FieldSpec<BlockRuleConfig, IReadOnlyList<string>>("addresses", "Address lists that the client is in. Empty: any client.",
            new TextListSpec(new TextSpec()), c => c.Addresses, (c, v) => c with { Addresses = v }) { OtherNames = ["lists", "sources", "clients"] },
        new FieldSpec<BlockRuleConfig, int>("status", "Status of the answer.",
            new CountSpec(ConfigRanges.BlockStatus), c => c.Status, (c, v) => c with { Status = v }) { OtherNames = ["code"] },
        DryRun<BlockRuleConfig>("Refuse nothing; records and the meter tell what would have been.", c => c.DryRun, (c, v) => c with { DryRun = v }));

    private static FieldSpec<T, bool> DryRun<T>(string doc, Func<T, bool> get, Func<T, bool, T> set) => new("dryRun", doc, new FlagSpec(), get, set) { OtherNames = ["shadow", "logOnly"] };
}
