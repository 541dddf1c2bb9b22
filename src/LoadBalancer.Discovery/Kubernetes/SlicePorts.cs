using System.Globalization;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Kubernetes;

/// <summary>
/// The port of the pods in each slice of a service: each has numbers of its own, as those of pods may differ under one name. A slice whose port can no longer be told, since the service has got
/// another one or has renamed it, keeps the number it had: that is no reason to send requests nowhere. Used by one task.
/// </summary>
/// <param name="port">Name or number, as the configuration has it; null for the only one there is.</param>
internal sealed class SlicePorts(string? port)
{
    private Dictionary<string, int> _before = [], _now = []; // by slice, of which there are no more than are kept

    /// <summary>The slices are gone through anew. Where none of the last time had a port (there was none, as while they are made anew), what was known before holds on.</summary>
    internal void Begin()
    {
        if (_now.Count > 0) _before = _now;
        _now = new Dictionary<string, int>(StringComparer.Ordinal);
    }

    /// <summary>The number of a slice's port; null where it cannot be told and never could.</summary>
    /// <param name="slice">One of the slices.</param>
    /// <param name="problem">Why it cannot be told, whatever it was before; else null.</param>
    internal int? Of(EndpointSlice slice, out string? problem)
    {
        int? number = Told(slice, out problem) ?? (_before.TryGetValue(slice.Name, out int own) ? own : OfOthers(slice));
        if (number is { } known) _now[slice.Name] = known;
        return number;
    }

    private int? Told(EndpointSlice slice, out string? problem)
    {
        problem = null;
        bool isNumber = RemoteSourceValidator.TryParsePort(port ?? "", out int number);
        if (isNumber && (slice.Ports.Count == 0 || slice.Ports.Any(one => one.Port is null || one.Port == number))) return number;
        SlicePort[] fitting = [.. slice.Ports.Where(one => one.Port is >= 1 and <= 65535 && (port is null || one.Name == port))];
        if (!isNumber && fitting.Length == 1) return fitting[0].Port;
        string known = string.Join(", ", slice.Ports.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name} {one.Port}").Trim()));
        problem = ApiException.Short(slice.Ports.Count == 0 ? "it names no port; set \"port\" to a number" : port is null ? $"it has several ports; set \"port\" to one of {known}" : $"it has no port {CharacterText.Quote(port)}; it has {known}");
        return null;
    }

    // A slice that is new, as Kubernetes makes them where ports change: that port of it which was in use before, where it is one.
    private int? OfOthers(EndpointSlice slice)
    {
        int[] before = [.. _before.Values.Distinct().Where(number => slice.Ports.Any(one => one.Port == number)).Take(2)];
        return before.Length == 1 ? before[0] : null;
    }
}
