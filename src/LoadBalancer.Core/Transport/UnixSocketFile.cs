using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Transport;

/// <summary>The file that a listening Unix socket leaves behind.</summary>
internal static class UnixSocketFile
{
    /// <summary>Its path, or null for one of Linux's abstract names, which are no files.</summary>
    internal static string? PathOf(UnixDomainSocketEndPoint endPoint)
    {
        string path = endPoint.ToString();
        return path.StartsWith('@') ? null : path;
    }

    /// <summary>Sets who may connect. Between bind() and listen(): nobody can connect before the second.</summary>
    internal static void SetMode(EndPoint endPoint, UnixFileMode? mode)
    {
        if (mode is { } wanted && !OperatingSystem.IsWindows() && endPoint is UnixDomainSocketEndPoint unix && PathOf(unix) is { } path) File.SetUnixFileMode(path, wanted);
    }

    /// <summary>
    /// Makes way for a bind: a socket file whose owner is gone is removed. One that somebody answers on is in use, and anything
    /// else is left for bind() to refuse.
    /// </summary>
    /// <exception cref="SocketException">Somebody listens there.</exception>
    internal static void RemoveStale(UnixDomainSocketEndPoint endPoint)
    {
        var file = PathOf(endPoint) is { } path ? new FileInfo(path) : null;
        // Connecting to an ordinary file is refused like connecting to a dead socket: one with content is never deleted.
        if (file is not { Exists: true, Length: 0 }) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            file.Delete();
            return;
        }
        throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }
}
