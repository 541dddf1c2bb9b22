using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>
/// The socket by which one process hands its listening sockets to the next: a Unix socket beside that of the admin listener, which keeps messages apart. The next one says
/// "take-over"; it is sent "listener" with descriptors for each address ("lent" where the file of a Unix socket stays somebody else's, as with sockets of systemd), "state", and more "state" while that is not all of it, then "end"; it says "serving" when it does, and is
/// told "leaving" once the process before accepts nothing any more. Whoever goes away before "serving" has changed nothing.
/// </summary>
internal static class HandoverSocket
{
    internal const string TakeOver = "take-over", Listener = "listener", Lent = "lent", State = "state ", End = "end", Serving = "serving ", Leaving = "leaving";

    /// <summary>Characters of a message with state: whole ones, and less than a message may have bytes.</summary>
    internal const int StateLengthMax = 16 * 1024;

    // A successor reads files, asks names and makes certificates before it serves.
    internal static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);

    /// <summary>Its path for an admin listener; null where that is no Unix socket with a file.</summary>
    internal static string? PathOf(EndPoint? admin) => admin is UnixDomainSocketEndPoint unix && !unix.ToString()!.StartsWith('@') ? $"{unix}.upgrade" : null;

    internal static Socket Create()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        SetTimeout(socket);
        return socket;
    }

    internal static void SetTimeout(Socket socket)
    {
        socket.ReceiveTimeout = (int)StartMax.TotalMilliseconds;
        socket.SendTimeout = (int)StartMax.TotalMilliseconds;
    }

    /// <summary>Whether the other side is of the same user, or root.</summary>
    internal static bool IsTrusted(Socket socket)
    {
        const int SolSocket = 1, PeerCredentials = 17;
        Span<int> credentials = stackalloc int[3]; // pid, uid, gid
        socket.GetRawSocketOption(SolSocket, PeerCredentials, MemoryMarshal.AsBytes(credentials));
        return credentials[1] == 0 || credentials[1] == UserId();
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern int UserId();
}
