namespace LoadBalancer.Balancing;

/// <summary>Is told when the status of a scheduler's members changes: for logs, and for those who wait for a destination.</summary>
public interface IStatusObserver
{
    /// <summary>
    /// A status has changed and picks follow it. Called on the thread that caused it, outside of locks: notices of two changes at once may come
    /// in either order. Must be quick.
    /// </summary>
    void OnStatusChanged(Destination destination, DestinationStatus before, DestinationStatus after);
}
