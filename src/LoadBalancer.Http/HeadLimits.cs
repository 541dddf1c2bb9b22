namespace LoadBalancer.Http;

/// <summary>Bounds on one message head. The same values must be given to every <c>Parse</c> call of one message.</summary>
/// <param name="StartLineBytesMax">Longest request line without its CRLF, in bytes; longer ones are <see cref="RejectionReason.StartLineTooLong"/>.
/// Not used for responses, whose status line is bounded by <paramref name="HeadBytesMax"/>.</param>
/// <param name="HeadBytesMax">Largest head with start line, fields and the empty line, in bytes; larger ones are <see cref="RejectionReason.HeadTooLarge"/>.</param>
/// <param name="FieldCountMax">Most field lines; more are <see cref="RejectionReason.TooManyFields"/>.</param>
public readonly record struct HeadLimits(int StartLineBytesMax, int HeadBytesMax, int FieldCountMax)
{
    /// <summary>8 KiB, 32 KiB, 128 fields: nginx large_client_header_buffers (4 × 8 KiB) and Kestrel's order of field count (100).</summary>
    public static HeadLimits Default => new(8 * 1024, 32 * 1024, 128);
}
