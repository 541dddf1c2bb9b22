namespace LoadBalancer.Http;

/// <summary>The status that answers each rejection of a request. A rejected response is always 502.</summary>
public static class Rejections
{
    /// <summary>400, or the more telling 413-class status where there is one.</summary>
    public static int StatusOf(RejectionReason reason) => reason switch
    {
        RejectionReason.StartLineTooLong => 414,
        RejectionReason.HeadTooLarge or RejectionReason.TooManyFields => 431,
        RejectionReason.UnsupportedTransferEncoding => 501,
        RejectionReason.UnsupportedVersion => 505,
        RejectionReason.UnsupportedExpectation => 417,
        _ => 400,
    };
}
