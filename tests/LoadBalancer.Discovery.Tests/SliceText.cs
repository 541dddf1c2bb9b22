namespace LoadBalancer.Discovery.Tests;

/// <summary>EndpointSlices in the form in which the API server of Kubernetes writes them.</summary>
internal static class SliceText
{
    internal const string HttpPort = """{"name":"http","protocol":"TCP","port":8080}""", Conditions = "\"ready\":true,\"serving\":true,\"terminating\":false";

    internal static string List(string version, string next, params string[] slices) =>
        $$$"""{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"{{{version}}}"{{{(next.Length > 0 ? $",\"continue\":\"{next}\",\"remainingItemCount\":1" : "")}}}},"items":[{{{string.Join(',', slices)}}}]}""";

    internal static string Event(string type, string slice) => $$"""{"type":"{{type}}","object":{{slice}}}""";

    internal static string Slice(string name, string version, params string[] endpoints) => Slice(name, version, "IPv4", [HttpPort], endpoints);

    internal static string Slice(string name, string version, string kind, string[] ports, string[] endpoints) => $$"""
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"{{name}}","generateName":"api-","namespace":"shop","uid":"6a8f1c52-0f0c-4d0e-9e0f-2a9c1b1f7c11","resourceVersion":"{{version}}","generation":3,"creationTimestamp":"2026-11-20T08:15:30Z","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"api"},"ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"api","uid":"0b6d2f3e-35c7-4a52-8d0a-77a3d1d2c9f4","controller":true,"blockOwnerDeletion":true}]},"addressType":"{{kind}}","endpoints":[{{string.Join(',', endpoints)}}],"ports":[{{string.Join(',', ports)}}]}
        """.Trim();

    internal static string Pod(string name, string address, string conditions = Conditions, string? zone = null) => $$$"""
        {"addresses":["{{{address}}}"],"conditions":{{{{conditions}}}},"targetRef":{"kind":"Pod","namespace":"shop","name":"{{{name}}}","uid":"uid-{{{name}}}"},"nodeName":"node-1"{{{(zone is null ? "" : $",\"zone\":\"{zone}\"")}}}}
        """.Trim();
}
