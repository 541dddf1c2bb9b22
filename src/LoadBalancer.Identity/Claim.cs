using System.Globalization;

namespace LoadBalancer.Identity;

/// <summary>Types of a claim's value.</summary>
public enum ClaimKind
{
    /// <summary>null.</summary>
    Null,
    /// <summary>A string.</summary>
    Text,
    /// <summary>A number.</summary>
    Number,
    /// <summary>true or false.</summary>
    Flag,
    /// <summary>An array.</summary>
    List,
    /// <summary>An object.</summary>
    Object,
}

/// <summary>One statement about a principal. Immutable.</summary>
public sealed class Claim
{
    internal Claim(string name, ClaimKind kind, ReadOnlyMemory<byte> json, string text, IReadOnlyList<string> values, bool isTexts)
    {
        Name = name;
        Kind = kind;
        Json = json;
        Text = text;
        Values = values;
        IsTexts = isTexts;
    }

    /// <summary>Its name; of a member of an object with the names above it, with dots ("realm_access.roles").</summary>
    public string Name { get; }

    /// <summary>Its type.</summary>
    public ClaimKind Kind { get; }

    /// <summary>Its value as JSON, in UTF-8, as it was written.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>A string as it reads, anything else as JSON.</summary>
    public string Text { get; }

    /// <summary>Of a list its strings, numbers and flags; else the value itself, but none of null and of an object.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Whether it is a string or a list of nothing but strings.</summary>
    public bool IsTexts { get; }

    /// <summary>Whether the value, or one of a list, is this. Does not allocate.</summary>
    public bool Has(string value)
    {
        for (int i = 0; i < Values.Count; i++)
            if (string.Equals(Values[i], value, StringComparison.Ordinal)) return true;
        return false;
    }

    /// <summary>
    /// A time in seconds since 1970 (RFC 7519 §2, NumericDate), of which a fraction is dropped. False when it is no number, or none between 1970 and 9999: a date beyond
    /// is nobody's honest one, and a sum with the skew would overflow.
    /// </summary>
    internal bool TryGetSeconds(out long seconds)
    {
        const double Max = 253_402_300_799;
        seconds = 0;
        if (Kind != ClaimKind.Number || !double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)) return false;
        if (!(value is >= 0 and <= Max)) return false;
        seconds = (long)value;
        return true;
    }
}
