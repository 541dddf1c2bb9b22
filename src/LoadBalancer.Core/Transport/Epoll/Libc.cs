using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The system calls of the epoll transport. Calls on non-blocking descriptors suppress the GC transition: they return at once, so a
/// collection never waits for them. <c>epoll_wait</c> blocks and keeps it. <c>errno</c> is read directly after a suppressed call,
/// before any other runtime code can run on the thread.
/// </summary>
internal static unsafe partial class Libc
{
    internal const int EINTR = 4, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EMFILE = 24, ENFILE = 23, EPIPE = 32, EADDRINUSE = 98,
        EADDRNOTAVAIL = 99, ENETUNREACH = 101, ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105, ETIMEDOUT = 110, ECONNREFUSED = 111,
        EHOSTUNREACH = 113, EINPROGRESS = 115, ENOENT = 2;

    internal const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10;
    internal const int SOCK_STREAM = 1, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_ERROR = 4, SO_KEEPALIVE = 9, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PEERCRED = 17, SO_ACCEPTCONN = 30;
    internal const int SCM_RIGHTS = 1, MSG_CMSG_CLOEXEC = 0x40000000, MSG_CTRUNC = 8;
    internal const int IPPROTO_TCP = 6, TCP_NODELAY = 1, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, IPPROTO_IPV6 = 41, IPV6_V6ONLY = 26;
    internal const int MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000;
    internal const int SHUT_WR = 1;

    internal const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2;
    internal const uint EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 0x10, EPOLLRDHUP = 0x2000, EPOLLEXCLUSIVE = 1u << 28, EPOLLET = 1u << 31;
    internal const int O_APPEND = 0x400, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000, F_SETFD = 2, FD_CLOEXEC = 1, F_SETFL = 4, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032;
    internal const uint SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2;
    internal const int EPOLL_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800, EFD_CLOEXEC = 0x80000;

    // struct epoll_event is packed on x86-64 only.
    internal static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    internal static readonly int EventDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    internal struct IoVector
    {
        internal byte* Base;
        internal nuint Length;
    }

    internal struct MessageHeader
    {
        internal void* Name;
        internal uint NameLength;
        internal IoVector* Vectors;
        internal nuint VectorCount;
        internal void* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    internal struct Linger
    {
        internal int OnOff, Seconds;
    }

    internal static int LastError
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Marshal.GetLastSystemError();
    }

    [LibraryImport("libc", EntryPoint = "recv"), SuppressGCTransition]
    internal static partial nint Receive(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send"), SuppressGCTransition]
    internal static partial nint Send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg"), SuppressGCTransition]
    internal static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    // The same on a socket that blocks, where a collection must not wait for it.
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessageBlocking(int fd, MessageHeader* message, int flags);

    // Waits on a socket that blocks.
    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "accept4"), SuppressGCTransition]
    internal static partial int Accept(int fd, byte* address, uint* addressLength, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl"), SuppressGCTransition]
    internal static partial int EpollControl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "shutdown"), SuppressGCTransition]
    internal static partial int Shutdown(int fd, int how);

    [LibraryImport("libc", EntryPoint = "setsockopt"), SuppressGCTransition]
    internal static partial int SetSocketOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt"), SuppressGCTransition]
    internal static partial int GetSocketOption(int fd, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "getsockname"), SuppressGCTransition]
    internal static partial int GetSocketName(int fd, byte* address, uint* length);

    // connect() on a Unix socket can wait for the listener's queue only when blocking; ours are not.
    [LibraryImport("libc", EntryPoint = "connect"), SuppressGCTransition]
    internal static partial int Connect(int fd, byte* address, uint length);

    // With lingering off (the default) and a zero linger time alike, close() of a socket does not wait.
    [LibraryImport("libc", EntryPoint = "close"), SuppressGCTransition]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "write"), SuppressGCTransition]
    internal static partial nint Write(int fd, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "read"), SuppressGCTransition]
    internal static partial nint Read(int fd, void* buffer, nuint length);

    // With SPLICE_F_NONBLOCK, between a pipe and a socket that is non-blocking itself.
    [LibraryImport("libc", EntryPoint = "splice"), SuppressGCTransition]
    internal static partial nint Splice(int from, long* fromOffset, int to, long* toOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    internal static partial int Pipe(int* descriptors, int flags);

    // Variadic in C; on the supported platforms an integer is passed alike.
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(int fd, int command, nint value);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int fd, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int fd, int backlog);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    internal static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int eventsMax, int timeoutMilliseconds);

    internal static int SetOption(int fd, int level, int name, int value) => SetSocketOption(fd, level, name, &value, sizeof(int));
}
