using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="ProxyProtocolConfig"/>.</summary>
internal static class ProxyProtocolSpecs
{
    internal static readonly ObjectSpec<ProxyProtocolConfig> ProxyProtocol = new(
        "proxyProtocol", "PROXY headers, versions 1 and 2, of proxies before this one.", () => new ProxyProtocolConfig(),
        new FieldSpec<ProxyProtocolConfig, IReadOnlyList<string>>("trustedPeers",
            "Peers (CIDR) whose header is believed. Empty on a Unix socket, where the permissions of its file decide.",
            new TextListSpec(new TextSpec(examples: ["10.0.0.0/8", "fd00::/8"])), c => c.TrustedPeers, (c, v) => c with { TrustedPeers = v }) { OtherNames = ["trustedIPs", "trustedProxies", "from"] },
        new FieldSpec<ProxyProtocolConfig, ProxyProtocolMode>("mode",
            "\"required\": every connection has one, others are closed; \"from-trusted\": those of trusted peers have, others are served as they are; \"optional\": trusted peers may leave it out, and their clients can then forge it.",
            new ChoiceSpec<ProxyProtocolMode>(("required", ProxyProtocolMode.Required), ("from-trusted", ProxyProtocolMode.FromTrusted), ("optional", ProxyProtocolMode.Optional)),
            c => c.Mode, (c, v) => c with { Mode = v }),
        new FieldSpec<ProxyProtocolConfig, TimeSpan>("timeout", "From the accept to the end of the header; then the connection is closed.",
            new DurationSpec(ConfigRanges.ProxyHeaderTimeout), c => c.Timeout, (c, v) => c with { Timeout = v }))
    {
        FromText = text => new ProxyProtocolConfig { TrustedPeers = [text] },
    };
}
