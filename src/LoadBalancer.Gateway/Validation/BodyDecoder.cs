using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace LoadBalancer.Gateway.Validation;

/// <summary>What came of decoding.</summary>
internal enum DecodeResult : byte
{
    Decoded,
    /// <summary>A coding that is not known here, or several on top of each other.</summary>
    Unknown,
    TooLarge,
    Broken,
}

/// <summary>Decodes compressed bodies (RFC 9110 §8.4.1), up to a bound: a few bytes may stand for gigabytes.</summary>
internal static class BodyDecoder
{
    /// <summary>Codings that can be decoded, as Accept-Encoding says them.</summary>
    internal const string Known = "gzip, deflate, br";

    internal static bool IsPlain(ReadOnlySpan<byte> coding) => coding.IsEmpty || Ascii.EqualsIgnoreCase(coding, "identity"u8);

    internal static bool IsKnown(ReadOnlySpan<byte> coding) =>
        Ascii.EqualsIgnoreCase(coding, "gzip"u8) || Ascii.EqualsIgnoreCase(coding, "x-gzip"u8) || Ascii.EqualsIgnoreCase(coding, "deflate"u8) || Ascii.EqualsIgnoreCase(coding, "br"u8);

    internal static DecodeResult Decode(ReadOnlySpan<byte> coding, ReadOnlyMemory<byte> body, int bytesMax, out ReadOnlyMemory<byte> decoded)
    {
        decoded = default;
        using Stream? decoder = Open(coding, body);
        if (decoder is null) return DecodeResult.Unknown;
        using var output = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            for (int count; (count = decoder.Read(buffer)) > 0;)
            {
                if (output.Length + count > bytesMax) return DecodeResult.TooLarge;
                output.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException or InvalidOperationException)
        {
            return DecodeResult.Broken;
        }
        decoded = output.GetBuffer().AsMemory(0, (int)output.Length);
        return DecodeResult.Decoded;
    }

    private static Stream? Open(ReadOnlySpan<byte> coding, ReadOnlyMemory<byte> body)
    {
        if (Ascii.EqualsIgnoreCase(coding, "gzip"u8) || Ascii.EqualsIgnoreCase(coding, "x-gzip"u8)) return new GZipStream(Read(body), CompressionMode.Decompress);
        if (Ascii.EqualsIgnoreCase(coding, "br"u8)) return new BrotliStream(Read(body), CompressionMode.Decompress);
        if (!Ascii.EqualsIgnoreCase(coding, "deflate"u8)) return null;
        // RFC 9110 §8.4.1.2: it is the zlib format, though some send the bare one. The header of zlib is a multiple of 31.
        ReadOnlySpan<byte> bytes = body.Span;
        bool isZlib = bytes.Length >= 2 && (bytes[0] & 15) == 8 && (bytes[0] << 8 | bytes[1]) % 31 == 0;
        return isZlib ? new ZLibStream(Read(body), CompressionMode.Decompress) : new DeflateStream(Read(body), CompressionMode.Decompress);
    }

    private static MemoryStream Read(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out ArraySegment<byte> segment) ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false) : new MemoryStream(body.ToArray(), writable: false);
}
