using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace LoadBalancer.Http;

/// <summary>
/// A sequence of field lines that ends with an empty line: what heads and trailer sections share. Owned by one connection, used by one
/// thread at a time, reused for message after message; keeps offsets only, never the bytes.
/// </summary>
/// <remarks>
/// One vector pass finds control characters. In a valid section these are exactly the CRs and LFs, so the same pass finds the line
/// ends and validates all values. Parsing resumes where it stopped: a section that arrives byte by byte costs linear time overall.
/// </remarks>
public abstract class FieldSection
{
    // Connection options that name a field are compared with every line; more than this many would make that an attack.
    private protected const int NamedOptionsMax = 64;

    /// <summary>A bit for each <see cref="KnownField"/> that is hop-by-hop by itself (RFC 9110 §7.6.1), without being named by Connection.</summary>
    public const uint HopByHop =
        1u << (int)KnownField.Connection | 1u << (int)KnownField.KeepAlive | 1u << (int)KnownField.ProxyConnection
        | 1u << (int)KnownField.ProxyAuthenticate | 1u << (int)KnownField.ProxyAuthorization | 1u << (int)KnownField.Te
        | 1u << (int)KnownField.TransferEncoding | 1u << (int)KnownField.Upgrade | 1u << (int)KnownField.Http2Settings;

    private readonly int[] _firstIndex = new int[32]; // by KnownField; valid only where Present has the bit
    private protected FieldLine[] _fields = new FieldLine[16]; // doubles up to the limit, and is kept
    private protected int _fieldCount;
    private protected uint _present;
    private protected uint _repeated; // a bit for each known field that occurs more than once
    private int _scanned; // no control character before this offset is unaccounted for
    private int _lineStart;
    private bool _inStartLine;
    private bool _finished;
    private readonly bool _hasStartLine;
    private readonly bool _mayStartWithEmptyLine;

    private protected FieldSection(bool hasStartLine, bool mayStartWithEmptyLine)
    {
        _hasStartLine = hasStartLine;
        _mayStartWithEmptyLine = mayStartWithEmptyLine;
        _inStartLine = hasStartLine;
    }

    /// <summary>Fields in the order received. Only the first <see cref="FieldCount"/> are meaningful.</summary>
    public FieldLine[] Fields => _fields;

    /// <summary>Number of fields.</summary>
    public int FieldCount => _fieldCount;

    /// <summary>Offset of the first field line.</summary>
    public int FieldsStart { get; private set; }

    /// <summary>Length in bytes, with the empty line at the end. Relative, as all offsets, to the start of the parsed bytes. 0 until complete.</summary>
    public int Length { get; private set; }

    /// <summary>Why the bytes were rejected.</summary>
    public RejectionReason Rejection { get; private set; }

    /// <summary>A bit for each <see cref="KnownField"/> that occurs at least once.</summary>
    public uint Present => _present;

    /// <summary>Whether the field occurs at least once.</summary>
    public bool HasKnown(KnownField field) => (_present & (1u << (int)field)) != 0;

    /// <summary>Index of the first line of a known field, or -1. Constant time. <see cref="KnownField.Other"/> is never found.</summary>
    public int IndexOf(KnownField field) => HasKnown(field) ? _firstIndex[(int)field] : -1;

    /// <summary>Index of the first line of a field that is none of the known ones, or -1. Looks at every line.</summary>
    /// <param name="name">In any case.</param>
    /// <param name="buffer">The bytes that were parsed.</param>
    public int IndexOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> buffer)
    {
        for (int i = 0; i < _fieldCount; i++)
            if (_fields[i].NameLength == name.Length && System.Text.Ascii.EqualsIgnoreCase(NameOf(i, buffer), name)) return i;
        return -1;
    }

    /// <summary>The name of a field, out of the bytes that were parsed.</summary>
    public ReadOnlySpan<byte> NameOf(int index, ReadOnlySpan<byte> buffer) => buffer.Slice(_fields[index].NameStart, _fields[index].NameLength);

    /// <summary>The value of a field, out of the bytes that were parsed.</summary>
    public ReadOnlySpan<byte> ValueOf(int index, ReadOnlySpan<byte> buffer) => buffer.Slice(_fields[index].ValueStart, _fields[index].ValueLength);

    /// <summary>Forgets the message; needed before the next one.</summary>
    public virtual void Reset()
    {
        _fieldCount = 0;
        _present = 0;
        _repeated = 0;
        _scanned = 0;
        _lineStart = 0;
        _inStartLine = _hasStartLine;
        _finished = false;
        FieldsStart = 0;
        Length = 0;
        Rejection = RejectionReason.None;
    }

    /// <summary>Parses the start line at [start, end); it contains no control character but, possibly, HTAB.</summary>
    private protected abstract RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end);

    /// <summary>All lines are there: what depends on more than one of them.</summary>
    private protected abstract RejectionReason Finish(ReadOnlySpan<byte> buffer);

    // Hot path: per read. 0 allocations once the table has grown, 0 copies. AllocationTests.Parse_ManyMessages_AllocatesNothing
    private protected ParseStatus ParseSection(ReadOnlySpan<byte> buffer, int startLineBytesMax, int sectionBytesMax, int fieldCountMax)
    {
        if (_finished) return Rejection == RejectionReason.None ? ParseStatus.Complete : ParseStatus.Rejected;

        // Bytes behind the limit are never looked at: the verdict must not depend on how much arrived at once.
        int end = Math.Min(buffer.Length, sectionBytesMax);
        ReadOnlySpan<byte> section = buffer[..end];
        int lineStart = _lineStart;
        int next = _scanned;
        int blockStart = next;
        ulong mask = 0;
        for (; ; )
        {
            while (mask == 0)
            {
                if (next >= end) return Incomplete(lineStart, end, end, startLineBytesMax, sectionBytesMax);
                blockStart = next;
                mask = Syntax.ControlMask(section, ref next);
            }

            int at = blockStart + BitOperations.TrailingZeroCount(mask);
            if (_inStartLine && at - lineStart > startLineBytesMax) return Reject(RejectionReason.StartLineTooLong);
            if (section[at] != '\r') return Reject(RejectionReason.ControlCharacter);
            if (at + 1 >= end) return Incomplete(lineStart, at, end, startLineBytesMax, sectionBytesMax);
            if (section[at + 1] != '\n') return Reject(RejectionReason.ControlCharacter);

            // Account for the LF too: it is the next bit, or the first byte of the next block.
            mask &= mask - 1;
            if (at + 1 == next) next++;
            else mask &= mask - 1;

            RejectionReason reason;
            if (_inStartLine)
            {
                if (at == lineStart)
                {
                    // RFC 9112 §2.2: a server should ignore at least one empty line before the request line. We ignore exactly one.
                    if (!_mayStartWithEmptyLine || at != 0) return Reject(RejectionReason.BadStartLine);
                    lineStart = 2;
                    continue;
                }
                reason = ParseStartLine(section, lineStart, at);
                _inStartLine = false;
                FieldsStart = at + 2;
            }
            else if (at == lineStart)
            {
                Length = at + 2;
                _finished = true;
                reason = Finish(section);
                return reason == RejectionReason.None ? ParseStatus.Complete : Reject(reason);
            }
            else
            {
                if (_fieldCount >= fieldCountMax) return Reject(RejectionReason.TooManyFields);
                reason = ParseField(section, lineStart, at);
            }

            if (reason != RejectionReason.None) return Reject(reason);
            lineStart = at + 2;
        }
    }

    private ParseStatus Incomplete(int lineStart, int scanned, int end, int startLineBytesMax, int sectionBytesMax)
    {
        if (_inStartLine && scanned - lineStart > startLineBytesMax) return Reject(RejectionReason.StartLineTooLong);
        if (end >= sectionBytesMax) return Reject(RejectionReason.HeadTooLarge);
        _lineStart = lineStart;
        _scanned = scanned;
        return ParseStatus.NeedMore;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ParseStatus Reject(RejectionReason reason)
    {
        _finished = true;
        Rejection = reason;
        return ParseStatus.Rejected;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private RejectionReason ParseField(ReadOnlySpan<byte> section, int lineStart, int lineEnd)
    {
        int nameLength = Syntax.CommonNameLength(section, lineStart);
        int colon = lineStart + nameLength;
        if (section[colon] != ':' || nameLength == 0)
        {
            RejectionReason reason = UnusualName(section[lineStart..lineEnd], out nameLength);
            if (reason != RejectionReason.None) return reason;
            colon = lineStart + nameLength;
        }

        int valueStart = colon + 1;
        // lineEnd is the CR, so these loops stop there at the latest.
        while (section[valueStart] is (byte)' ' or (byte)'\t') valueStart++;
        int valueEnd = lineEnd;
        while (valueEnd > valueStart && section[valueEnd - 1] is (byte)' ' or (byte)'\t') valueEnd--;

        KnownField known = Classify(section, lineStart, nameLength);
        int index = _fieldCount;
        FieldLine[] fields = _fields;
        if (index == fields.Length) fields = Grow();
        ref FieldLine line = ref fields[index];
        line.NameStart = lineStart;
        line.ValueStart = valueStart;
        line.ValueLength = valueEnd - valueStart;
        line.LineEnd = lineEnd + 2;
        line.NameLength = (ushort)nameLength;
        line.Known = known;
        line.IsHopByHop = false;
        _fieldCount = index + 1;
        if (known != KnownField.Other)
        {
            uint bit = 1u << (int)known;
            line.IsHopByHop = (HopByHop & bit) != 0;
            if ((_present & bit) != 0)
            {
                _repeated |= bit;
            }
            else
            {
                _present |= bit;
                _firstIndex[(int)known] = index;
            }
        }
        return RejectionReason.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private FieldLine[] Grow()
    {
        Array.Resize(ref _fields, _fields.Length * 2);
        return _fields;
    }

    // A name with an unusual character, of 32 bytes or more, or a line that is no field line.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static RejectionReason UnusualName(ReadOnlySpan<byte> line, out int nameLength)
    {
        nameLength = line.IndexOfAnyExcept(Syntax.Token);
        if (nameLength < 0) return RejectionReason.MissingColon;
        if (line[nameLength] != ':')
        {
            // RFC 9112 §5.2: obsolete line folding is rejected, also directly after the start line (§2.2).
            if (nameLength == 0 && line[0] is (byte)' ' or (byte)'\t') return RejectionReason.LineFolding;
            return line.Contains((byte)':') ? RejectionReason.BadFieldName : RejectionReason.MissingColon;
        }
        return nameLength is 0 or > ushort.MaxValue ? RejectionReason.BadFieldName : RejectionReason.None;
    }

    // The first eight bytes, folded to lower case, tell almost every other name apart in one comparison. Folding sets bit 5, which cannot
    // make a token out of what is none: the name was validated before. '_' becomes 0x7F and so differs from all names here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static KnownField Classify(ReadOnlySpan<byte> section, int start, int length)
    {
        if (length < 2) return KnownField.Other;
        if (section.Length - start < 8) return ClassifyShort(section[start..], length);
        ulong key = BinaryPrimitives.ReadUInt64LittleEndian(section[start..]) | 0x2020202020202020;
        if (length < 8) key &= (1UL << (length * 8)) - 1;
        if ((key & ClientMask) == ClientKey && length >= 11) return ClassifyClient(section.Slice(start, length));
        if (length <= 19) return ClassifyKey(key, section.Slice(start, length));
        return length == 25 && key == StrictTKey ? Rest(section.Slice(start, length), "ransport-security"u8, KnownField.StrictTransportSecurity) : KnownField.Other;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static KnownField ClassifyClient(ReadOnlySpan<byte> name)
    {
        bool isFamily = IsSeparator(name[6]) && System.Text.Ascii.EqualsIgnoreCase(name[7..11], "cert"u8) && (name.Length == 11 || IsSeparator(name[11]));
        return isFamily ? KnownField.ClientCertificate : KnownField.Other;
    }

    private static KnownField ClassifyXForwarded(ReadOnlySpan<byte> name, ReadOnlySpan<byte> what, KnownField field)
    {
        if (!System.Text.Ascii.EqualsIgnoreCase(name[8..11], "ded"u8) || !System.Text.Ascii.EqualsIgnoreCase(name[12..], what)) return KnownField.Other;
        if (name[1] == '-' && name[11] == '-') return field;
        return IsSeparator(name[1]) && IsSeparator(name[11]) ? KnownField.XForwardedLookAlike : KnownField.Other;
    }

    private static bool IsSeparator(byte character) => character is (byte)'-' or (byte)'_';

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static KnownField ClassifyShort(ReadOnlySpan<byte> rest, int length)
    {
        ulong key = 0; // fewer than 8 bytes are left, so the name has fewer than 8
        for (int i = 0; i < length; i++) key |= (ulong)(rest[i] | 0x20) << (i * 8);
        return ClassifyKey(key, rest[..length]);
    }

    private static KnownField ClassifyKey(ulong key, ReadOnlySpan<byte> name)
    {
        switch (name.Length)
        {
            case 2: return key == TeKey ? KnownField.Te : KnownField.Other;
            case 3: return key == ViaKey ? KnownField.Via : KnownField.Other;
            case 4:
                if (key == HostKey) return KnownField.Host;
                return key == DateKey ? KnownField.Date : KnownField.Other;
            case 6: return key == ExpectKey ? KnownField.Expect : KnownField.Other;
            case 7:
                if (key == UpgradeKey) return KnownField.Upgrade;
                if (key == RefererKey) return KnownField.Referer;
                return key == TrailerKey ? KnownField.Trailer : KnownField.Other;
            case 9:
                if (key == ForwardeKey) return Rest(name, "d"u8, KnownField.Forwarded);
                return key == RateLimiKey ? Rest(name, "t"u8, KnownField.RateLimit) : KnownField.Other;
            case 10:
                if (key == ConnectiKey) return Rest(name, "on"u8, KnownField.Connection);
                if (key == UserAgeKey) return Rest(name, "nt"u8, KnownField.UserAgent);
                if (key == TracestaKey) return Rest(name, "te"u8, KnownField.TraceState);
                return key == KeepAliKey ? Rest(name, "ve"u8, KnownField.KeepAlive) : KnownField.Other;
            case 11: return key == TraceparKey ? Rest(name, "ent"u8, KnownField.TraceParent) : KnownField.Other;
            case 12: return key == MaxForwKey ? Rest(name, "ards"u8, KnownField.MaxForwards) : KnownField.Other;
            case 14:
                if (key == ContentKey) return Rest(name, "length"u8, KnownField.ContentLength);
                return key == Http2SeKey ? Rest(name, "ttings"u8, KnownField.Http2Settings) : KnownField.Other;
            case 15: return (key & XForwarMask) == XForwarKey ? ClassifyXForwarded(name, "for"u8, KnownField.XForwardedFor) : KnownField.Other;
            case 16:
                if ((key & XForwarMask) == XForwarKey) return ClassifyXForwarded(name, "host"u8, KnownField.XForwardedHost);
                if (key == RateLimiKey) return Rest(name, "t-policy"u8, KnownField.RateLimit);
                return key == ProxyCoKey ? Rest(name, "nnection"u8, KnownField.ProxyConnection) : KnownField.Other;
            case 17:
                if (key == TransferKey) return Rest(name, "-encoding"u8, KnownField.TransferEncoding);
                return (key & XForwarMask) == XForwarKey ? ClassifyXForwarded(name, "proto"u8, KnownField.XForwardedProto) : KnownField.Other;
            case 18: return key == ProxyAuKey ? Rest(name, "thenticate"u8, KnownField.ProxyAuthenticate) : KnownField.Other;
            case 19: return key == ProxyAuKey ? Rest(name, "thorization"u8, KnownField.ProxyAuthorization) : KnownField.Other;
            default: return KnownField.Other;
        }
    }

    // The (up to) first eight bytes of the names above, little-endian.
    private const ulong ClientKey = 0x746E65696C63, ClientMask = 0xFFFFFFFFFFFF; // client
    private const ulong ConnectiKey = 0x697463656E6E6F63; // connecti
    private const ulong ContentKey = 0x2D746E65746E6F63; // content-
    private const ulong DateKey = 0x65746164; // date
    private const ulong ExpectKey = 0x746365707865; // expect
    private const ulong ForwardeKey = 0x6564726177726F66; // forwarde
    private const ulong HostKey = 0x74736F68; // host
    private const ulong Http2SeKey = 0x65732D3270747468; // http2-se
    private const ulong KeepAliKey = 0x696C612D7065656B; // keep-ali
    private const ulong MaxForwKey = 0x77726F662D78616D; // max-forw
    private const ulong ProxyAuKey = 0x75612D79786F7270; // proxy-au
    private const ulong ProxyCoKey = 0x6F632D79786F7270; // proxy-co
    private const ulong RateLimiKey = 0x696D696C65746172; // ratelimi
    private const ulong RefererKey = 0x72657265666572; // referer
    private const ulong StrictTKey = 0x742D746369727473; // strict-t
    private const ulong TeKey = 0x6574; // te
    private const ulong TraceparKey = 0x7261706563617274; // tracepar
    private const ulong TracestaKey = 0x6174736563617274; // tracesta
    private const ulong TrailerKey = 0x72656C69617274; // trailer
    private const ulong TransferKey = 0x726566736E617274; // transfer
    private const ulong UpgradeKey = 0x65646172677075; // upgrade
    private const ulong UserAgeKey = 0x6567612D72657375; // user-age
    private const ulong ViaKey = 0x616976; // via
    private const ulong XForwarKey = 0x726177726F660078, XForwarMask = 0xFFFFFFFFFFFF00FF; // x-forwar, whatever the separator

    private static KnownField Rest(ReadOnlySpan<byte> name, ReadOnlySpan<byte> rest, KnownField field) =>
        System.Text.Ascii.EqualsIgnoreCase(name[8..], rest) ? field : KnownField.Other;
}
