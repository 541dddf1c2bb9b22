namespace LoadBalancer.Http;

/// <summary>The request method (RFC 9110 §9). Methods are case-sensitive: "get" is <see cref="Other"/>.</summary>
public enum RequestMethod : byte
{
    /// <summary>Any other token; read it from the bytes.</summary>
    Other,
#pragma warning disable CS1591 // the members are the method names themselves
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
#pragma warning restore CS1591
}
