using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Transport.Epoll;
using SocketAddress = LoadBalancer.Core.Transport.Epoll.SocketAddress;

namespace LoadBalancer.Core.Transport;

/// <summary>
/// Listening sockets that this process was given, by the process before it or by systemd: whoever binds one of their addresses gets them instead of new ones, so that no
/// client meets a closed door in between. Thread-safe.
/// </summary>
internal static class InheritedSockets
{
    private static readonly Lock Changing = new();
    private static readonly Dictionary<string, Inherited> ByAddress = new(StringComparer.Ordinal);

    /// <summary>The sockets of one address.</summary>
    internal sealed class Inherited
    {
        internal List<int> Descriptors { get; } = [];

        /// <summary>Whether the file of a Unix socket comes with it, once the process before has left; else somebody else looks after it.</summary>
        internal bool HasFile { get; init; }
    }

    /// <summary>Takes in a descriptor, which is this process's from here on. False, and it is closed, where it is no listening socket.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="hasFile">As <see cref="Inherited.HasFile"/>: not for those of systemd, which made the file and keeps it.</param>
    internal static unsafe bool TryAdd(int fd, bool hasFile)
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        uint length = SocketAddress.SizeMax;
        int isListening = 0;
        uint size = sizeof(int);
        bool isSocket = Libc.GetSocketName(fd, address, &length) == 0 && Libc.GetSocketOption(fd, Libc.SOL_SOCKET, Libc.SO_ACCEPTCONN, &isListening, &size) == 0;
        if (!isSocket || isListening == 0 || SocketAddress.ReadEndPoint(new ReadOnlySpan<byte>(address, (int)Math.Min(length, SocketAddress.SizeMax))) is not { } endPoint)
        {
            _ = Libc.Close(fd);
            return false;
        }
        _ = Libc.FileControl(fd, Libc.F_SETFD, Libc.FD_CLOEXEC);
        _ = Libc.FileControl(fd, Libc.F_SETFL, Libc.O_NONBLOCK);
        lock (Changing)
        {
            string key = KeyOf(endPoint);
            if (!ByAddress.TryGetValue(key, out Inherited? sockets)) ByAddress.Add(key, sockets = new() { HasFile = hasFile });
            sockets.Descriptors.Add(fd);
        }
        return true;
    }

    /// <summary>The descriptors for an address, which are the caller's from here on; null where there are none.</summary>
    /// <exception cref="IOException">They are not as they are to be, and cannot be made so.</exception>
    internal static Inherited? Take(ListenOptions options)
    {
        Inherited? sockets;
        lock (Changing)
        {
            if (!ByAddress.Remove(KeyOf(options.EndPoint), out sockets)) return null;
        }
        // ipv6(7): it is settled by the bind. It means something for the wildcard address alone.
        if (options.EndPoint is not IPEndPoint { Address: var address } || !address.Equals(IPAddress.IPv6Any) || IsDualStack(sockets.Descriptors[0]) == options.DualStack) return sockets;
        foreach (int fd in sockets.Descriptors) _ = Libc.Close(fd);
        throw new IOException($"its socket was handed over, and takes {(options.DualStack ? "IPv6 only" : "IPv4 too")}; another \"dualStack\" needs a restart, or another BindIPv6Only= where the socket is systemd's");
    }

    private static unsafe bool IsDualStack(int fd)
    {
        int isOnly = 0;
        uint size = sizeof(int);
        return Libc.GetSocketOption(fd, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, &isOnly, &size) == 0 && isOnly == 0;
    }

    /// <summary>Closes those that nobody has taken; their addresses, and whether a file is left over with the process before.</summary>
    internal static IReadOnlyList<(string Address, bool HasFile)> CloseRest()
    {
        lock (Changing)
        {
            (string, bool)[] left = [.. ByAddress.Select(one => (one.Key, one.Value.HasFile && Path.IsPathRooted(one.Key)))];
            foreach (int fd in ByAddress.Values.SelectMany(sockets => sockets.Descriptors)) _ = Libc.Close(fd);
            ByAddress.Clear();
            return left;
        }
    }

    // Without the scope of a link-local address, of which sockets and configurations may tell in different ways.
    private static string KeyOf(EndPoint endPoint)
    {
        if (endPoint is not IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip) return endPoint.ToString()!;
        return new IPEndPoint(new IPAddress(ip.Address.GetAddressBytes()), ip.Port).ToString();
    }
}
