namespace LoadBalancer.Core.Metrics;

/// <summary>A route by its name: what stays when the configuration changes, as long as there is a route of that name.</summary>
/// <param name="name">In the configuration; "" for requests that took none.</param>
internal sealed class RouteState(string name)
{
    /// <summary>Stands for requests that took no route.</summary>
    internal static readonly RouteState None = new("");

    private bool _isGone;

    internal string Name => name;

    /// <summary>The configuration has no such route any more.</summary>
    internal bool IsGone
    {
        get => Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, value);
    }
}
