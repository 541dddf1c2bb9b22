namespace LoadBalancer.Http;

/// <summary>
/// Decodes the chunked coding (RFC 9112 §7.1) without buffering, strictly, resuming at any byte. Extensions are checked and dropped.
/// The trailer section is left to <see cref="TrailerSection"/>.
/// </summary>
public struct ChunkedDecoder
{
    private enum State : byte { SizeStart, Size, Extension, SizeLf, Data, DataCr, DataLf, Trailers }

    private const int ExtensionBytesMax = 4096; // over the whole message: nobody sends them but attackers
    private State _state;
    private long _remaining;
    private int _digits, _extensionBytes;

    /// <summary>Why the bytes were rejected.</summary>
    public RejectionReason Rejection { get; private set; }

    /// <summary>
    /// Reads on until the next run of data, the trailer section, or the end of the buffer.
    /// </summary>
    /// <param name="buffer">Bytes not consumed so far.</param>
    /// <param name="consumed">How many of them were consumed, the data included.</param>
    /// <param name="dataStart">Where data begins in the buffer.</param>
    /// <param name="dataLength">Its length; 0 for none.</param>
    /// <returns>NeedMore while there is more to come (call again with what was not consumed, if any), Complete when the last chunk was
    /// read and the trailer section comes next, Rejected on broken framing.</returns>
    public ParseStatus Read(ReadOnlySpan<byte> buffer, out int consumed, out int dataStart, out int dataLength)
    {
        dataStart = dataLength = 0;
        int at = 0;
        while (true)
        {
            if (_state == State.Trailers)
            {
                consumed = at;
                return ParseStatus.Complete;
            }
            if (at == buffer.Length)
            {
                consumed = at;
                return ParseStatus.NeedMore;
            }
            byte c = buffer[at];
            switch (_state)
            {
                case State.SizeStart or State.Size:
                    int digit = Characters.HexValue(c);
                    if (digit >= 0)
                    {
                        // 15 digits cannot overflow; leading zeros count, so that they are bounded too.
                        if (++_digits > 15) return Reject(RejectionReason.BadChunkSize, out consumed);
                        _remaining = _remaining << 4 | (uint)digit;
                        _state = State.Size;
                    }
                    else if (_state == State.SizeStart) return Reject(RejectionReason.BadChunkSize, out consumed);
                    else if (c == '\r') _state = State.SizeLf;
                    else if (c is (byte)';' or (byte)' ' or (byte)'\t')
                    {
                        // White space is allowed before an extension only ("bad white space", RFC 9112 §7.1.1); none before CR.
                        if (c != ';') return Reject(RejectionReason.BadChunkExtension, out consumed);
                        _state = State.Extension;
                    }
                    else return Reject(RejectionReason.BadChunkSize, out consumed);
                    at++;
                    break;
                case State.Extension:
                    if (c == '\r') _state = State.SizeLf;
                    else if ((c < 0x20 && c != '\t') || c == 0x7F || ++_extensionBytes > ExtensionBytesMax) return Reject(RejectionReason.BadChunkExtension, out consumed);
                    at++;
                    break;
                case State.SizeLf:
                    if (c != '\n') return Reject(RejectionReason.BadChunkSize, out consumed);
                    _digits = 0;
                    _state = _remaining == 0 ? State.Trailers : State.Data;
                    at++;
                    break;
                case State.Data:
                    dataStart = at;
                    dataLength = (int)Math.Min(_remaining, buffer.Length - at);
                    _remaining -= dataLength;
                    if (_remaining == 0) _state = State.DataCr;
                    consumed = at + dataLength;
                    return ParseStatus.NeedMore;
                case State.DataCr:
                    if (c != '\r') return Reject(RejectionReason.BadChunkEnd, out consumed);
                    _state = State.DataLf;
                    at++;
                    break;
                case State.DataLf:
                    if (c != '\n') return Reject(RejectionReason.BadChunkEnd, out consumed);
                    _state = State.SizeStart;
                    at++;
                    break;
            }
        }
    }

    private ParseStatus Reject(RejectionReason reason, out int consumed)
    {
        consumed = 0;
        Rejection = reason;
        return ParseStatus.Rejected;
    }
}
