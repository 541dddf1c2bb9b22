using System.Globalization;
using System.Text;

namespace LoadBalancer.Fuzz;

/// <summary>Inputs as text files that editors and version control leave alone: an LF stands for CRLF, other bytes that are not printable ASCII are \xNN.</summary>
internal static class Sample
{
    internal static byte[] Read(string path) => Decode(File.ReadAllText(path, Encoding.Latin1));

    internal static void Write(string path, byte[] input) => File.WriteAllText(path, Encode(input), Encoding.Latin1);

    internal static byte[] Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n') bytes.AddRange("\r\n"u8);
            else if (text[i] != '\\') bytes.Add((byte)text[i]);
            else if (text[i + 1] == '\\') bytes.Add((byte)text[++i]);
            else
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 3;
            }
        }
        return [.. bytes];
    }

    internal static string Encode(byte[] input)
    {
        var text = new StringBuilder();
        for (int i = 0; i < input.Length; i++)
        {
            if (input.AsSpan(i).StartsWith("\r\n"u8))
            {
                text.Append('\n');
                i++;
            }
            else if (input[i] == '\\') text.Append(@"\\");
            else if (input[i] is >= 0x20 and < 0x7F) text.Append((char)input[i]);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{input[i]:X2}");
        }
        return text.ToString();
    }
}
