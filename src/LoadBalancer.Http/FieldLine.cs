namespace LoadBalancer.Http;

/// <summary>One header field as offsets into the bytes that were parsed: no copy, no string.</summary>
public struct FieldLine
{
    /// <summary>Offset of the name, which is also where the line starts.</summary>
    public int NameStart;

    /// <summary>Offset of the value without surrounding white space.</summary>
    public int ValueStart;

    /// <summary>Length of the value without surrounding white space.</summary>
    public int ValueLength;

    /// <summary>Offset of the byte after the line's CRLF.</summary>
    public int LineEnd;

    /// <summary>Length of the name.</summary>
    public ushort NameLength;

    /// <summary>Which field it is.</summary>
    public KnownField Known;

    /// <summary>Set by <see cref="MessageHead"/> for lines that must not be forwarded (hop-by-hop, or named by Connection).</summary>
    public bool IsHopByHop;
}
