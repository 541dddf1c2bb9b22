using System.Buffers.Binary;

namespace LoadBalancer.Core.Tls;

/// <summary>What is known of the beginning of a connection.</summary>
internal enum ClientHelloStatus : byte
{
    NeedMore,
    Complete,
    /// <summary>Not TLS, or nothing that a TLS client may begin with.</summary>
    Malformed,
}

/// <summary>
/// Finds the name of the server in a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2), in however many segments and records it comes. Reads only: the bytes
/// stay where they are, to be passed on. Lengths are strict: what a server behind would not take is not guessed at here. Owner: one connection.
/// </summary>
internal struct ClientHello
{
    /// <summary>Longest name looked at: RFC 1035 §2.3.4.</summary>
    internal const int NameLengthMax = 255;

    /// <summary>Longest hello. Real ones have a few hundred bytes, up to 2 KiB with post-quantum keys.</summary>
    internal const int LengthMax = 16 * 1024;

    private const int RecordHeader = 5, MessageHeader = 4, RecordLengthMax = 1 << 14;
    private const byte HandshakeRecord = 22, ClientHelloMessage = 1;
    private const ushort ServerNameExtension = 0, AlpnExtension = 16; // RFC 6066 §3, RFC 7301 §3.1

    private int _recordAt;  // the first record that is not whole yet
    private int _collected; // bytes of the message in the records before it
    private int _records;
    private int _length;    // of the message; 0 until known

    /// <summary>Looks at the bytes received so far, from the connection's first on. Called again with more after <see cref="ClientHelloStatus.NeedMore"/>; what was seen is not gone through again.</summary>
    /// <param name="bytes">All bytes so far.</param>
    /// <param name="room">For the message where it comes in several records: <see cref="LengthMax"/> bytes.</param>
    /// <param name="name">The name; empty where the client names none. Points into <paramref name="bytes"/> or <paramref name="room"/>.</param>
    internal ClientHelloStatus Parse(ReadOnlySpan<byte> bytes, Span<byte> room, out ReadOnlySpan<byte> name)
    {
        name = default;
        while (true)
        {
            ReadOnlySpan<byte> record = bytes[_recordAt..];
            // Looked at byte for byte, so that who speaks something else is not waited for.
            if (record.Length > 0 && record[0] != HandshakeRecord) return ClientHelloStatus.Malformed;
            if (record.Length > 1 && record[1] != 3) return ClientHelloStatus.Malformed;
            if (record.Length < RecordHeader) return ClientHelloStatus.NeedMore;
            int length = BinaryPrimitives.ReadUInt16BigEndian(record[3..]);
            if (length is 0 or > RecordLengthMax) return ClientHelloStatus.Malformed; // RFC 8446 §5.1: no empty fragments of a hand-shake
            if (_records == 0 && record.Length > RecordHeader && record[RecordHeader] != ClientHelloMessage) return ClientHelloStatus.Malformed;
            if (record.Length < RecordHeader + length) return ClientHelloStatus.NeedMore;
            _records++;
            _recordAt += RecordHeader + length;
            _collected += length;
            if (_length == 0 && _collected >= MessageHeader && !TryLength(bytes, room)) return ClientHelloStatus.Malformed;
            if (_length > 0 && _collected >= _length) break;
        }
        ReadOnlySpan<byte> message = _records == 1 ? bytes.Slice(RecordHeader, _length) : Gather(bytes, room, _length);
        return TryRead(message[MessageHeader..], out name, out _) ? ClientHelloStatus.Complete : ClientHelloStatus.Malformed;
    }

    private bool TryLength(ReadOnlySpan<byte> bytes, Span<byte> room)
    {
        ReadOnlySpan<byte> header = _records == 1 ? bytes.Slice(RecordHeader, MessageHeader) : Gather(bytes, room, MessageHeader);
        int body = header[1] << 16 | header[2] << 8 | header[3];
        _length = MessageHeader + body;
        return body <= LengthMax - MessageHeader;
    }

    // Each record was seen whole before.
    private static Span<byte> Gather(ReadOnlySpan<byte> bytes, Span<byte> room, int length)
    {
        for (int gathered = 0; gathered < length;)
        {
            int record = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
            ReadOnlySpan<byte> part = bytes.Slice(RecordHeader, Math.Min(record, length - gathered));
            part.CopyTo(room[gathered..]);
            gathered += part.Length;
            bytes = bytes[(RecordHeader + record)..];
        }
        return room[..length];
    }

    /// <summary>Reads a whole message, without its header. False when it is malformed.</summary>
    /// <param name="hello">The message.</param>
    /// <param name="name">The name; empty where the client names none.</param>
    /// <param name="protocols">What the client offers by ALPN, as it stands in the extension; empty for nothing.</param>
    internal static bool TryRead(ReadOnlySpan<byte> hello, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> protocols)
    {
        name = protocols = default;
        var at = new WireReader(hello);
        // Version and random, session id, cipher suites, compression methods.
        if (!at.Skip(2 + 32) || !at.TryVector(1, 0, 32, out _) || !at.TryVector(2, 2, ushort.MaxValue, out ReadOnlySpan<byte> suites) || suites.Length % 2 != 0
            || !at.TryVector(1, 1, 255, out _)) return false;
        if (at.IsEmpty) return true; // RFC 5246 §7.4.1.2: a hello may have no extensions
        if (!at.TryVector(2, 0, ushort.MaxValue, out ReadOnlySpan<byte> extensions) || !at.IsEmpty) return false;
        bool isNamed = false;
        for (at = new WireReader(extensions); !at.IsEmpty;)
        {
            if (!at.TryNumber(out int type) || !at.TryVector(2, 0, ushort.MaxValue, out ReadOnlySpan<byte> extension)) return false;
            if (type == AlpnExtension) protocols = extension;
            if (type != ServerNameExtension) continue;
            if (isNamed || !TryHostName(extension, out name)) return false; // RFC 8446 §4.2: once
            isNamed = true;
        }
        return true;
    }

    // RFC 6066 §3: a list with one name of each type; there is one type, host_name.
    private static bool TryHostName(ReadOnlySpan<byte> extension, out ReadOnlySpan<byte> name)
    {
        name = default;
        var at = new WireReader(extension);
        if (!at.TryVector(2, 1, ushort.MaxValue, out ReadOnlySpan<byte> list) || !at.IsEmpty || list[0] != 0) return false;
        at = new WireReader(list[1..]);
        return at.TryVector(2, 1, ushort.MaxValue, out name) && at.IsEmpty && !name.Contains((byte)0);
    }

    /// <summary>Takes numbers and vectors (RFC 8446 §3.4) from the front.</summary>
    private ref struct WireReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        internal readonly bool IsEmpty => _rest.IsEmpty;

        internal bool Skip(int count)
        {
            if (_rest.Length < count) return false;
            _rest = _rest[count..];
            return true;
        }

        internal bool TryNumber(out int number)
        {
            number = 0;
            if (_rest.Length < 2) return false;
            number = BinaryPrimitives.ReadUInt16BigEndian(_rest);
            return Skip(2);
        }

        internal bool TryVector(int lengthBytes, int lengthMin, int lengthMax, out ReadOnlySpan<byte> vector)
        {
            vector = default;
            if (_rest.Length < lengthBytes) return false;
            int length = lengthBytes == 1 ? _rest[0] : BinaryPrimitives.ReadUInt16BigEndian(_rest);
            if (length < lengthMin || length > lengthMax || _rest.Length - lengthBytes < length) return false;
            vector = _rest.Slice(lengthBytes, length);
            _rest = _rest[(lengthBytes + length)..];
            return true;
        }
    }
}
