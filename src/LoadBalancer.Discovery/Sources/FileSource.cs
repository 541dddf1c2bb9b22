using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery.Sources;

/// <summary>
/// A watched file. It is read whole at each look and compared: dates, sizes and file events miss what comes by rename, by the swap of a link above
/// it (Kubernetes), over a network, or twice in one tick of the clock; reading misses nothing, and a fleet is a few kilobytes.
/// </summary>
internal sealed class FileSource(string path, DestinationFileReader reader, TimeSpan interval) : IDestinationSource
{
    /// <summary>Largest file, in bytes: 4 MiB.</summary>
    internal const int BytesMax = 4 * 1024 * 1024;

    private byte[]? _lastBytes;
    private SourceReading? _lastReading;

    /// <inheritdoc/>
    public string Name => $"file {path}";

    /// <inheritdoc/>
    public Task<SourceReading> ReadAsync(CancellationToken token) => Task.Run(Read, token); // file systems block

    private SourceReading Read()
    {
        byte[] bytes;
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length > BytesMax) return Unknown($"is larger than {BytesMax} bytes");
            bytes = new byte[stream.Length];
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count < bytes.Length) bytes = bytes[..count]; // cut while it was read: half-written
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Unknown("does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return Unknown($"cannot be read: {e.Message.ReplaceLineEndings(" ")}");
        }
        if (_lastReading is not null && _lastBytes is not null && bytes.AsSpan().SequenceEqual(_lastBytes)) return _lastReading;
        IReadOnlyDictionary<string, DestinationConfig>? destinations = reader(bytes, path, out string problem);
        _lastBytes = bytes;
        return _lastReading = new SourceReading(destinations, interval, destinations is null ? problem : null);
    }

    private SourceReading Unknown(string problem)
    {
        _lastReading = null;
        return new SourceReading(null, interval, $"{path} {problem}");
    }
}
