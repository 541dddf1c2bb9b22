namespace LoadBalancer.Caching.Storage.Bodies;

/// <summary>Waits for more of a body that is still being received.</summary>
public interface IBodyWatcher
{
    /// <summary>There is more of the body, or it has ended; called once for each <see cref="StoredBody.TryWatch"/>, on the writer's thread: it hands over to its own loop and returns.</summary>
    void OnBodyChanged(StoredBody body);
}
