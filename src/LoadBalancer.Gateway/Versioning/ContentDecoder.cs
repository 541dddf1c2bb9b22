using System.IO.Compression;
using System.Runtime.InteropServices;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>Undoes Content-Encoding (RFC 9110 §8.4) within a bound: what expands to more is refused when the bound is reached, not after.</summary>
internal static class ContentDecoder
{
    private const int CodingsMax = 2;

    /// <summary>Decodes a whole body.</summary>
    /// <param name="body">As it was sent.</param>
    /// <param name="codings">The value of Content-Encoding, in the order in which they were applied.</param>
    /// <param name="bytesMax">Longest result, of each coding.</param>
    /// <param name="decoded">The result.</param>
    internal static DecodeStatus Decode(ReadOnlyMemory<byte> body, string codings, int bytesMax, out ReadOnlyMemory<byte> decoded)
    {
        decoded = body;
        string[] names = codings.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length > CodingsMax) return DecodeStatus.Unknown;
        for (int i = names.Length - 1; i >= 0; i--)
        {
            if (names[i].Equals("identity", StringComparison.OrdinalIgnoreCase)) continue;
            DecodeStatus status = DecodeOne(decoded, names[i], bytesMax, out decoded);
            if (status != DecodeStatus.Done) return status;
        }
        return DecodeStatus.Done;
    }

    private static DecodeStatus DecodeOne(ReadOnlyMemory<byte> body, string name, int bytesMax, out ReadOnlyMemory<byte> decoded)
    {
        decoded = default;
        ArraySegment<byte> bytes = MemoryMarshal.TryGetArray(body, out ArraySegment<byte> segment) ? segment : body.ToArray();
        using var source = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        using Stream? decoder = name.ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => new GZipStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => null,
        };
        if (decoder is null) return DecodeStatus.Unknown;
        try
        {
            byte[] output = new byte[Math.Clamp(body.Length * 4, 1024, bytesMax + 1)];
            int length = 0;
            for (int read; (read = decoder.Read(output, length, output.Length - length)) > 0;)
            {
                length += read;
                if (length > bytesMax) return DecodeStatus.TooLong;
                if (length == output.Length) Array.Resize(ref output, (int)Math.Min(output.Length * 2L, bytesMax + 1L));
            }
            // An end that has not come is no end: the streams of .NET take a stream that was cut before its first byte for an empty one.
            if (length == 0 && body.Length > 0 && body.Length < 3) return DecodeStatus.Malformed;
            decoded = output.AsMemory(0, length);
            return DecodeStatus.Done;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or InvalidOperationException)
        {
            return DecodeStatus.Malformed;
        }
    }
}

/// <summary>What became of a body.</summary>
internal enum DecodeStatus : byte
{
    Done,
    /// <summary>A coding that is not known here.</summary>
    Unknown,
    /// <summary>It is not what its coding says.</summary>
    Malformed,
    /// <summary>It is longer than allowed.</summary>
    TooLong,
}
