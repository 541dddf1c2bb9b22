using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks a configuration as a whole: ranges, addresses, patterns, cross references. Opens no socket and asks no DNS.</summary>
public static class ConfigValidator
{
    /// <summary>All problems; empty when the configuration can be run.</summary>
    public static IReadOnlyList<ConfigProblem> Validate(ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Validate(config, new CertificateStore(TlsTermination.UsesOpenSsl(config.Transport.Kind), TimeProvider.System), new AddressListStore(config, TimeProvider.System));
    }

    /// <summary>The same, with the files that are read kept for whoever uses them then.</summary>
    internal static IReadOnlyList<ConfigProblem> Validate(ProxyConfig config, CertificateStore certificates, AddressListStore addressLists)
    {
        var problems = new ProblemList();
        ListenerValidator.Validate(config, certificates, problems);
        AccessValidator.Validate(config, addressLists, problems);
        TcpValidator.Validate(config, problems);
        RouteValidator.Validate(config, problems);
        CacheValidator.Validate(config, problems);
        LimitValidator.Validate(config, problems);
        AccessLogValidator.Validate(config, problems);
        ObservationValidator.Validate(config, problems);
        PolicyValidator.Validate(config, problems);
        ClusterValidator.Validate(config, problems);
        AcmeValidator.Validate(config, problems);
        AdminValidator.Validate(config, problems);
        if (!Enum.IsDefined(config.Transport.Kind)) problems.Add("transport.kind", $"{(int)config.Transport.Kind} is no transport");
        problems.Range("transport", "loops", config.Transport.Loops, ConfigRanges.Loops);
        if (!string.IsNullOrEmpty(config.Zone)) problems.Name("zone", config.Zone, "zone");
        problems.Range("", "drainTimeout", config.DrainTimeout, ConfigRanges.DrainTimeout);
        return problems.Problems;
    }

    /// <summary>The problems of one destination, with paths from its own fields on ("address"); empty when it can be used.</summary>
    public static IReadOnlyList<ConfigProblem> Validate(DestinationConfig destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return ClusterValidator.ValidateDestination(destination);
    }
}
