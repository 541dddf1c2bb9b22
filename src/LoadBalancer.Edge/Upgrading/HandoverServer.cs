using System.Globalization;
using System.Net.Sockets;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>The side of the process that serves: hands its sockets to whoever takes over. One at a time; on a thread of its own, as it waits.</summary>
internal sealed class HandoverServer : IDisposable
{
    private const int FirstProcess = 1;

    private readonly string _path;
    private readonly ProxyServer _server;
    private readonly AdminServer _admin;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly TaskCompletionSource<int> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isClosed;

    private HandoverServer(string path, ProxyServer server, AdminServer admin, ILogger logger)
    {
        (_path, _server, _admin, _logger) = (path, server, admin, logger);
        _listener = HandoverSocket.Create();
        try
        {
            File.Delete(path); // of a process that is gone: the admin listener beside it is ours
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            _listener.Listen(1);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
        new Thread(Run) { IsBackground = true, Name = "handover" }.Start();
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

    /// <summary>Ends with the process that serves now, and accepts all that comes.</summary>
    internal Task<int> Taken => _taken.Task;

    private void Run()
    {
        while (true)
        {
            try
            {
                using Socket connection = _listener.Accept();
                HandoverSocket.SetTimeout(connection);
                if (HandoverSocket.IsTrusted(connection) && TryHandOver(connection)) return;
            }
            catch (SocketException) when (Volatile.Read(ref _isClosed) == 0)
            {
                // It went away, or said nothing for too long.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private bool TryHandOver(Socket connection)
    {
        int socket = (int)connection.Handle;
        if (DescriptorPassing.Receive(socket, out _) != HandoverSocket.TakeOver) return false;
        IEnumerable<EpollListener> listeners = _admin.Server?.Socket is { } admin ? _server.ListeningSockets.Append(admin) : _server.ListeningSockets;
        foreach (EpollListener listener in listeners)
            foreach (int[] part in listener.Descriptors.Chunk(DescriptorPassing.DescriptorsMax))
                if (!DescriptorPassing.TrySend(socket, listener.HasFile ? HandoverSocket.Listener : HandoverSocket.Lent, part)) return false;
        string state = HandoverState.Of(_server, _admin).ToJson();
        for (int at = 0; at < state.Length; at += HandoverSocket.StateLengthMax)
            if (!DescriptorPassing.TrySend(socket, string.Concat(HandoverSocket.State, state.AsSpan(at, Math.Min(HandoverSocket.StateLengthMax, state.Length - at))), [])) return false;
        if (!DescriptorPassing.TrySend(socket, HandoverSocket.End, [])) return false;
        if (DescriptorPassing.Receive(socket, out _) is not { } answer || !answer.StartsWith(HandoverSocket.Serving, StringComparison.Ordinal)
            || !int.TryParse(answer.AsSpan(HandoverSocket.Serving.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
        {
            _logger.HandoverGivenUp();
            return false;
        }
        Dispose(); // the next one waits at this path
        _taken.TrySetResult(process);
        DescriptorPassing.TrySend(socket, HandoverSocket.Leaving, []);
        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0) return;
        File.Delete(_path);
        _listener.Dispose();
    }
}
