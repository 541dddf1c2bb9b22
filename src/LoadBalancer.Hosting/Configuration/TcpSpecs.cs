using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="TcpConfig"/>.</summary>
internal static class TcpSpecs
{
    internal static readonly ObjectSpec<TcpConfig> Tcp = new(
        "tcp", "Forwarding of TCP connections as they are. A plain string is the \"cluster\".", () => new TcpConfig(),
        new FieldSpec<TcpConfig, string?>("cluster", "Cluster that gets the connections; with \"sni\", those that match none of its names. Left out, these are closed.",
            new TextSpec()!, c => c.Cluster, (c, v) => c with { Cluster = v }) { OtherNames = ["default", "to", "upstream", "backend"] },
        new FieldSpec<TcpConfig, IReadOnlyDictionary<string, string>>("sni",
            "TLS passed through: clusters by the name that a client asks for in its ClientHello, \"a.example.com\" or \"*.example.com\". Nothing is decrypted.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Sni, (c, v) => c with { Sni = v }) { OtherNames = ["names", "serverNames", "hosts"] },
        new FieldSpec<TcpConfig, TimeSpan>("helloTimeout", "From the accept to the end of the ClientHello, with \"sni\"; then the connection is closed.",
            new DurationSpec(ConfigRanges.HelloTimeout), c => c.HelloTimeout, (c, v) => c with { HelloTimeout = v }) { OtherNames = ["sniTimeout"] },
        new FieldSpec<TcpConfig, TimeSpan>("idleTimeout", "Longest silence, both ways, of a connection.",
            new DurationSpec(ConfigRanges.TcpIdleTimeout), c => c.IdleTimeout, (c, v) => c with { IdleTimeout = v }) { OtherNames = ["timeout", "proxy_timeout"] },
        new FieldSpec<TcpConfig, TimeSpan>("halfCloseTimeout", "The same once one side has ended, where less.",
            new DurationSpec(ConfigRanges.TcpIdleTimeout), c => c.HalfCloseTimeout, (c, v) => c with { HalfCloseTimeout = v }))
    {
        FromText = text => new TcpConfig { Cluster = text },
    };
}
