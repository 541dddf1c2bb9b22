using System.Globalization;
using System.Net.Sockets;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>The process that has taken over.</summary>
internal sealed record Successor(int ProcessId, string? Version);

/// <summary>The side of the process that serves: hands its sockets to whoever takes over. One at a time; on a thread of its own, as it waits.</summary>
internal sealed class HandoverServer : IDisposable
{
    private const int FirstProcess = 1;

    // For changes that are under way when the other process serves; and, out of descriptors, until the next attempt to accept.
    private static readonly TimeSpan ChangesMax = TimeSpan.FromSeconds(10), AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly ProxyServer _server;
    private readonly AdminServer _admin;
    private readonly ILogger _logger;
    private Socket _listener;
    private readonly TaskCompletionSource<Successor> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _closed = new();
    private readonly Lock _deciding = new(); // whether this process stops, gives the other up, or leaves: one of them, and all ask here
    private bool _isClosed, _isTaken;
    private int _givenUp; // the process that is too late; 0 for none

    private HandoverServer(string path, ProxyServer server, AdminServer admin, ILogger logger)
    {
        (Path, _server, _admin, _logger) = (path, server, admin, logger);
        _listener = Listen(path);
        new Thread(Run) { IsBackground = true, Name = "handover" }.Start();
    }

    private static Socket Listen(string path)
    {
        Socket listener = HandoverSocket.Create();
        try
        {
            File.Delete(path); // of a process that is gone: the admin listener beside it is ours
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(1);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Begins to wait; null where sockets cannot be handed over.</summary>
    internal static HandoverServer? TryStart(ProxyServer server, AdminServer? admin, ILogger logger)
    {
        if (admin is null || server.Transport != "epoll" || HandoverSocket.PathOf(admin.EndPoint) is not { } path) return null;
        if (Environment.ProcessId == FirstProcess)
        {
            // pid_namespaces(7): the kernel kills all others with it, the successor too.
            admin.UpgradeProblem = "this is process 1 of a container, which ends when it leaves; replace the container instead";
            return null;
        }
        try
        {
            return new(path, server, admin, logger);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException) // the last: a path that is too long
        {
            string problem = e.Message.ReplaceLineEndings(" ");
            admin.UpgradeProblem = $"no process can take over by {path}: {problem}";
            logger.NoHandover(path, problem);
            return null;
        }
    }

    /// <summary>Where it waits.</summary>
    internal string Path { get; }

    /// <summary>Ends with the process that serves now, and accepts all that comes.</summary>
    internal Task<Successor> Taken => _taken.Task;

    /// <summary>Has a process that did not serve in time never be believed that it does; false where it has taken over already.</summary>
    internal bool TryGiveUp(int process)
    {
        lock (_deciding)
        {
            if (_isTaken) return false;
            _givenUp = process;
            return true;
        }
    }

    /// <summary>Hands nothing over any more, as the process stops; false where another has taken over already.</summary>
    internal bool TryClose()
    {
        lock (_deciding)
        {
            if (_isTaken) return false;
            if (_isClosed) return true;
            _isClosed = true;
            _listener.Dispose(); // which deletes its file
            _closed.Set();
            return true;
        }
    }

    private void Run()
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = _listener.Accept();
            }
            catch (SocketException) when (!Volatile.Read(ref _isClosed))
            {
                _closed.Wait(AcceptPause); // out of descriptors, for example: the next attempt would fail at once
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            using (connection)
            {
                try
                {
                    HandoverSocket.SetTimeout(connection);
                    if (HandoverSocket.IsTrusted(connection) && TryHandOver(connection)) return;
                }
                catch (SocketException)
                {
                    // It went away.
                }
            }
        }
    }

    private bool TryHandOver(Socket connection)
    {
        int socket = (int)connection.Handle;
        if (DescriptorPassing.Receive(socket, out _) != HandoverSocket.TakeOver) return false;
        _admin.BeginHandingOver();
        bool isTaken = false;
        try
        {
            IEnumerable<EpollListener> listeners = _admin.Server?.Socket is { } admin ? _server.ListeningSockets.Append(admin) : _server.ListeningSockets;
            foreach (EpollListener listener in listeners)
                foreach (int[] part in listener.Descriptors.Chunk(DescriptorPassing.DescriptorsMax))
                    if (!DescriptorPassing.TrySend(socket, listener.HasFile ? HandoverSocket.Listener : HandoverSocket.Lent, part)) return false;
            if (!TrySendState(socket)) return false;
            isTaken = ParseServing(DescriptorPassing.Receive(socket, out _)) is { } successor && TryLeave(socket, successor);
            if (!isTaken) _logger.HandoverGivenUp();
            return isTaken;
        }
        finally
        {
            if (!isTaken) _admin.EndHandingOver();
        }
    }

    // Blocks whoever wants to stop or to give up meanwhile: the other process reads at once, or the time-out of the socket ends it.
    private bool TryLeave(int socket, Successor successor)
    {
        lock (_deciding)
        {
            if (_isClosed || successor.ProcessId == _givenUp) return false;
            // What was answered as done until here is told; what comes now is asked of the other process.
            if (!_admin.Changes.TryClose(ChangesMax)) return false;
            if (!TrySendState(socket) || !TrySendLeaving(socket))
            {
                _admin.Changes.Open();
                return false;
            }
            _isTaken = _isClosed = true;
        }
        _taken.TrySetResult(successor);
        return true;
    }

    // With the listener its file is deleted: once the other process has read that we leave, there is its own.
    private bool TrySendLeaving(int socket)
    {
        _listener.Dispose();
        if (DescriptorPassing.TrySend(socket, HandoverSocket.Leaving, [])) return true;
        try
        {
            _listener = Listen(Path);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            _isClosed = true;
            _logger.NoHandover(Path, e.Message.ReplaceLineEndings(" "));
        }
        return false;
    }

    private bool TrySendState(int socket)
    {
        string state = HandoverState.Of(_server, _admin).ToJson();
        for (int at = 0; at < state.Length; at += HandoverSocket.StateLengthMax)
            if (!DescriptorPassing.TrySend(socket, string.Concat(HandoverSocket.State, state.AsSpan(at, Math.Min(HandoverSocket.StateLengthMax, state.Length - at))), [])) return false;
        return DescriptorPassing.TrySend(socket, HandoverSocket.End, []);
    }

    private static Successor? ParseServing(string? message)
    {
        if (message is null || !message.StartsWith(HandoverSocket.Serving, StringComparison.Ordinal)) return null;
        string[] words = message[HandoverSocket.Serving.Length..].Split(' ', 2);
        return int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int process) ? new(process, words.Length > 1 ? words[1] : null) : null;
    }

    public void Dispose() => TryClose();
}
