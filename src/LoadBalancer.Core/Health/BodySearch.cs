using System.Buffers;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Health;

/// <summary>Looks for a text in the beginning of a response's body, whatever its framing.</summary>
internal sealed class BodySearch(byte[] wanted, MessageFraming framing, long length)
{
    /// <summary>How much of a body is looked at, in bytes.</summary>
    internal const int BytesMax = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _body = new();
    private ChunkedDecoder _decoder;

    internal bool IsFound { get; private set; }

    /// <summary>Whether more bytes change nothing: found, the end of the body or of what is looked at, or broken framing.</summary>
    internal bool IsOver { get; private set; } = framing == MessageFraming.None || (framing == MessageFraming.ContentLength && length == 0);

    /// <summary>Takes the next bytes of the connection in.</summary>
    internal void Add(ReadOnlySpan<byte> bytes)
    {
        if (framing != MessageFraming.Chunked)
        {
            AddData(framing == MessageFraming.ContentLength ? bytes[..(int)Math.Min(bytes.Length, length - _body.WrittenCount)] : bytes);
            if (framing == MessageFraming.ContentLength && _body.WrittenCount == length) IsOver = true;
            return;
        }
        while (!bytes.IsEmpty && !IsOver)
        {
            ParseStatus status = _decoder.Read(bytes, out int consumed, out int dataStart, out int dataLength);
            if (dataLength > 0) AddData(bytes.Slice(dataStart, dataLength));
            if (status is ParseStatus.Complete or ParseStatus.Rejected) IsOver = true;
            bytes = bytes[consumed..];
        }
    }

    private void AddData(ReadOnlySpan<byte> data)
    {
        int from = Math.Max(0, _body.WrittenCount - wanted.Length + 1); // a match may begin in what came before
        _body.Write(data[..Math.Min(data.Length, BytesMax - _body.WrittenCount)]);
        IsFound = _body.WrittenSpan[from..].IndexOf(wanted) >= 0;
        if (IsFound || _body.WrittenCount == BytesMax) IsOver = true;
    }
}
