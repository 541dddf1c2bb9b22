using System.Globalization;
using System.Text;

namespace LoadBalancer.Fuzz.Reference;

/// <summary>RFC 3986 §6.2.2, and §5.2.4 as it is written there, with an input and an output.</summary>
internal static class ReferencePath
{
    /// <summary>Null for an encoding that is none, or of NUL.</summary>
    internal static string? Normalize(string path)
    {
        var decoded = new StringBuilder();
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] != '%')
            {
                decoded.Append(path[i]);
                continue;
            }
            if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2])) return null;
            char octet = (char)int.Parse(path.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (octet == 0) return null;
            bool isUnreserved = char.IsAsciiLetterOrDigit(octet) || "-._~".Contains(octet, StringComparison.Ordinal);
            decoded.Append(isUnreserved ? octet.ToString() : path.Substring(i, 3).ToUpperInvariant());
            i += 2;
        }
        return path.StartsWith('/') ? RemoveDotSegments(decoded.ToString()) : decoded.ToString();
    }

    private static string RemoveDotSegments(string input)
    {
        string output = "";
        while (input.Length > 0)
        {
            if (input.StartsWith("/./", StringComparison.Ordinal)) input = input[2..]; // B
            else if (input == "/.") input = "/";
            else if (input.StartsWith("/../", StringComparison.Ordinal)) // C
            {
                input = input[3..];
                output = output[..Math.Max(output.LastIndexOf('/'), 0)];
            }
            else if (input == "/..")
            {
                input = "/";
                output = output[..Math.Max(output.LastIndexOf('/'), 0)];
            }
            else // E
            {
                int next = input.IndexOf('/', 1);
                if (next < 0) next = input.Length;
                output += input[..next];
                input = input[next..];
            }
        }
        return output;
    }
}
