using System.Globalization;
using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Kubernetes;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Sources;

/// <summary>The pods of a service that are ready are destinations, by the names of the pods. With none ready, those that are about to end and still answer.</summary>
internal sealed class KubernetesSource(KubernetesConfig config, DiscoverConfig discover, PodEnvironment pod, TimeProvider time, Random random) : IDestinationSource
{
    private readonly SliceWatch _watch = new(config, pod, time, random);
    private readonly SlicePorts _ports = new(config.Port);

    /// <inheritdoc/>
    public string Name => $"kubernetes {(config.Namespace is { } space ? $"{space}/" : "")}{config.Service}";

    /// <inheritdoc/>
    public bool IsWatched => true;

    /// <inheritdoc/>
    public async Task<SourceReading> ReadAsync(CancellationToken token)
    {
        bool isNew;
        try
        {
            isNew = await _watch.NextAsync(token).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            return new SourceReading(null, default, e.Message);
        }
        Dictionary<string, DestinationConfig> destinations = Destinations(_watch.Slices.Values, _ports, discover, out string? problem);
        if (_watch.Slices.Count == 0) problem = $"there is no EndpointSlice of a service {CharacterText.Quote(config.Service)} in the namespace {CharacterText.Quote(_watch.Namespace)}";
        // A watch that ends at once, whatever the reason, may not have us begin the next at once too.
        return new SourceReading(destinations, isNew ? EtcdSource.Gathering : discover.IntervalMin, problem) { IsAnswered = true };
    }

    /// <summary>The destinations that the slices of a service make.</summary>
    internal static Dictionary<string, DestinationConfig> Destinations(IEnumerable<EndpointSlice> slices, SlicePorts ports, DiscoverConfig discover, out string? problem)
    {
        problem = null;
        ports.Begin();
        var found = new List<(SliceEndpoint Endpoint, AddressKind Kind, int Port)>();
        foreach (EndpointSlice slice in slices.OrderBy(slice => slice.Name, StringComparer.Ordinal))
        {
            if (ports.Of(slice, out string? wrong) is { } number) found.AddRange(slice.Endpoints.Where(endpoint => endpoint.Readiness != Readiness.No).Select(endpoint => (endpoint, slice.Kind, number)));
            if (wrong is not null && slice.Endpoints.Count > 0) problem ??= $"EndpointSlice {ApiException.Short(slice.Name)}: {wrong}";
        }
        bool isAnyReady = found.Exists(one => one.Endpoint.Readiness == Readiness.Ready);
        var destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        // A pod with addresses of both kinds stands in slices of both; and in two slices for a moment, when it moves from one to the other.
        foreach (var pods in found.Where(one => !isAnyReady || one.Endpoint.Readiness == Readiness.Ready).GroupBy(one => one.Endpoint.Uid ?? one.Endpoint.Address, StringComparer.Ordinal))
        {
            (SliceEndpoint endpoint, AddressKind kind, int number) = pods.MinBy(one => one.Kind);
            if (!TryFormat(endpoint.Address, kind, number, out string address))
            {
                problem ??= $"{CharacterText.Quote(ApiException.Short(endpoint.Address))} is no address";
                continue;
            }
            var destination = new DestinationConfig { Address = address, Tier = discover.Tier, RequestsMax = discover.RequestsMax, Zone = endpoint.Zone };
            if (ConfigValidator.Validate(destination) is [{ } first, ..]) problem ??= $"{CharacterText.Quote(address)}: {first.Message}";
            else if (endpoint.Pod is not { } name || !DestinationName.IsValid(name) || !destinations.TryAdd(name, destination)) destinations.TryAdd(address, destination);
        }
        return destinations;
    }

    private static bool TryFormat(string address, AddressKind kind, int port, out string text)
    {
        text = kind == AddressKind.Name ? string.Create(CultureInfo.InvariantCulture, $"{address}:{port}") : IPAddress.TryParse(address, out IPAddress? parsed) ? new IPEndPoint(parsed, port).ToString() : "";
        return text.Length > 0 && (kind != AddressKind.Name || HostName.IsValid(address));
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();
}
