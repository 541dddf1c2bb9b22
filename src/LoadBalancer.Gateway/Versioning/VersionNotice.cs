using System.Globalization;
using System.Text;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>Tells clients that their version goes: Deprecation (RFC 9745), Sunset (RFC 8594) and the links to read about it.</summary>
internal sealed class VersionNotice
{
    private readonly byte[]? _deprecation, _sunset;
    private readonly byte[][] _links;

    internal VersionNotice(TranslateConfig config)
    {
        // RFC 9745 §2.1: an item of structured fields, a date as "@" and seconds since 1970. RFC 8594 §3: an HTTP-date.
        if (config.Deprecated is { } deprecated) _deprecation = Encoding.ASCII.GetBytes($"@{deprecated.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}");
        if (config.Sunset is { } sunset) _sunset = Encoding.ASCII.GetBytes(sunset.UtcDateTime.ToString("R", CultureInfo.InvariantCulture));
        var links = new List<byte[]>();
        foreach ((string? link, string rel) in new[] { (config.DeprecationLink, "deprecation"), (config.SunsetLink, "sunset"), (config.SuccessorLink, "successor-version") })
            if (link is not null) links.Add(Encoding.ASCII.GetBytes($"<{link}>; rel=\"{rel}\""));
        _links = [.. links];
    }

    internal void Write(HeaderFields fields)
    {
        if (_deprecation is not null) fields.Set("Deprecation"u8, _deprecation);
        if (_sunset is not null) fields.Set("Sunset"u8, _sunset);
        foreach (byte[] link in _links) fields.Append("Link"u8, link);
    }
}
