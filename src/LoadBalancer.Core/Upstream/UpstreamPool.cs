using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;

namespace LoadBalancer.Core.Upstream;

/// <summary>
/// Kept connections of one loop to one destination. Last returned, first rented: the warmest is used and the surplus ages out.
/// Bounded by count (the loop's share of the configured limit), idle time and life.
/// </summary>
internal sealed class UpstreamPool(LoopContext context, DestinationState destination)
{
    private readonly int _idleMax = Math.Max(1, (destination.Pool.IdleConnectionsMax + context.LoopCount - 1) / context.LoopCount);
    private readonly long _idleMilliseconds = (long)destination.Pool.IdleTimeout.TotalMilliseconds;
    private readonly long _lifeMilliseconds = (long)destination.Pool.LifeMax.TotalMilliseconds;
    private UpstreamConnection? _top, _bottom;
    private bool _isRetired;

    internal int IdleCount { get; private set; }

    /// <summary>What shortens the next hand-shake with the destination; null where there is none.</summary>
    internal SessionSlot? TlsSession { get; } = destination.Tls is null ? null : new();

    /// <summary>Whether each connection begins with a PROXY header, and is that client's alone: <see cref="ClientUpstreams"/> keeps and rents it.</summary>
    internal bool IsPerClient => destination.ProxyProtocol != ProxyProtocolVersion.Off;

    /// <summary>The most recently used idle connection that still can be used, or null. Hot path: per request.</summary>
    internal UpstreamConnection? TryRent()
    {
        if (IsPerClient) return null;
        while (_top is { } connection)
            if (TryRent(connection)) return connection;
        return null;
    }

    /// <summary>Takes one that is idle here out; false, and it is closed, when it can be used no more.</summary>
    internal bool TryRent(UpstreamConnection connection)
    {
        Unlink(connection);
        if (connection.Transport.IsReusable && connection.ExpiresAt > context.Loop.NowMilliseconds)
        {
            connection.WasReused = true;
            return true;
        }
        Discard(connection);
        return false;
    }

    /// <summary>A new, unconnected connection; the caller connects it. Null when the destination's limit is reached.</summary>
    internal UpstreamConnection? Create(EndPoint endPoint, bool isHttp = true)
    {
        if (!destination.TryOpen())
        {
            // What idles for other clients must not keep this one out.
            if (!IsPerClient || _bottom is not { } idle) return null;
            RemoveIdle(idle);
            if (!destination.TryOpen()) return null;
        }
        var connection = new UpstreamConnection(this, destination.CreateConnection(context, endPoint, isHttp))
        {
            // ±20 %, so that connections made together do not end together.
            ExpiresAt = _lifeMilliseconds == 0
                ? long.MaxValue
                : context.Loop.NowMilliseconds + (long)(_lifeMilliseconds * (0.8 + 0.4 * context.Random.NextDouble())),
        };
        connection.Transport.Observer = connection;
        return connection;
    }

    /// <summary>Takes a connection back whose exchange ended in order; keeps it if the bounds allow. Hot path: per request.</summary>
    internal void Return(UpstreamConnection connection)
    {
        if (IsPerClient) Discard(connection);
        else Keep(connection);
    }

    /// <summary>The same for a connection that whoever calls will find again.</summary>
    internal void Keep(UpstreamConnection connection)
    {
        if (!connection.Transport.IsReusable || connection.ExpiresAt <= context.Loop.NowMilliseconds || context.IsDraining || _isRetired || _idleMilliseconds == 0)
        {
            Discard(connection);
            return;
        }
        connection.IsIdle = true;
        connection.Below = _top;
        if (_top is not null) _top.Above = connection;
        else _bottom = connection;
        _top = connection;
        context.Loop.Timers.Set(connection, context.Loop.NowMilliseconds + _idleMilliseconds);
        if (++IdleCount > _idleMax) RemoveIdle(_bottom!);
    }

    /// <summary>Closes a connection that is not to be used again.</summary>
    internal void Discard(UpstreamConnection connection)
    {
        context.Loop.Timers.Remove(connection);
        connection.Transport.Close();
        destination.Closed();
    }

    internal void RemoveIdle(UpstreamConnection connection)
    {
        Unlink(connection);
        Discard(connection);
    }

    /// <summary>Keeps nothing from now on.</summary>
    internal void Retire()
    {
        _isRetired = true;
        Clear();
        TlsSession?.Dispose();
    }

    /// <summary>Closes all idle connections.</summary>
    internal void Clear()
    {
        while (_top is { } connection) RemoveIdle(connection);
    }

    private void Unlink(UpstreamConnection connection)
    {
        connection.IsIdle = false;
        if (connection.Above is { } above) above.Below = connection.Below;
        else _top = connection.Below;
        if (connection.Below is { } below) below.Above = connection.Above;
        else _bottom = connection.Above;
        connection.Above = connection.Below = null;
        IdleCount--;
        LoadBalancer.Core.Timers.TimerWheel.Cancel(connection);
    }
}
