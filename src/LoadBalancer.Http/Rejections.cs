namespace LoadBalancer.Http;

/// <summary>Maps rejections to what the client is told.</summary>
public static class Rejections
{
    /// <summary>
    /// Status for a request that was rejected for this reason. Responses have no such mapping: a bad response from upstream is always 502.
    /// </summary>
    public static int StatusOf(RejectionReason reason) => reason switch
    {
        RejectionReason.StartLineTooLong => 414, // RFC 9112 §3
        RejectionReason.HeadTooLarge or RejectionReason.TooManyFields => 431, // RFC 6585 §5
        RejectionReason.UnsupportedTransferEncoding or RejectionReason.MethodTooLong => 501, // RFC 9112 §6.1, §3
        RejectionReason.UnsecuredHttps => 421, // RFC 9110 §15.5.20
        RejectionReason.UnsupportedVersion => 505, // RFC 9110 §15.6.6
        RejectionReason.UnsupportedExpectation => 417, // RFC 9110 §10.1.1
        _ => 400,
    };
}
