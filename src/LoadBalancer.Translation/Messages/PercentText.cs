using System.Buffers;
using LoadBalancer.Translation.Documents;

namespace LoadBalancer.Translation.Messages;

/// <summary>Percent-encoding of path segments and of parameters (RFC 3986 §2.1; WHATWG URL, application/x-www-form-urlencoded).</summary>
internal static class PercentText
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private static readonly SearchValues<byte> Plain = SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(Unreserved));
    private static readonly SearchValues<byte> SegmentPlain = SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(Unreserved + "!$&'()*,;=:@%"));
    private static readonly SearchValues<byte> ParameterPlain = SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(Unreserved + "!$'()*,=:@/?%"));

    /// <summary>Compares a parameter's name, as destinations decode it, with a plain one.</summary>
    internal static bool IsName(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> name)
    {
        int at = 0, matched = 0;
        while (at < encoded.Length)
        {
            if (matched == name.Length || Next(encoded, ref at) != name[matched++]) return false;
        }
        return matched == name.Length;
    }

    /// <summary>Decodes a parameter's value: '+' is a space, a '%' without two digits is itself.</summary>
    internal static void Decode(OutputBuffer output, ReadOnlySpan<byte> encoded)
    {
        for (int at = 0; at < encoded.Length;) output.Write(Next(encoded, ref at));
    }

    private static byte Next(ReadOnlySpan<byte> encoded, ref int at)
    {
        byte b = encoded[at++];
        if (b == '+') return (byte)' ';
        if (b != '%' || at + 1 >= encoded.Length || !char.IsAsciiHexDigit((char)encoded[at]) || !char.IsAsciiHexDigit((char)encoded[at + 1])) return b;
        b = (byte)(HexOf(encoded[at]) << 4 | HexOf(encoded[at + 1]));
        at += 2;
        return b;
    }

    /// <summary>Encodes a text as a parameter's name or value.</summary>
    internal static void Encode(OutputBuffer output, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text) Write(output, b, Plain.Contains(b));
    }

    /// <summary>Writes what stood in a query as a segment of a path: a slash in it stays a part of the segment. False: it is no segment.</summary>
    internal static bool TryWriteSegment(OutputBuffer output, ReadOnlySpan<byte> parameter)
    {
        if (IsDots(parameter)) return false;
        foreach (byte b in parameter)
        {
            if (b == '+') output.Write("%20"u8);
            else Write(output, b, SegmentPlain.Contains(b));
        }
        return true;
    }

    /// <summary>Writes a segment of a path as a parameter's value: what separates parameters there stays a part of it.</summary>
    internal static void WriteParameter(OutputBuffer output, ReadOnlySpan<byte> segment)
    {
        foreach (byte b in segment) Write(output, b, ParameterPlain.Contains(b));
    }

    // Nothing, "." and "..", however they are encoded: a segment of those would lead to another path.
    private static bool IsDots(ReadOnlySpan<byte> parameter)
    {
        int dots = 0;
        for (int at = 0; at < parameter.Length;)
        {
            if (Next(parameter, ref at) != '.' || ++dots > 2) return false;
        }
        return true;
    }

    private static void Write(OutputBuffer output, byte b, bool isPlain)
    {
        if (isPlain)
        {
            output.Write(b);
            return;
        }
        ReadOnlySpan<byte> digits = "0123456789ABCDEF"u8;
        output.Write((byte)'%');
        output.Write(digits[b >> 4]);
        output.Write(digits[b & 15]);
    }

    private static int HexOf(byte b) => b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;
}
