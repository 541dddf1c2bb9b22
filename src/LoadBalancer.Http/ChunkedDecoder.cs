namespace LoadBalancer.Http;

/// <summary>
/// Reads the chunked coding (RFC 9112 §7.1). Resumes at any byte, buffers nothing, allocates nothing; <c>default</c> is the initial state. Strict, as
/// chunk framing is where requests are smuggled: lines end with CRLF exactly, sizes are 1 to 16 hexadecimal digits, extensions follow their grammar,
/// are bounded, and are dropped.
/// </summary>
public struct ChunkedDecoder
{
    /// <summary>Most bytes of extensions in one chunk. The bound keeps a sender from making the proxy read much for little content.</summary>
    public const int ChunkExtensionBytesMax = 4 * 1024;

    /// <summary>Most bytes of extensions in one message.</summary>
    public const int MessageExtensionBytesMax = 16 * 1024;

    private const int SizeDigitsMax = 16;

    private enum State : byte
    {
        Size, // the initial state: before or within the digits
        SizeLineFeed,
        ExtensionBeforeSemicolon, // white space seen, ';' must follow
        ExtensionNameStart,
        ExtensionName,
        ExtensionAfterName, // white space seen after a name: '=' or ';' must follow
        ExtensionValueStart,
        ExtensionToken,
        ExtensionQuoted,
        ExtensionEscape,
        ExtensionAfterQuoted,
        Data,
        DataCarriageReturn,
        DataLineFeed,
        Trailers,
        Rejected,
    }

    private long _size; // while reading the size line: the value so far; in the data: bytes left
    private int _chunkExtensionBytes;
    private int _messageExtensionBytes;
    private byte _digits;
    private State _state;
    private RejectionReason _rejection;

    /// <summary>The last chunk was read: what follows is the trailer section, see <see cref="TrailerSection"/>.</summary>
    public readonly bool AtTrailers => _state == State.Trailers;

    /// <summary>Why the bytes were rejected.</summary>
    public readonly RejectionReason Rejection => _rejection;

    /// <summary>Payload bytes of the current chunk that are still to come; 0 between chunks.</summary>
    public readonly long ChunkRemaining => _state == State.Data ? _size : 0;

    /// <summary>
    /// Reads framing from the start of the buffer and yields at most one run of payload.
    /// </summary>
    /// <param name="buffer">The bytes after those that earlier calls consumed.</param>
    /// <param name="consumed">Bytes that are done with. When there is payload, it ends at this offset.</param>
    /// <param name="dataStart">Offset of the payload run.</param>
    /// <param name="dataLength">Length of the payload run, possibly only part of a chunk; 0 when there is none.</param>
    /// <returns>
    /// <see cref="ParseStatus.NeedMore"/>: call again with <c>buffer[consumed..]</c>, now when that is not empty, otherwise when more has arrived; a call
    /// with a non-empty buffer always consumes something, and consumes everything unless it yields payload.
    /// <see cref="ParseStatus.Complete"/>: the last chunk's line was consumed, never together with payload, and the trailer section starts at <paramref name="consumed"/>.
    /// <see cref="ParseStatus.Rejected"/>: final; there is no payload in the same call.
    /// </returns>
    public ParseStatus Read(ReadOnlySpan<byte> buffer, out int consumed, out int dataStart, out int dataLength)
    {
        dataStart = 0;
        dataLength = 0;
        int at = 0;
        while (at < buffer.Length)
        {
            byte b = buffer[at];
            switch (_state)
            {
                case State.Size:
                    int digit = Syntax.HexValue(b);
                    if (digit >= 0)
                    {
                        if (++_digits > SizeDigitsMax || _size > (long.MaxValue >> 4)) return Reject(RejectionReason.BadChunkSize, out consumed);
                        _size = (_size << 4) | (uint)digit;
                    }
                    else if (_digits == 0) return Reject(RejectionReason.BadChunkSize, out consumed);
                    else if (b == '\r') _state = State.SizeLineFeed;
                    else if (b == ';') _state = State.ExtensionNameStart;
                    else if (b is (byte)' ' or (byte)'\t') _state = State.ExtensionBeforeSemicolon;
                    else return Reject(RejectionReason.BadChunkSize, out consumed);
                    if (digit < 0 && b != '\r' && !CountExtension()) return Reject(RejectionReason.BadChunkExtension, out consumed);
                    break;

                case State.SizeLineFeed:
                    if (b != '\n') return Reject(RejectionReason.BadChunkSize, out consumed);
                    _digits = 0;
                    _chunkExtensionBytes = 0;
                    if (_size == 0)
                    {
                        _state = State.Trailers;
                        consumed = at + 1;
                        return ParseStatus.Complete;
                    }
                    _state = State.Data;
                    break;

                case State.Data:
                    dataStart = at;
                    dataLength = (int)Math.Min(_size, buffer.Length - at);
                    _size -= dataLength;
                    if (_size == 0) _state = State.DataCarriageReturn;
                    consumed = at + dataLength;
                    return ParseStatus.NeedMore;

                case State.DataCarriageReturn:
                    if (b != '\r') return Reject(RejectionReason.BadChunkEnd, out consumed);
                    _state = State.DataLineFeed;
                    break;

                case State.DataLineFeed:
                    if (b != '\n') return Reject(RejectionReason.BadChunkEnd, out consumed);
                    _state = State.Size;
                    break;

                case State.Trailers:
                    consumed = at;
                    return ParseStatus.Complete;

                case State.Rejected:
                    consumed = at;
                    return ParseStatus.Rejected;

                default:
                    if (!ReadExtension(b)) return Reject(RejectionReason.BadChunkExtension, out consumed);
                    break;
            }
            at++;
        }
        consumed = at;
        return _state switch
        {
            State.Trailers => ParseStatus.Complete,
            State.Rejected => ParseStatus.Rejected,
            _ => ParseStatus.NeedMore,
        };
    }

    // chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
    private bool ReadExtension(byte b)
    {
        bool space = b is (byte)' ' or (byte)'\t';
        switch (_state)
        {
            case State.ExtensionBeforeSemicolon:
                if (b == ';') _state = State.ExtensionNameStart;
                else if (!space) return false;
                break;

            case State.ExtensionNameStart:
                if (space) break;
                if (!Syntax.Token.Contains(b)) return false;
                _state = State.ExtensionName;
                break;

            case State.ExtensionName:
                if (b == '\r') return EndLine();
                if (b == '=') _state = State.ExtensionValueStart;
                else if (b == ';') _state = State.ExtensionNameStart;
                else if (space) _state = State.ExtensionAfterName;
                else if (!Syntax.Token.Contains(b)) return false;
                break;

            case State.ExtensionAfterName:
                if (b == '=') _state = State.ExtensionValueStart;
                else if (b == ';') _state = State.ExtensionNameStart;
                else if (!space) return false;
                break;

            case State.ExtensionValueStart:
                if (space) break;
                if (b == '"') _state = State.ExtensionQuoted;
                else if (Syntax.Token.Contains(b)) _state = State.ExtensionToken;
                else return false;
                break;

            case State.ExtensionToken:
                if (b == '\r') return EndLine();
                if (b == ';') _state = State.ExtensionNameStart;
                else if (space) _state = State.ExtensionBeforeSemicolon;
                else if (!Syntax.Token.Contains(b)) return false;
                break;

            case State.ExtensionQuoted:
                if (b == '"') _state = State.ExtensionAfterQuoted;
                else if (b == '\\') _state = State.ExtensionEscape;
                else if (Syntax.IsControl(b)) return false;
                break;

            case State.ExtensionEscape:
                if (Syntax.IsControl(b)) return false;
                _state = State.ExtensionQuoted;
                break;

            case State.ExtensionAfterQuoted:
                if (b == '\r') return EndLine();
                if (b == ';') _state = State.ExtensionNameStart;
                else if (space) _state = State.ExtensionBeforeSemicolon;
                else return false;
                break;

            default:
                System.Diagnostics.Debug.Fail("Not an extension state.");
                return false;
        }
        return CountExtension();
    }

    private bool EndLine()
    {
        _state = State.SizeLineFeed;
        return true;
    }

    private bool CountExtension() => ++_chunkExtensionBytes <= ChunkExtensionBytesMax && ++_messageExtensionBytes <= MessageExtensionBytesMax;

    private ParseStatus Reject(RejectionReason reason, out int consumed)
    {
        _state = State.Rejected;
        _rejection = reason;
        consumed = 0;
        return ParseStatus.Rejected;
    }
}
