using System.Net.Sockets;
using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>Accepts from one listening descriptor on one loop. Level triggered: what a batch leaves is reported again.</summary>
internal sealed unsafe class EpollAcceptor(EpollLoop loop, EpollListener listener, int fd, IConnectionHandler handler) : LoopTimer, IEpollSource
{
    private const int BatchMax = 64;
    private const int BackOffMilliseconds = 100;

    private readonly int _fd = fd;
    private int _slot = -1;

    internal TransportListener Listener => listener;

    internal void Start()
    {
        // A descriptor shared by several loops wakes only one of them.
        if (!loop.Register(this, _fd, Libc.EPOLLIN | (listener.IsShared ? Libc.EPOLLEXCLUSIVE : 0), out _slot)) StartLater();
    }

    internal void Stop()
    {
        if (_slot >= 0) AcceptBatch(int.MaxValue); // closing the socket would reset who stands in its queue
        if (_slot >= 0) Leave();
        loop.Timers.Remove(this); // last: the batch may have backed off
    }

    private void Leave()
    {
        loop.Control(Libc.EPOLL_CTL_DEL, _fd, 0, _slot);
        loop.Unregister(_slot);
        _slot = -1;
    }

    public void OnEvents(uint events) => AcceptBatch(BatchMax);

    private void AcceptBatch(int countMax)
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        for (int i = 0; i < countMax; i++)
        {
            uint length = SocketAddress.SizeMax;
            int accepted = Libc.Accept(_fd, address, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            if (accepted < 0)
            {
                switch (Libc.LastError)
                {
                    case Libc.EAGAIN:
                        return;
                    case Libc.EMFILE or Libc.ENFILE or Libc.ENOMEM or Libc.ENOBUFS:
                        Interlocked.Increment(ref listener.AcceptErrorCount);
                        BackOff();
                        return;
                    default: // ECONNABORTED, EINTR and network errors of that one connection (accept(2)): go on
                        continue;
                }
            }
            int open = Interlocked.Increment(ref listener.ConnectionCount);
            if (listener.ConnectionsMax > 0 && open > listener.ConnectionsMax)
            {
                Interlocked.Decrement(ref listener.ConnectionCount);
                Interlocked.Increment(ref listener.RefusedCount);
                _ = Libc.Close(accepted);
                continue;
            }
            var connection = new EpollConnection(loop);
            connection.Accepted(accepted, SocketAddress.Read(new ReadOnlySpan<byte>(address, (int)Math.Min(length, SocketAddress.SizeMax))), listener);
            if (!loop.Register(connection, accepted, EpollLoop.ConnectionEvents, out connection.Slot))
            {
                Interlocked.Increment(ref listener.AcceptErrorCount);
                connection.Close();
                BackOff();
                return;
            }
            handler.OnAccepted(connection);
        }
    }

    // Out of descriptors: trying again at once would spin. Leaves the queue to the kernel for a moment.
    private void BackOff()
    {
        Leave();
        StartLater();
    }

    private void StartLater() => loop.Timers.Set(this, loop.NowMilliseconds + BackOffMilliseconds);

    protected internal override void OnTimeout() => Start();
}
