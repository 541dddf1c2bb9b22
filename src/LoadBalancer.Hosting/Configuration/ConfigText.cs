namespace LoadBalancer.Hosting.Configuration;

/// <summary>Turns byte offsets of a UTF-8 text into lines and columns.</summary>
internal sealed class ConfigText(ReadOnlyMemory<byte> utf8, string fileName)
{
    internal ReadOnlySpan<byte> Bytes => utf8.Span;

    internal string FileName { get; } = fileName;

    /// <summary>A problem at a byte offset.</summary>
    internal ConfigDiagnostic At(int offset, string path, string message)
    {
        ReadOnlySpan<byte> before = Bytes[..Math.Clamp(offset, 0, Bytes.Length)];
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        int line = before.Count((byte)'\n') + 1;
        int column = 1;
        foreach (byte b in before[lineStart..])
            if ((b & 0xC0) != 0x80) column++; // continuation bytes belong to the character before
        return new ConfigDiagnostic(FileName, line, column, path, message);
    }

    /// <summary>The byte offset of a place as <see cref="System.Text.Json.JsonException"/> tells it, both from 0.</summary>
    internal int OffsetOf(long line, long byteInLine)
    {
        int offset = 0;
        for (; line > 0; line--)
        {
            int end = Bytes[offset..].IndexOf((byte)'\n');
            if (end < 0) break;
            offset += end + 1;
        }
        return (int)Math.Min(offset + byteInLine, Bytes.Length);
    }
}
