namespace LoadBalancer.Http;

/// <summary>What requests and responses share: the field table and the framing. Reused for message after message; all members are offsets or flags.</summary>
public abstract class MessageHead
{
    /// <summary>Fields in the order received. Only the first <see cref="FieldCount"/> are meaningful.</summary>
    public FieldLine[] Fields { get; private protected set; } = new FieldLine[16]; // grows up to the limit

    /// <summary>Number of fields.</summary>
    public int FieldCount { get; private protected set; }

    /// <summary>Offset of the first field line (after the start line).</summary>
    public int FieldsStart { get; private protected set; }

    /// <summary>Length of the head in bytes, with its empty line. Relative, as all offsets, to the start of the parsed bytes.</summary>
    public int Length { get; private protected set; }

    /// <summary>0 for HTTP/1.0, 1 for HTTP/1.1 and every later 1.x.</summary>
    public int MinorVersion { get; private protected set; }

    /// <summary>How the body ends.</summary>
    public MessageFraming Framing { get; private protected set; }

    /// <summary>Body length when <see cref="Framing"/> is ContentLength. For a response to HEAD or a 304 with Content-Length, its value; else -1.</summary>
    public long ContentLength { get; private protected set; }

    /// <summary>Whether the sender lets the connection persist (RFC 9112 §9.3): close/keep-alive options and version taken together.</summary>
    public bool KeepAlive { get; private protected set; }

    /// <summary>Connection contains the option "upgrade" and an Upgrade field is present (in an HTTP/1.1 message).</summary>
    public bool IsUpgrade { get; private protected set; }

    /// <summary>TE contains "trailers" (and Connection lists TE).</summary>
    public bool AcceptsTrailers { get; private protected set; }

    /// <summary>A bit for each <see cref="KnownField"/> that occurs at least once.</summary>
    public uint Present { get; private protected set; }

    /// <summary>Whether the field occurs at least once.</summary>
    public bool HasKnown(KnownField field) => (Present & (1u << (int)field)) != 0;

    /// <summary>Index of the first line of a known field, or -1.</summary>
    public int IndexOf(KnownField field)
    {
        if (!HasKnown(field)) return -1;
        for (int i = 0; i < FieldCount; i++) if (Fields[i].Known == field) return i;
        return -1;
    }
}
