namespace LoadBalancer.Core;

/// <summary>A listener's address could not be bound. The message is one line for an operator.</summary>
public sealed class ListenException(string listener, string address, string reason, Exception? inner = null)
    : Exception($"listener '{listener}': cannot listen on {address}: {reason}", inner)
{
    /// <summary>Name of the listener.</summary>
    public string Listener { get; } = listener;
}
