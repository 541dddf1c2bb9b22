using System.Text.Json;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Kubernetes;

/// <summary>What an EndpointSlice (discovery.k8s.io/v1) says that matters here.</summary>
internal sealed record EndpointSlice(string Name, AddressKind Kind, IReadOnlyList<SliceEndpoint> Endpoints, IReadOnlyList<SlicePort> Ports)
{
    // The API allows 1,000 endpoints and 100 ports.
    private const int EndpointsMax = 1000, PortsMax = 100;

    /// <summary>Reads one; null for what is none.</summary>
    internal static EndpointSlice? Read(JsonElement item)
    {
        if (item.Member("metadata")?.Text("name") is not { } name) return null;
        AddressKind? kind = item.Text("addressType") switch { "IPv4" => AddressKind.V4, "IPv6" => AddressKind.V6, "FQDN" => AddressKind.Name, _ => null };
        if (kind is null) return null;
        return new EndpointSlice(name, kind.Value, [.. item.Items("endpoints").Take(EndpointsMax).Select(SliceEndpoint.Read).OfType<SliceEndpoint>()],
            [.. item.Items("ports").Take(PortsMax).Where(port => port.Text("protocol") is null or "TCP").Select(port => new SlicePort(port.Text("name") ?? "", (int?)port.Number("port")))]);
    }
}

/// <summary>In the order in which one is taken where a pod has several.</summary>
internal enum AddressKind
{
    V4,
    V6,
    Name,
}

/// <summary>A port of the pods; without a number: all ports.</summary>
internal sealed record SlicePort(string Name, int? Port);

/// <summary>One address.</summary>
/// <param name="Address">Of several in one endpoint the first, as kube-proxy takes it: they are of one pod.</param>
/// <param name="Readiness">Whether it gets requests.</param>
/// <param name="Zone">Null where it is not known.</param>
/// <param name="Pod">Name of the pod; null where it is none.</param>
/// <param name="Uid">What tells the pod from any other; null where it is none.</param>
internal sealed record SliceEndpoint(string Address, Readiness Readiness, string? Zone, string? Pod, string? Uid)
{
    internal static SliceEndpoint? Read(JsonElement endpoint)
    {
        if (endpoint.Items("addresses").FirstOrDefault() is not { ValueKind: JsonValueKind.String } address) return null;
        JsonElement conditions = endpoint.Member("conditions") ?? default, target = endpoint.Member("targetRef") ?? default;
        // What is not said counts, says the API, as ready, as serving if ready, and as not terminating.
        bool isReady = conditions.Flag("ready") ?? true, isServing = conditions.Flag("serving") ?? isReady, isTerminating = conditions.Flag("terminating") ?? false;
        Readiness readiness = isReady && !isTerminating ? Readiness.Ready : isServing && isTerminating ? Readiness.Leaving : Readiness.No;
        bool isPod = target.Text("kind") == "Pod";
        return new SliceEndpoint(address.GetString()!, readiness, endpoint.Text("zone"), isPod ? target.Text("name") : null, isPod ? target.Text("uid") : null);
    }
}

/// <summary>Whether a pod gets requests.</summary>
internal enum Readiness
{
    No,
    /// <summary>It is about to end and still answers: better than nobody (KEP-1669).</summary>
    Leaving,
    Ready,
}
