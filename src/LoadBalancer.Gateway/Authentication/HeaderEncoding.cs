namespace LoadBalancer.Gateway.Authentication;

/// <summary>How values of claims are written into header fields.</summary>
public enum HeaderEncoding
{
    /// <summary>As they are, but what is no ASCII, "%" and, in a list, "," percent-encoded (RFC 3986 §2.1) as UTF-8. Lists are separated by commas.</summary>
    Percent,
    /// <summary>Base64 of the UTF-8 text (RFC 4648 §4); of a list, of its JSON.</summary>
    Base64,
}
