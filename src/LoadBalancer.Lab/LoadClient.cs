using System.Net;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Lab;

/// <summary>Sends requests to one balancer, each at once, on a connection that is free or new. On the turn's loop.</summary>
internal sealed class LoadClient(LiveTurn turn, TransportLoop loop, EndPoint endPoint, int connectionsMax)
{
    private readonly Stack<ClientConnection> _free = new();
    private readonly Queue<(int Id, ulong Key)> _waiting = new();
    private int _connections;

    internal void Send(int id, ulong key)
    {
        while (_free.TryPop(out ClientConnection? free))
        {
            if (free.IsClosed) continue;
            free.Send(id, key);
            return;
        }
        if (_connections < connectionsMax)
        {
            _connections++;
            new ClientConnection(turn, this, loop.CreateOutbound(endPoint)).Start(id, key);
        }
        else _waiting.Enqueue((id, key));
    }

    /// <summary>A connection has nothing to do.</summary>
    internal void Freed(ClientConnection connection)
    {
        if (_waiting.TryDequeue(out (int Id, ulong Key) next)) connection.Send(next.Id, next.Key);
        else _free.Push(connection);
    }

    /// <summary>A connection has ended.</summary>
    internal void Closed()
    {
        _connections--;
        if (_waiting.TryDequeue(out (int Id, ulong Key) next)) Send(next.Id, next.Key);
    }
}
