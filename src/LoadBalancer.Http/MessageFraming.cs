namespace LoadBalancer.Http;

/// <summary>How the end of a message body is found (RFC 9112 §6.3).</summary>
public enum MessageFraming : byte
{
    /// <summary>No body.</summary>
    None,
    /// <summary>Exactly <see cref="MessageHead.ContentLength"/> bytes (may be 0).</summary>
    ContentLength,
    /// <summary>The chunked coding.</summary>
    Chunked,
    /// <summary>Until the connection ends: responses only.</summary>
    UntilClose,
}

/// <summary>Result of a parse step.</summary>
public enum ParseStatus : byte
{
    /// <summary>Everything asked for is there.</summary>
    Complete,
    /// <summary>The bytes so far are good but end too early.</summary>
    NeedMore,
    /// <summary>The bytes are not acceptable; the reason says why. The connection must not be used further.</summary>
    Rejected,
}
