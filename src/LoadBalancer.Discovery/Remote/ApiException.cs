namespace LoadBalancer.Discovery.Remote;

/// <summary>An API that we ask is away, or said no; the message is the operator's.</summary>
internal sealed class ApiException(string message, int status = 0, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Of the answer; 0 when there was none.</summary>
    internal int Status { get; } = status;

    /// <summary>Text of others in one line, and not without end.</summary>
    internal static string Short(string text)
    {
        const int LengthMax = 300;
        string line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length <= LengthMax ? line : line[..LengthMax] + "…";
    }
}
