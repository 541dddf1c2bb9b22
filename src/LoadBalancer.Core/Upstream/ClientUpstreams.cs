namespace LoadBalancer.Core.Upstream;

/// <summary>
/// The kept connections to destinations that began with the PROXY header of one client's connection: they are rented again for its requests, never for
/// another's. They stand in their pools, under the bounds there, and in this list, from which those that the pools have closed are dropped when it is next
/// gone through: it has at most one for each destination that the client has been led to, and a few. Owner: the client's connection, on its loop's thread.
/// </summary>
internal struct ClientUpstreams
{
    private UpstreamConnection? _first;

    /// <summary>A connection of that pool that still can be used, or null.</summary>
    internal UpstreamConnection? TryRent(UpstreamPool pool)
    {
        UpstreamConnection? previous = null, next;
        for (UpstreamConnection? connection = _first; connection is not null; connection = next)
        {
            next = connection.NextOfClient;
            if (connection.IsIdle && connection.Pool != pool)
            {
                previous = connection;
                continue;
            }
            if (previous is null) _first = next;
            else previous.NextOfClient = next;
            connection.NextOfClient = null;
            if (connection.IsIdle && pool.TryRent(connection)) return connection;
        }
        return null;
    }

    /// <summary>Gives one back whose exchange ended in order; its pool keeps it if the bounds allow.</summary>
    internal void Return(UpstreamConnection connection)
    {
        connection.Pool.Keep(connection);
        if (!connection.IsIdle) return;
        connection.NextOfClient = _first;
        _first = connection;
    }

    /// <summary>Closes them: their client has gone.</summary>
    internal void Close()
    {
        for (UpstreamConnection? connection = _first; connection is not null; connection = connection.NextOfClient)
            if (connection.IsIdle) connection.Pool.RemoveIdle(connection);
        _first = null;
    }
}
