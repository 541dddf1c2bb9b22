using System.Net;
using LoadBalancer.Core.Transport;
using LoadBalancer.Simulation.Engine;

namespace LoadBalancer.Lab;

/// <summary>A simulated server that can be reached: its port and its connections. On the turn's loop.</summary>
internal sealed class EmbeddedServer : IConnectionHandler, IDisposable
{
    private const int Backlog = 4096;
    private readonly LiveTurn _turn;
    private readonly Server _server;
    private readonly TransportLoop _loop;
    private readonly TransportListener _listener;
    private bool _isOpen;

    internal EmbeddedServer(LiveTurn turn, Server server, TransportFactory factory, TransportLoop loop)
    {
        _turn = turn;
        _server = server;
        _loop = loop;
        _listener = factory.Bind(new ListenOptions(new IPEndPoint(IPAddress.Loopback, 0), Backlog, DualStack: false, TimeSpan.Zero, ConnectionsMax: 0), 1);
    }

    internal string Name => _server.Name;

    internal string Address => _listener.LocalEndPoint.ToString()!;

    /// <summary>All it ever had in this turn: the index of one is the number of its job, which may outlive it.</summary>
    internal List<ServerConnection> Connections { get; } = [];

    internal void Open()
    {
        if (_isOpen) return;
        _isOpen = true;
        _loop.StartAccepting(_listener, this);
    }

    public void OnAccepted(TransportConnection connection)
    {
        var accepted = new ServerConnection(_turn, _server, connection, Connections.Count);
        Connections.Add(accepted);
        accepted.Start();
    }

    /// <summary>Resets all connections.</summary>
    internal void Abort()
    {
        foreach (ServerConnection connection in Connections) connection.Abort();
    }

    public void Dispose() => _listener.Dispose();
}
