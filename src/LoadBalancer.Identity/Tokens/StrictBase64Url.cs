using System.Buffers;
using System.Buffers.Text;

namespace LoadBalancer.Identity.Tokens;

/// <summary>
/// Base64url as RFC 7515 §2 has it: no padding, no white space, nothing else. And canonical: bits that no byte takes are 0 (RFC 4648 §3.5), else one token could be written
/// in several ways, each of which a cache or revocation list would take for another.
/// </summary>
public static class StrictBase64Url
{
    private static readonly SearchValues<byte> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    /// <summary>Decodes; false when it is not base64url in this sense. Empty text gives no bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        bytes = [];
        if (text.IsEmpty) return true;
        int rest = text.Length & 3;
        if (rest == 1 || text.ContainsAnyExcept(Alphabet)) return false;
        if (rest != 0 && (Value(text[^1]) & (rest == 2 ? 0x0F : 0x03)) != 0) return false;
        bytes = new byte[text.Length / 4 * 3 + (rest == 0 ? 0 : rest - 1)];
        return Base64Url.TryDecodeFromUtf8(text, bytes, out int written) && written == bytes.Length;
    }

    /// <summary>Encodes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static int Value(byte c) => c switch
    {
        >= (byte)'A' and <= (byte)'Z' => c - 'A',
        >= (byte)'a' and <= (byte)'z' => c - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => c - '0' + 52,
        (byte)'-' => 62,
        _ => 63,
    };
}
