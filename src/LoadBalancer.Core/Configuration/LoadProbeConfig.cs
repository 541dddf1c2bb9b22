namespace LoadBalancer.Core.Configuration;

/// <summary>
/// How destinations are asked for their load, for "prequal": three GET requests for each pick, to destinations drawn by chance, on kept connections and
/// beside the requests, which never wait for them. What they answer: <see cref="Probing.LoadReport"/>.
/// </summary>
public sealed record LoadProbeConfig
{
    /// <summary>Path, and query if any, of the request. Default "/load".</summary>
    public string Path { get; init; } = "/load";

    /// <summary>Host field of the request. Null (default): the cluster's fixed "host", else the destination's address.</summary>
    public string? Host { get; init; }

    /// <summary>Time for a whole probe, connect included. Default 500 ms; an answer is of use for a second.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Most probes under way at once on each loop; with so many, further ones are left out. Default 32.</summary>
    public int InFlightMax { get; init; } = 32;
}
