using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Transport.Epoll;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>The side of the process that takes over: has the sockets of the one before, tells it that it serves.</summary>
internal sealed class HandoverClient : IDisposable
{
    // From the end of its connections to that of a process; and how often it is looked for meanwhile.
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(2), EndInterval = TimeSpan.FromMilliseconds(50);

    private readonly Socket _connection;

    private HandoverClient(Socket connection) => _connection = connection;

    /// <summary>What the process before was told.</summary>
    internal HandoverState State { get; private set; } = HandoverState.Empty;

    /// <summary>Takes the sockets: they are in <see cref="InheritedSockets"/> then. The process before serves on until <see cref="Serving"/>.</summary>
    /// <exception cref="IOException">Nobody hands anything over there.</exception>
    internal static HandoverClient Take(string path)
    {
        Socket connection = HandoverSocket.Create();
        try
        {
            connection.Connect(new UnixDomainSocketEndPoint(path));
            var client = new HandoverClient(connection);
            if (DescriptorPassing.TrySend((int)connection.Handle, HandoverSocket.TakeOver, []) && client.Read(HandoverSocket.End)) return client;
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

    /// <summary>Tells the process before that it may leave. True when it does, or has ended: then <see cref="State"/> is its last. False when it goes on, and this one has to end.</summary>
    /// <param name="version">Of this process.</param>
    internal bool Serving(string version)
    {
        try
        {
            if (DescriptorPassing.TrySend((int)_connection.Handle, $"{HandoverSocket.Serving}{Environment.ProcessId} {version}", []) && Read(HandoverSocket.Leaving)) return true;
        }
        catch (System.Text.Json.JsonException)
        {
            return false; // it speaks otherwise
        }
        return HasEnded(HandoverSocket.Peer(_connection).Process);
    }

    // Up to a message, with the state and the sockets before it; false where the other side is gone.
    private bool Read(string last)
    {
        var state = new StringBuilder();
        while (DescriptorPassing.Receive((int)_connection.Handle, out int[] descriptors) is { } message)
        {
            foreach (int fd in descriptors) InheritedSockets.TryAdd(fd, hasFile: message == HandoverSocket.Listener);
            if (message.StartsWith(HandoverSocket.State, StringComparison.Ordinal)) state.Append(message, HandoverSocket.State.Length, message.Length - HandoverSocket.State.Length);
            if (message == HandoverSocket.End)
            {
                State = HandoverState.Parse(state.ToString()) ?? throw new System.Text.Json.JsonException("there is no state");
                state.Clear();
            }
            if (message == last) return true;
        }
        return false;
    }

    // The kernel closes the connections of a process that ends before others see that it has.
    private static bool HasEnded(int process)
    {
        if (process <= 0) return false;
        for (TimeSpan waited = TimeSpan.Zero; waited < EndMax; waited += EndInterval)
        {
            try
            {
                // proc(5): the state follows the name, which is in parentheses and may have some itself.
                string status = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
                if (status[status.LastIndexOf(')')..] is [_, _, 'Z' or 'X', ..]) return true;
            }
            catch (IOException)
            {
                return true;
            }
            Thread.Sleep(EndInterval);
        }
        return false;
    }

    /// <summary>Lets the process before be, and closes the sockets that nobody has taken.</summary>
    public void Dispose()
    {
        _connection.Dispose();
        InheritedSockets.CloseRest();
    }
}
