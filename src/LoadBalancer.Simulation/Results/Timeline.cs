namespace LoadBalancer.Simulation.Results;

/// <summary>Requests in flight at every server over time, as means of equal slices of the run.</summary>
public sealed class Timeline
{
    /// <summary>Slices over the expected length of a run.</summary>
    public const int Slices = 120;
    private readonly int _servers;
    private readonly double _sliceLength;
    private readonly long[] _inFlight;
    private readonly long[] _samples = new long[Slices];

    internal Timeline(int servers, double runLength)
    {
        _servers = servers;
        _sliceLength = Math.Max(1, runLength / Slices);
        _inFlight = new long[servers * Slices];
    }

    /// <summary>Length of a slice in nanoseconds.</summary>
    public double SliceLength => _sliceLength;

    /// <summary>Slices with samples in them.</summary>
    public int Count => Array.FindLastIndex(_samples, count => count > 0) + 1;

    /// <summary>Mean in flight at a server in a slice.</summary>
    public double this[int server, int slice] => _samples[slice] == 0 ? 0 : (double)_inFlight[slice * _servers + server] / _samples[slice];

    /// <summary>Slice of a time, and room in it for one sample of each server.</summary>
    internal Span<long> Sample(long time)
    {
        int slice = (int)Math.Min(Slices - 1, time / _sliceLength);
        _samples[slice]++;
        return _inFlight.AsSpan(slice * _servers, _servers);
    }
}
