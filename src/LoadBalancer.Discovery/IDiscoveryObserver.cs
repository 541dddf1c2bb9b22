namespace LoadBalancer.Discovery;

/// <summary>Is told of every look at a source of destinations, after what it found is in use.</summary>
public interface IDiscoveryObserver
{
    /// <summary>Called by the task of that source; must not block.</summary>
    void OnRefreshed(DiscoveryRecord record);
}
