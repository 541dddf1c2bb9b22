using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace LoadBalancer.Discovery.Dns;

/// <summary>
/// Writes queries and reads answers, RFC 1035 §4. Strict: an answer that is not whole and well-formed in every part is a failure as a whole. Without
/// EDNS: what does not fit 512 bytes comes by TCP, which spares us fragments, and servers that do not know it.
/// </summary>
internal static class DnsMessage
{
    internal const int QueryBytesMax = HeaderBytes + NameBytesMax + 4;
    private const int HeaderBytes = 12, NameBytesMax = 255, LabelBytesMax = 63, AliasesMax = 16;

    /// <summary>Writes a query with recursion desired.</summary>
    /// <param name="buffer">At least <see cref="QueryBytesMax"/> bytes.</param>
    /// <param name="id">Not to be guessed.</param>
    /// <param name="name">A valid host name, without the dot at its end.</param>
    /// <param name="type">What is asked for.</param>
    /// <returns>Its length in bytes.</returns>
    internal static int WriteQuery(Span<byte> buffer, ushort id, string name, DnsRecordType type)
    {
        buffer[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(buffer, id);
        buffer[2] = 1; // RD
        buffer[5] = 1; // QDCOUNT
        int at = HeaderBytes;
        foreach (string label in name.Split('.'))
        {
            buffer[at] = (byte)label.Length;
            at += 1 + Encoding.ASCII.GetBytes(label, buffer[(at + 1)..]);
        }
        buffer[at++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(buffer[at..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[(at + 2)..], 1); // IN
        return at + 4;
    }

    /// <summary>Whether it answers that query: same id, same question. Anything else is somebody else's, and to be dropped.</summary>
    internal static bool IsAnswerTo(ReadOnlySpan<byte> message, ReadOnlySpan<byte> query) =>
        message.Length >= query.Length
        && message[..2].SequenceEqual(query[..2])
        && (message[2] & 0xf8) == 0x80 // QR, and opcode QUERY
        && message[4] == 0 && message[5] == 1
        // RFC 1035 §2.3.3: names compare without case. Bytes of lengths and types are no letters below 64, or the same ones.
        && Ascii.EqualsIgnoreCase(message[HeaderBytes..query.Length], query[HeaderBytes..]);

    /// <summary>Reads what answers a query.</summary>
    internal static DnsAnswer Read(ReadOnlySpan<byte> message, ReadOnlySpan<byte> query, string name, DnsRecordType type)
    {
        if ((message[2] & 2) != 0) return new DnsAnswer(DnsStatus.Truncated, [], [], 0, "");
        int code = message[3] & 0xf;
        if (code == 3) return new DnsAnswer(DnsStatus.None, [], [], 0, "does not exist (NXDOMAIN)");
        if (code != 0) return DnsAnswer.Failed($"is not answered: {CodeText(code)}");

        int at = query.Length;
        var answers = new List<DnsRecord>();
        var beside = new List<DnsRecord>();
        for (int section = 0; section < 3; section++)
        {
            int count = BinaryPrimitives.ReadUInt16BigEndian(message[(6 + 2 * section)..]);
            for (int i = 0; i < count; i++)
            {
                if (!TryReadRecord(message, ref at, out DnsRecord? record)) return DnsAnswer.Failed("has a malformed answer");
                if (record is not null && section != 1) (section == 0 ? answers : beside).Add(record);
            }
        }
        return Follow(answers, beside, name, type);
    }

    // The answer may begin with aliases (RFC 1034 §3.6.2), in any order.
    private static DnsAnswer Follow(List<DnsRecord> answers, List<DnsRecord> beside, string name, DnsRecordType type)
    {
        uint ttl = uint.MaxValue;
        for (int aliases = 0; ; aliases++)
        {
            if (aliases > AliasesMax) return DnsAnswer.Failed("is an alias without end");
            if (answers.Find(r => r.Type == DnsRecordType.CName && r.Owner.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } alias) break;
            ttl = Math.Min(ttl, alias.TtlSeconds);
            name = alias.Target;
        }
        List<DnsRecord> records = answers.FindAll(r => r.Type == type && r.Owner.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (records.Count == 0) return new DnsAnswer(DnsStatus.None, [], [], 0, $"has no {(type == DnsRecordType.Srv ? "SRV record" : "address")}");
        return new DnsAnswer(DnsStatus.Found, records, beside, Math.Min(ttl, records.Min(r => r.TtlSeconds)), "");
    }

    // False for what is malformed; a null record is one of no interest.
    private static bool TryReadRecord(ReadOnlySpan<byte> message, ref int at, out DnsRecord? record)
    {
        record = null;
        if (!TryReadName(message, ref at, out string owner) || message.Length - at < 10) return false;
        var type = (DnsRecordType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        bool isInternet = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]) == 1;
        uint ttl = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
        int length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
        at += 10;
        if (message.Length - at < length) return false;
        int end = at + length;
        ReadOnlySpan<byte> data = message[at..end];
        var read = new DnsRecord(owner, type, ttl > int.MaxValue ? 0 : ttl);
        if (isInternet)
            switch (type)
            {
                case DnsRecordType.A:
                    if (length != 4) return false;
                    record = read with { Address = new IPAddress(data) };
                    break;
                case DnsRecordType.Aaaa:
                    if (length != 16) return false;
                    record = read with { Address = new IPAddress(data) };
                    break;
                case DnsRecordType.CName:
                    if (!TryReadName(message, ref at, out string alias) || at != end) return false;
                    record = read with { Target = alias };
                    break;
                case DnsRecordType.Srv:
                    at += 6;
                    if (length < 7 || !TryReadName(message, ref at, out string target) || at != end) return false;
                    record = read with
                    {
                        Priority = BinaryPrimitives.ReadUInt16BigEndian(data), Weight = BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
                        Port = BinaryPrimitives.ReadUInt16BigEndian(data[4..]), Target = target,
                    };
                    break;
            }
        at = end;
        return true;
    }

    // Pointers go backwards only (RFC 1035 §4.1.4: "a prior occurrence"), and the name is bounded: so it ends.
    private static bool TryReadName(ReadOnlySpan<byte> message, ref int at, out string name)
    {
        name = "";
        var text = new StringBuilder();
        int from = at, earliest = at;
        bool hasJumped = false;
        while (from < message.Length)
        {
            int length = message[from];
            if ((length & 0xc0) == 0xc0)
            {
                if (from + 1 >= message.Length) return false;
                int to = (length & 0x3f) << 8 | message[from + 1];
                if (to >= earliest || to < HeaderBytes) return false;
                if (!hasJumped) at = from + 2;
                hasJumped = true;
                from = earliest = to;
                continue;
            }
            if (length > LabelBytesMax || from + 1 + length > message.Length) return false;
            if (length == 0)
            {
                if (!hasJumped) at = from + 1;
                name = text.ToString();
                return true;
            }
            if (text.Length > 0) text.Append('.');
            foreach (byte character in message.Slice(from + 1, length))
            {
                // Any byte may stand in a label, but not in a name that we would use: what is kept matches nothing.
                text.Append(character is > (byte)' ' and < 0x7f and not (byte)'.' ? (char)character : '\uFFFD');
            }
            if (text.Length > NameBytesMax) return false;
            from += 1 + length;
        }
        return false;
    }

    private static string CodeText(int code) => code switch
    {
        1 => "FORMERR",
        2 => "SERVFAIL",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => $"code {code}",
    };
}
