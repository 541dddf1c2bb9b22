using System.Buffers.Binary;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// Whether the first bytes of a connection are the hello of a certification authority that validates a name (RFC 8737 §3): it offers acme-tls/1 and nothing
/// else, and asks for a name. Only looked at while such a challenge is pending.
/// </summary>
internal static class ChallengeHello
{
    /// <summary>Longest hello that is looked at; longer ones are nobody's challenge.</summary>
    internal const int BytesMax = 16 * 1024;

    private const int RecordHeader = 5, MessageHeader = 4;
    private const byte HandshakeRecord = 22, HelloMessage = 1; // RFC 8446 §5.1, §4

    // A list of 11 bytes with one name of 10.
    private static ReadOnlySpan<byte> OnlyAcme => [0, 11, 10, (byte)'a', (byte)'c', (byte)'m', (byte)'e', (byte)'-', (byte)'t', (byte)'l', (byte)'s', (byte)'/', (byte)'1'];

    /// <summary>Reads on where it returns false: more bytes are needed. Else <paramref name="name"/> is the name asked for, or null where this is another hello.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out string? name)
    {
        name = null;
        if (bytes.IsEmpty) return false;
        if (bytes[0] != HandshakeRecord) return true;
        if (bytes.Length < RecordHeader + MessageHeader) return false;
        // A hello in several records is none of an authority's: it is a few hundred bytes long.
        int recordLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        int length = (bytes[RecordHeader + 1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[(RecordHeader + 2)..]);
        if (bytes[RecordHeader] != HelloMessage || length > BytesMax || length + MessageHeader > recordLength) return true;
        if (bytes.Length < RecordHeader + MessageHeader + length) return false;
        name = Read(bytes.Slice(RecordHeader + MessageHeader, length));
        return true;
    }

    private static string? Read(ReadOnlySpan<byte> hello) =>
        ClientHello.TryRead(hello, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> protocols) && protocols.SequenceEqual(OnlyAcme) && !name.IsEmpty && System.Text.Ascii.IsValid(name)
            ? System.Text.Encoding.ASCII.GetString(name) : null;
}
