namespace LoadBalancer.Http;

/// <summary>Bounds of a message head.</summary>
/// <param name="StartLineBytesMax">Longest request or status line, in bytes.</param>
/// <param name="HeadBytesMax">Largest head with its empty line, in bytes.</param>
/// <param name="FieldCountMax">Most field lines.</param>
public readonly record struct HeadLimits(int StartLineBytesMax, int HeadBytesMax, int FieldCountMax);
