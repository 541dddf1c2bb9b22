namespace LoadBalancer.Core.Configuration;

/// <summary>The pods behind a service of Kubernetes, as its EndpointSlices (discovery.k8s.io/v1) list them. They are connected to directly.</summary>
public sealed record KubernetesConfig
{
    /// <summary>Name of the service; a headless one will do.</summary>
    public required string Service { get; init; }

    /// <summary>Namespace of the service. Null (default): the service account's own, or that of the kubeconfig's context.</summary>
    public string? Namespace { get; init; }

    /// <summary>Name or number of the port of the pods. Null (default): the only one.</summary>
    public string? Port { get; init; }

    /// <summary>A kubeconfig file, whose current context is used. Null (default): the service account of the pod that the balancer runs in.</summary>
    public string? Kubeconfig { get; init; }
}
