using System.Buffers;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Serving;

/// <summary>Collects the body of a request out of its framing, up to a bound.</summary>
internal sealed class ServedBody(RequestHead head, int bytesMax)
{
    private readonly ArrayBufferWriter<byte> _body = new();
    private ChunkedDecoder _chunks;
    private TrailerSection? _trailers;

    internal ReadOnlyMemory<byte> Bytes => _body.WrittenMemory;

    /// <summary>Whether a rejection was for its size.</summary>
    internal bool IsTooLarge { get; private set; }

    /// <summary>Takes what it can use; trailers are read and dropped.</summary>
    internal ParseStatus Read(ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 0;
        if (head.Framing != MessageFraming.Chunked)
        {
            if (head.ContentLength > bytesMax) return TooLarge();
            consumed = (int)Math.Min(bytes.Length, head.ContentLength - _body.WrittenCount);
            _body.Write(bytes[..consumed]);
            return _body.WrittenCount == head.ContentLength ? ParseStatus.Complete : ParseStatus.NeedMore;
        }
        while (_trailers is null)
        {
            if (consumed == bytes.Length) return ParseStatus.NeedMore;
            ReadOnlySpan<byte> rest = bytes[consumed..];
            ParseStatus status = _chunks.Read(rest, out int taken, out int start, out int length);
            if (status == ParseStatus.Rejected) return status;
            if (length > bytesMax - _body.WrittenCount) return TooLarge();
            _body.Write(rest.Slice(start, length));
            consumed += taken;
            if (status == ParseStatus.Complete) _trailers = new TrailerSection();
        }
        ParseStatus end = _trailers.Parse(bytes[consumed..]);
        if (end == ParseStatus.Complete) consumed += _trailers.Length;
        return end;
    }

    private ParseStatus TooLarge()
    {
        IsTooLarge = true;
        return ParseStatus.Rejected;
    }
}
