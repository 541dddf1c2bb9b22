using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>
/// The socket by which one process hands its listening sockets to the next: a Unix socket beside that of the admin listener, which keeps messages apart. The next one says
/// "take-over"; it is sent "listener" with descriptors for each address ("lent" where the file of a Unix socket stays somebody else's, as with sockets of systemd), "state", and more "state" while that is not all of it, then "end"; it says "serving" with its
/// process and version when it does, and is told what has become of the state meanwhile ("state", "end"), and "leaving" when the process before does. Who has not read that ends, unless the process
/// before has ended; whoever goes away earlier has changed nothing.
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
    internal static bool IsTrusted(Socket socket) => IsTrusted(Peer(socket).User, UserId());

    internal static bool IsTrusted(int user, int own) => user == 0 || user == own;

    /// <summary>The process on the other side: of one that was connected to, who listens there. 0 for one that is not to be seen from here (pid_namespaces(7)).</summary>
    internal static (int Process, int User) Peer(Socket socket)
    {
        const int SolSocket = 1, PeerCredentials = 17;
        Span<int> credentials = stackalloc int[3]; // pid, uid, gid
        socket.GetRawSocketOption(SolSocket, PeerCredentials, MemoryMarshal.AsBytes(credentials));
        return (credentials[0], credentials[1]);
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern int UserId();
}
