using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Transport.Epoll;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>The side of the process that takes over: has the sockets of the one before, tells it that it serves.</summary>
internal sealed class HandoverClient : IDisposable
{
    private readonly Socket _connection;

    private HandoverClient(Socket connection, HandoverState state)
    {
        _connection = connection;
        State = state;
    }

    /// <summary>What the process before was told.</summary>
    internal HandoverState State { get; }

    /// <summary>Takes the sockets: they are in <see cref="InheritedSockets"/> then. The process before serves on until <see cref="Serving"/>.</summary>
    /// <exception cref="IOException">Nobody hands anything over there.</exception>
    internal static HandoverClient Take(string path)
    {
        Socket connection = HandoverSocket.Create();
        try
        {
            connection.Connect(new UnixDomainSocketEndPoint(path));
            int socket = (int)connection.Handle;
            bool isSent = DescriptorPassing.TrySend(socket, HandoverSocket.TakeOver, []);
            var state = new StringBuilder();
            while (isSent && DescriptorPassing.Receive(socket, out int[] descriptors) is { } message)
            {
                foreach (int fd in descriptors) InheritedSockets.TryAdd(fd, hasFile: message == HandoverSocket.Listener);
                if (message.StartsWith(HandoverSocket.State, StringComparison.Ordinal)) state.Append(message, HandoverSocket.State.Length, message.Length - HandoverSocket.State.Length);
                if (message == HandoverSocket.End && HandoverState.Parse(state.ToString()) is { } parsed) return new(connection, parsed);
            }
            throw new IOException($"{path}: the lb that serves has handed nothing over");
        }
        catch (Exception e) when (e is SocketException or System.Text.Json.JsonException or ArgumentException) // the last: a path that is too long
        {
            connection.Dispose();
            throw new IOException($"{path}: no lb that serves hands its sockets over there: {e.Message.ReplaceLineEndings(" ")}");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Tells the process before that it may leave, and waits until it accepts nothing any more at this path.</summary>
    internal void Serving()
    {
        int socket = (int)_connection.Handle;
        if (DescriptorPassing.TrySend(socket, $"{HandoverSocket.Serving}{Environment.ProcessId}", [])) DescriptorPassing.Receive(socket, out _);
    }

    public void Dispose() => _connection.Dispose();
}
