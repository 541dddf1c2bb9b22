using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

// Another process takes the sockets over.
public sealed partial class ProxyServer
{
    /// <summary>The bound sockets; of transports that cannot hand them over, none.</summary>
    internal IEnumerable<EpollListener> ListeningSockets => Snapshot.Listeners.Select(listener => listener.State.Socket).OfType<EpollListener>();

    /// <summary>Whether this process comes after one that serves still, and has its folders in use. Set before the start.</summary>
    internal bool IsTakingOver { get; set; }

    /// <summary>Drains a destination as the process before did, or takes that back; one that discovery has not found yet, once it has. Thread-safe.</summary>
    internal void TakeOverDraining(string cluster, string destination, bool draining)
    {
        ClusterMembers members = Cluster(cluster).Members;
        if (draining) members.AwaitToDrain(destination, _time.GetTimestamp()); // first: it may be found at this moment
        if (SetDraining(cluster, destination, draining) || !draining) members.NoLongerAwait(destination);
    }

    /// <summary>What drains, or is to drain once it is found, by cluster.</summary>
    internal IEnumerable<(string Cluster, string Destination)> Drained => Snapshot.Clusters.SelectMany(cluster => cluster.Members.Awaited
        .Concat(cluster.Scheduler.Destinations.Where(one => one.Status.HasFlag(DestinationStatus.Draining)).Select(one => ((DestinationState)one.Tag!).Name)).Select(name => (cluster.Name, name)));

    /// <summary>The process before has left: the files of its sockets are this one's.</summary>
    internal void ClaimSockets()
    {
        foreach (ListenerSnapshot listener in Snapshot.Listeners) listener.State.Socket?.Claim();
    }

    /// <summary>
    /// Another process accepts from the same sockets by now: nothing new is accepted here, each connection ends with its next answer, and what is idle is left alone for
    /// <paramref name="idleGrace"/>, so that no client writes its request to a connection that is being closed. <see cref="StopAsync"/> follows.
    /// </summary>
    internal async Task LeaveAsync(TimeSpan idleGrace, CancellationToken cancellationToken)
    {
        ProxySnapshot snapshot;
        lock (_reloading)
        {
            if (_stopped || _isLeaving) return;
            _isLeaving = true;
            snapshot = _snapshot;
        }
        foreach (EpollListener socket in ListeningSockets) socket.HandOver();
        await OnLoopsAsync(context =>
        {
            foreach (ListenerSnapshot listener in snapshot.Listeners)
                if (listener.State.Socket is { } socket) context.Loop.StopAccepting(socket);
            context.BeginLeaving();
        }).ConfigureAwait(false);
        foreach (ListenerSnapshot listener in snapshot.Listeners) listener.State.Socket?.Dispose(); // the other process has its own descriptors
        try
        {
            await _drained.Task.WaitAsync(idleGrace, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
        }
    }

    private bool _isLeaving;
}
