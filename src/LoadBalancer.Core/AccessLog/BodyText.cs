namespace LoadBalancer.Core.AccessLog;

/// <summary>
/// Writes the beginning of a body without the values of secrets. It may break off anywhere and may be malformed: JSON is not parsed, but looked through for strings that are followed by a colon, so whatever
/// stands behind a secret's name is left out, up to its end or to the end of all. A string is followed by what follows none where a quote within is not escaped: from there on names and values may have
/// changed places, and nothing is written any more.
/// </summary>
internal static class BodyText
{
    internal static void Write(ref LineWriter line, BodySample body, Redaction redaction, Redaction more)
    {
        // A control character takes six characters: what cannot fit is cut before, so that the line itself is not lost.
        ReadOnlySpan<byte> bytes = body.Bytes;
        int room = Math.Max(0, (line.Free - 8192) / 6);
        if (bytes.Length > room) bytes = bytes[..room];
        switch (body.Kind)
        {
            case BodyKind.Json: Json(ref line, bytes, redaction, more); break;
            case BodyKind.Form: redaction.Pairs(ref line, bytes, Escape.Json, more); break;
            case BodyKind.Text: line.Bytes(bytes, Escape.Json); break;
        }
    }

    private static void Json(ref LineWriter line, ReadOnlySpan<byte> bytes, Redaction redaction, Redaction more)
    {
        int from = 0; // what is not written yet
        int at = 0;
        while (at < bytes.Length)
        {
            int quote = bytes[at..].IndexOf((byte)'"');
            if (quote < 0) break;
            int start = at + quote, end = EndOfString(bytes, start);
            if (end < 0) break; // breaks off within it
            if (!MayEndAt(bytes, end))
            {
                line.Bytes(bytes[from..end], Escape.Json);
                line.Raw("***"u8);
                return;
            }
            int colon = SkipSpace(bytes, end);
            at = end;
            if (colon >= bytes.Length || bytes[colon] != ':') continue;
            ReadOnlySpan<byte> name = bytes[(start + 1)..(end - 1)];
            // A name with an escape may be any.
            if (!name.Contains((byte)'\\') && !redaction.IsSecretField(name) && !more.IsSecretField(name)) continue;
            int value = SkipSpace(bytes, colon + 1);
            line.Bytes(bytes[from..value], Escape.Json);
            line.Bytes("\"***\""u8, Escape.Json);
            at = from = EndOfValue(bytes, value);
            if (MayEndAt(bytes, at)) continue;
            line.Raw("***"u8);
            return;
        }
        line.Bytes(bytes[from..], Escape.Json);
    }

    // Whether a string or another value ends there, and not at a quote or a bracket that belongs to it.
    private static bool MayEndAt(ReadOnlySpan<byte> bytes, int end)
    {
        int next = SkipSpace(bytes, end);
        return next == bytes.Length || bytes[next] is (byte)':' or (byte)',' or (byte)'}' or (byte)']';
    }

    // Behind the closing quote; -1 where there is none.
    private static int EndOfString(ReadOnlySpan<byte> bytes, int start)
    {
        for (int i = start + 1; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\') i++;
            else if (bytes[i] == '"') return i + 1;
        }
        return -1;
    }

    private static int EndOfValue(ReadOnlySpan<byte> bytes, int start)
    {
        int depth = 0;
        for (int i = start; i < bytes.Length; i++)
        {
            switch (bytes[i])
            {
                case (byte)'"':
                    int end = EndOfString(bytes, i);
                    if (end < 0 || (depth > 0 && !MayEndAt(bytes, end))) return bytes.Length;
                    if (depth == 0) return end;
                    i = end - 1;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']' when depth > 0:
                    if (--depth == 0) return i + 1;
                    break;
                case (byte)',' or (byte)'}' or (byte)']' when depth == 0:
                    return i;
            }
        }
        return bytes.Length;
    }

    private static int SkipSpace(ReadOnlySpan<byte> bytes, int at)
    {
        while (at < bytes.Length && bytes[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') at++;
        return at;
    }
}
