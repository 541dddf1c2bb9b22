namespace LoadBalancer.Http;

/// <summary>The four forms of a request target (RFC 9112 §3.2).</summary>
public enum TargetForm : byte
{
    /// <summary>"/path?query".</summary>
    Origin,
    /// <summary>"http://authority/path?query"; its authority replaces Host.</summary>
    Absolute,
    /// <summary>"host:port", of CONNECT only.</summary>
    Authority,
    /// <summary>"*", of OPTIONS only.</summary>
    Asterisk,
}
