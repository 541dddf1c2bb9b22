namespace LoadBalancer.Discovery.Remote;

/// <summary>An answer that goes on: a JSON text on each line. Read by one task.</summary>
internal sealed class JsonLines(HttpResponseMessage response, Stream stream, int lineBytesMax) : IDisposable
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _count;

    /// <summary>The next whole lines, all that are there, at least one; none at the end.</summary>
    /// <exception cref="ApiException">The connection broke, or a line is too long.</exception>
    internal async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken token)
    {
        int searched = 0;
        while (true)
        {
            if (_buffer.AsSpan(searched, _count - searched).Contains((byte)'\n')) return Take();
            searched = _count;
            if (_count == _buffer.Length)
            {
                if (_count >= lineBytesMax) throw new ApiException($"sent a line of more than {lineBytesMax} bytes");
                Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, lineBytesMax));
            }
            int read;
            try
            {
                read = await stream.ReadAsync(_buffer.AsMemory(_count), token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw ApiClient.Problem(e);
            }
            if (read == 0) return [];
            _count += read;
        }
    }

    private List<byte[]> Take()
    {
        var lines = new List<byte[]>();
        int start = 0;
        for (int length; (length = _buffer.AsSpan(start, _count - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            if (!_buffer.AsSpan(start, length).Trim(" \t\r"u8).IsEmpty) lines.Add(_buffer[start..(start + length)]);
        _buffer.AsSpan(start, _count - start).CopyTo(_buffer);
        _count -= start;
        return lines;
    }

    public void Dispose()
    {
        stream.Dispose();
        response.Dispose();
    }
}
