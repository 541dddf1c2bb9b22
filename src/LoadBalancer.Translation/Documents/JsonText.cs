using System.Buffers;
using System.Text.Json;
using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.Documents;

/// <summary>Writes scalars as JSON. Only what RFC 8259 §7 wants escaped is.</summary>
internal static class JsonText
{
    private static readonly SearchValues<byte> ToEscape = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(i => (byte)i), (byte)'"', (byte)'\\']);

    internal static void Write(OutputBuffer output, Scalar value)
    {
        if (value.Kind == JsonTokenType.String) WriteString(output, value.Text);
        else output.Write(value.Text);
    }

    internal static void WriteString(OutputBuffer output, ReadOnlySpan<byte> text)
    {
        output.Write((byte)'"');
        for (int at; (at = text.IndexOfAny(ToEscape)) >= 0; text = text[(at + 1)..])
        {
            output.Write(text[..at]);
            output.Write((byte)'\\');
            byte b = text[at];
            switch (b)
            {
                case (byte)'"' or (byte)'\\':
                    output.Write(b);
                    break;
                case (byte)'\n':
                    output.Write((byte)'n');
                    break;
                case (byte)'\r':
                    output.Write((byte)'r');
                    break;
                case (byte)'\t':
                    output.Write((byte)'t');
                    break;
                default:
                    output.Write("u00"u8);
                    output.Write((byte)('0' + (b >> 4)));
                    output.Write((byte)((b & 15) < 10 ? '0' + (b & 15) : 'a' + (b & 15) - 10));
                    break;
            }
        }
        output.Write(text);
        output.Write((byte)'"');
    }
}
