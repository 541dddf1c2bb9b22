namespace LoadBalancer.Caching.Rules;

/// <summary>
/// Writes the lines with which stored responses are revalidated (RFC 9111 §4.3.1): If-None-Match with the entity tags of all that might be used, and If-Modified-Since
/// of the first. They take the place of the client's own If-None-Match and If-Modified-Since. Never allocates.
/// </summary>
/// <param name="destination">At least <see cref="BytesMax"/>.</param>
public ref struct ConditionWriter(Span<byte> destination)
{
    /// <summary>Room that the lines need at most, in bytes.</summary>
    public const int BytesMax = 2048;

    /// <summary>Most entity tags.</summary>
    public const int TagsMax = 8;

    private const int ReservedBytes = 128; // for If-Modified-Since and the end of the line

    private readonly Span<byte> _destination = destination[..BytesMax];
    private int _length, _tags;
    private bool _isFirst = true;
    private long _modified = ResponseFacts.NoDate;

    /// <summary>Adds a stored response; the one that was selected first. Those beyond the bounds are left out, which costs a transfer at most.</summary>
    public void Add(StoredHead stored)
    {
        if (_isFirst) _modified = stored.LastModified;
        _isFirst = false;
        ReadOnlySpan<byte> tag = stored.ETag;
        if (tag.IsEmpty || _tags == TagsMax || _length + tag.Length + "If-None-Match: ".Length > BytesMax - ReservedBytes) return;
        Append(_tags == 0 ? "If-None-Match: "u8 : ", "u8);
        Append(tag);
        _tags++;
    }

    /// <summary>Ends the lines; returns their length. 0 when nothing can be revalidated: then a whole response is to be asked for.</summary>
    public int Finish()
    {
        if (_tags > 0) Append("\r\n"u8);
        if (_modified == ResponseFacts.NoDate) return _length;
        Append("If-Modified-Since: "u8);
        HttpTime.Write(_destination[_length..], _modified);
        _length += HttpTime.DateBytes;
        Append("\r\n"u8);
        return _length;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[_length..]);
        _length += bytes.Length;
    }
}
