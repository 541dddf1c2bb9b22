using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptor of <see cref="DiscoverConfig"/>.</summary>
internal static class DiscoverSpecs
{
    internal static readonly ObjectSpec<EtcdConfig> Etcd = new(
        "etcd", "Keys of etcd (3.4 or later), each of which is a destination; watched.", () => new EtcdConfig { Endpoints = [], Prefix = "" },
        new FieldSpec<EtcdConfig, IReadOnlyList<string>>("endpoints", "\"host\" or \"host:port\" (2379): members of one etcd, asked in turn until one answers.",
            new TextListSpec(new TextSpec(examples: ["etcd.internal:2379"])), c => c.Endpoints, (c, v) => c with { Endpoints = v }) { IsRequired = true, OtherNames = ["endpoint", "address", "host", "hosts", "servers"] },
        new FieldSpec<EtcdConfig, string>("prefix", "What the keys begin with; what follows is the destination's name. The value is its address, or an object as a destination is configured.",
            new TextSpec(examples: ["/services/api/"]), c => c.Prefix, (c, v) => c with { Prefix = v }) { IsRequired = true, OtherNames = ["key", "path", "keyPrefix"] },
        new FieldSpec<EtcdConfig, string?>("user", "Who asks. Left out: nobody in particular.", new TextSpec()!, c => c.User, (c, v) => c with { User = v }) { OtherNames = ["username"] },
        new FieldSpec<EtcdConfig, string?>("password", "Password of the user. Keep it out of the file: \"${ETCD_PASSWORD}\" or \"@file:/path\".", new TextSpec(examples: ["${ETCD_PASSWORD}"])!, c => c.Password, (c, v) => c with { Password = v }) { Secrecy = Secrecy.All },
        new FieldSpec<EtcdConfig, UpstreamTlsConfig?>("tls", "TLS to etcd; true for the defaults. Left out: plain HTTP.",
            TlsSpecs.Upstream!, c => c.Tls, (c, v) => c with { Tls = v }) { OtherNames = ["ssl", "https"] });

    internal static readonly ObjectSpec<KubernetesConfig> Kubernetes = new(
        "kubernetes", "The pods behind a service of Kubernetes, as its EndpointSlices list them; watched.", () => new KubernetesConfig { Service = "" },
        new FieldSpec<KubernetesConfig, string>("service", "Name of the service; a headless one will do.",
            new TextSpec(examples: ["api"]), c => c.Service, (c, v) => c with { Service = v }) { IsRequired = true, OtherNames = ["name", "serviceName"] },
        new FieldSpec<KubernetesConfig, string?>("namespace", "Namespace of the service. Left out: the balancer's own, or that of the kubeconfig's context.",
            new TextSpec(examples: ["default"])!, c => c.Namespace, (c, v) => c with { Namespace = v }) { OtherNames = ["ns"] },
        new FieldSpec<KubernetesConfig, string?>("port", "Name or number of the pods' port. Left out: the only one.",
            new TextSpec(examples: ["http", "8080"])!, c => c.Port, (c, v) => c with { Port = v }) { OtherNames = ["targetPort", "portName"] },
        new FieldSpec<KubernetesConfig, string?>("kubeconfig", "Kubeconfig file, whose current context is used. Its path is relative to this file. Left out: the service account of the pod that the balancer runs in.",
            new TextSpec(examples: ["kubeconfig.yaml"])!, c => c.Kubeconfig, (c, v) => c with { Kubeconfig = v }) { OtherNames = ["config", "kubeConfig"] })
    {
        FromText = text => new KubernetesConfig { Service = text },
    };

    internal static readonly ObjectSpec<DiscoverConfig> Discover = new(
        "discover", "Where further destinations come from while running. A plain string is a \"dns\" name with its port.", () => new DiscoverConfig(),
        new FieldSpec<DiscoverConfig, string?>("dns", "\"name:port\": each address (A, AAAA) of the name is a destination.",
            new TextSpec(pattern: "^[^/]+:[0-9]{1,5}$", examples: ["api.internal:8080"])!, c => c.Dns, (c, v) => c with { Dns = v }) { OtherNames = ["a", "name", "hostname"] },
        new FieldSpec<DiscoverConfig, string?>("srv", "Name of SRV records: each address of their targets is a destination; priority becomes tier, weight weight.",
            new TextSpec(examples: ["_http._tcp.api.internal"])!, c => c.Srv, (c, v) => c with { Srv = v }) { OtherNames = ["service"] },
        new FieldSpec<DiscoverConfig, string?>("file", "A file, watched, with destinations as a map or a list. Its path is relative to this file.",
            new TextSpec(examples: ["fleet.json"])!, c => c.File, (c, v) => c with { File = v }) { OtherNames = ["path"] },
        new FieldSpec<DiscoverConfig, EtcdConfig?>("etcd", "Keys of etcd, each of which is a destination; watched.",
            Etcd!, c => c.Etcd, (c, v) => c with { Etcd = v }) { OtherNames = ["etcd3"] },
        new FieldSpec<DiscoverConfig, KubernetesConfig?>("kubernetes", "The pods behind a service of Kubernetes; watched. A plain string is its \"service\".",
            Kubernetes!, c => c.Kubernetes, (c, v) => c with { Kubernetes = v }) { OtherNames = ["k8s", "endpointSlices", "kube"] },
        new FieldSpec<DiscoverConfig, string?>("resolver", "Name server to ask, and nobody else. Left out: hosts file, name servers and search domains of the system.",
            new TextSpec(examples: ["10.0.0.2:53"])!, c => c.Resolver, (c, v) => c with { Resolver = v }) { OtherNames = ["nameserver", "server", "nameservers"] },
        new FieldSpec<DiscoverConfig, TimeSpan>("intervalMin", "Shortest time between look-ups, whatever the TTL, or between looks at the file; of etcd and Kubernetes, to the first further attempt after one that failed.",
            new DurationSpec(ConfigRanges.DiscoverInterval), c => c.IntervalMin, (c, v) => c with { IntervalMin = v }) { OtherNames = ["ttlMin", "interval"] },
        new FieldSpec<DiscoverConfig, TimeSpan>("intervalMax", "Longest time between look-ups, whatever the TTL; of etcd and Kubernetes, between attempts that fail. After so long without a word of etcd's watch everything is read again.",
            new DurationSpec(ConfigRanges.DiscoverInterval), c => c.IntervalMax, (c, v) => c with { IntervalMax = v }) { OtherNames = ["ttlMax"] },
        new FieldSpec<DiscoverConfig, int>("tier", "Tier of what DNS or Kubernetes finds; of SRV records, that of the best priority; of etcd, where a value says none.",
            new CountSpec(ConfigRanges.Tier), c => c.Tier, (c, v) => c with { Tier = v }) { OtherNames = ["priority", "backup"] },
        new FieldSpec<DiscoverConfig, int>("requestsMax", "Most requests at once for each destination that DNS or Kubernetes finds; of etcd, where a value says none. 0 for no limit.",
            new CountSpec(ConfigRanges.RequestsMax), c => c.RequestsMax, (c, v) => c with { RequestsMax = v }) { OtherNames = ["maxconn", "maxConns", "maxRequests"] })
    {
        FromText = text => new DiscoverConfig { Dns = text },
        ExactlyOneOf = ["dns", "srv", "file", "etcd", "kubernetes"],
    };
}
