using System.Formats.Asn1;
using System.Globalization;
using System.Text;

namespace LoadBalancer.Core.Forwarding;

/// <summary>A distinguished name of X.500 as RFC 4514 writes it, in printable ASCII only: safe in a field of a request.</summary>
internal static class DistinguishedName
{
    /// <summary>Formats a name.</summary>
    /// <param name="name">DER (RDNSequence).</param>
    /// <exception cref="AsnContentException">It is none.</exception>
    internal static string Format(ReadOnlyMemory<byte> name)
    {
        AsnReader sequence = new AsnReader(name, AsnEncodingRules.DER).ReadSequence();
        var parts = new List<string>();
        while (sequence.HasData)
        {
            AsnReader set = sequence.ReadSetOf();
            var part = new StringBuilder();
            while (set.HasData)
            {
                if (part.Length > 0) part.Append('+');
                AppendAttribute(part, set.ReadSequence());
            }
            parts.Add(part.ToString());
        }
        parts.Reverse(); // §2.1: the last comes first
        return string.Join(',', parts);
    }

    private static void AppendAttribute(StringBuilder text, AsnReader attribute)
    {
        string type = attribute.ReadObjectIdentifier();
        ReadOnlyMemory<byte> value = attribute.PeekEncodedValue();
        string? shortName = ShortName(type);
        text.Append(shortName ?? type).Append('=');
        if (shortName is not null && Text(attribute) is { } readable) AppendEscaped(text, readable);
        else text.Append('#').Append(Convert.ToHexStringLower(value.Span)); // §2.4
    }

    private static string? Text(AsnReader attribute)
    {
        Asn1Tag tag = attribute.PeekTag();
        if (tag.TagClass != TagClass.Universal) return null;
        var encoding = (UniversalTagNumber)tag.TagValue;
        return encoding is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
            or UniversalTagNumber.BMPString or UniversalTagNumber.TeletexString ? attribute.ReadCharacterString(encoding) : null;
    }

    // §2.4; what is not printable ASCII goes as the bytes of UTF-8.
    private static void AppendEscaped(StringBuilder text, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        for (int i = 0; i < bytes.Length; i++)
        {
            char character = (char)bytes[i];
            bool isEdge = i == 0 || i == bytes.Length - 1;
            if (character is < ' ' or > '~') text.Append(CultureInfo.InvariantCulture, $"\\{bytes[i]:X2}");
            else if (character is '"' or '+' or ',' or ';' or '<' or '>' or '\\' || (character == ' ' && isEdge) || (character == '#' && i == 0)) text.Append('\\').Append(character);
            else text.Append(character);
        }
    }

    // §3, and the e-mail address, which stands in many old names.
    private static string? ShortName(string type) => type switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => null,
    };
}
