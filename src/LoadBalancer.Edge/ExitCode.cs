namespace LoadBalancer.Edge;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    internal const int Ok = 0;
    /// <summary>A bad configuration, an address in use, a failure while running.</summary>
    internal const int Problem = 1;
    /// <summary>The command line itself is wrong.</summary>
    internal const int Usage = 2;
    /// <summary>Done, but for what is listed.</summary>
    internal const int Partial = 3;
}
