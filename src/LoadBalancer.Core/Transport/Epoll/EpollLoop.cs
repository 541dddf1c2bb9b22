using System.ComponentModel;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// One thread, one epoll instance. Sources are found by slot and generation, so that an event for a descriptor closed earlier in the
/// same batch, or already reused, is recognised as stale.
/// </summary>
internal sealed unsafe class EpollLoop : TransportLoop
{
    internal const uint ConnectionEvents = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;
    private const int EventsMax = 256;
    private const int WakeSlot = 0;

    private readonly int _epoll, _wake;
    private readonly byte* _events;
    private readonly Thread _thread;
    private readonly bool _systemTime;
    private readonly List<EpollAcceptor> _acceptors = [];
    private IEpollSource?[] _sources = new IEpollSource?[1024];
    private uint[] _generations = new uint[1024];
    private int[] _freeSlots = new int[1024];
    private int _freeCount, _slotCount = 1; // slot 0 is the wake descriptor
    private ITimer? _ticker;
    private Slab? _scratch;
    private readonly Lock _wakeLock = new(); // a wake-up from elsewhere may come late, when the descriptor's number is somebody else's
    private bool _stopping, _ended;

    internal EpollLoop(int index, TimeProvider time) : base(index, time)
    {
        _systemTime = ReferenceEquals(time, TimeProvider.System);
        _epoll = Libc.EpollCreate(Libc.EPOLL_CLOEXEC);
        _wake = _epoll < 0 ? -1 : Libc.EventFd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
        if (_wake < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot create an epoll instance");
        _events = (byte*)NativeMemory.Alloc(EventsMax, (nuint)Libc.EventSize);
        Control(Libc.EPOLL_CTL_ADD, _wake, Libc.EPOLLIN, WakeSlot);
        _thread = new Thread(Run) { IsBackground = true, Name = $"lb loop {index}" };
    }

    /// <summary>A buffer for bytes that are gone again before whoever receives them returns.</summary>
    internal Slab Scratch => _scratch ??= new Slab(SlabPool.MediumSize, sizeClass: 1);

    /// <summary>Pipes through which bulk is moved.</summary>
    internal SplicePipePool Pipes { get; } = new();

    internal override bool IsCurrent => Thread.CurrentThread == _thread;

    internal override void Start()
    {
        // Injected time moves by itself only when told to: its own timer makes the loop look.
        if (!_systemTime) _ticker = Time.CreateTimer(_ => Wake(), null, TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds), TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds));
        _thread.Start();
    }

    internal override void Stop()
    {
        Volatile.Write(ref _stopping, true);
        Wake();
        if (_thread.IsAlive && !IsCurrent) _thread.Join();
        _ticker?.Dispose();
    }

    internal override void Post(LoopWork work)
    {
        if (Work.Push(work) && !IsCurrent) Wake();
    }

    private void Wake()
    {
        ulong one = 1;
        lock (_wakeLock)
        {
            if (!_ended) _ = Libc.Write(_wake, &one, sizeof(ulong));
        }
    }

    internal override TransportConnection CreateOutbound(EndPoint endPoint)
    {
        var connection = new EpollConnection(this);
        connection.SetTarget(endPoint);
        return connection;
    }

    internal override void StartAccepting(TransportListener listener, IConnectionHandler handler)
    {
        foreach (int fd in ((EpollListener)listener).DescriptorsFor(Index))
        {
            var acceptor = new EpollAcceptor(this, (EpollListener)listener, fd, handler);
            _acceptors.Add(acceptor);
            acceptor.Start();
        }
    }

    internal override void StopAccepting(TransportListener listener)
    {
        for (int i = _acceptors.Count - 1; i >= 0; i--)
        {
            if (_acceptors[i].Listener != listener) continue;
            _acceptors[i].Stop();
            _acceptors.RemoveAt(i);
        }
    }

    /// <summary>Gives a source a slot and registers its descriptor. False when the kernel has no room.</summary>
    internal bool Register(IEpollSource source, int fd, uint events, out int slot)
    {
        slot = _freeCount > 0 ? _freeSlots[--_freeCount] : _slotCount++;
        if (slot == _sources.Length)
        {
            Array.Resize(ref _sources, slot * 2);
            Array.Resize(ref _generations, slot * 2);
            Array.Resize(ref _freeSlots, slot * 2);
        }
        _sources[slot] = source;
        if (Control(Libc.EPOLL_CTL_ADD, fd, events, slot) == 0) return true;
        Unregister(slot);
        slot = -1;
        return false;
    }

    /// <summary>Frees a slot; the kernel forgets the descriptor when it is closed.</summary>
    internal void Unregister(int slot)
    {
        _sources[slot] = null;
        _generations[slot]++;
        _freeSlots[_freeCount++] = slot;
    }

    internal int Control(int operation, int fd, uint events, int slot)
    {
        byte* epollEvent = stackalloc byte[16];
        *(uint*)epollEvent = events;
        Unsafe.WriteUnaligned(epollEvent + Libc.EventDataOffset, (ulong)_generations[slot] << 32 | (uint)slot);
        return Libc.EpollControl(_epoll, operation, fd, epollEvent);
    }

    private void Run()
    {
        // Nothing on this thread has an ambient context: without one to capture and restore, a wait costs less.
        ExecutionContext.SuppressFlow();
        while (!Volatile.Read(ref _stopping))
        {
            int timeout = TimeoutMilliseconds();
            BeginIdle();
            int count = Libc.EpollWait(_epoll, _events, EventsMax, timeout);
            EndIdle();
            UpdateNow();
            for (int i = 0; i < count; i++)
            {
                byte* epollEvent = _events + i * Libc.EventSize;
                ulong data = Unsafe.ReadUnaligned<ulong>(epollEvent + Libc.EventDataOffset);
                int slot = (int)(uint)data;
                if (slot == WakeSlot) DrainWake();
                else if (_generations[slot] == (uint)(data >> 32) && _sources[slot] is { } source) Dispatch(source, *(uint*)epollEvent);
            }
            RunTimers();
            RunWork();
            RunDeferred();
        }
        CloseAll();
    }

    private void Dispatch(IEpollSource source, uint events)
    {
        try
        {
            source.OnEvents(events);
        }
        catch (Exception e)
        {
            Report(e);
        }
    }

    private void DrainWake()
    {
        ulong value;
        _ = Libc.Read(_wake, &value, sizeof(ulong));
    }

    private int TimeoutMilliseconds()
    {
        if (HasDeferred || !Work.IsEmpty) return 0;
        return _systemTime ? TimerTimeoutMilliseconds() : -1;
    }

    private void CloseAll()
    {
        foreach (EpollAcceptor acceptor in _acceptors) acceptor.Stop();
        _acceptors.Clear();
        // Handlers see their connections aborted and end; a few turns let what they start in doing so end too.
        for (int turn = 0; turn < 16; turn++)
        {
            bool any = false;
            for (int slot = 1; slot < _slotCount; slot++)
            {
                if (_sources[slot] is not EpollConnection connection) continue;
                any = true;
                connection.Abort();
                connection.Observer?.OnConnectionEvent(readable: false, broken: true);
            }
            RunWork();
            RunDeferred();
            if (!any && Work.IsEmpty && !HasDeferred) break;
        }
        Pipes.Dispose();
        _ = Libc.Close(_epoll);
        lock (_wakeLock)
        {
            _ended = true;
            _ = Libc.Close(_wake);
        }
        NativeMemory.Free(_events);
    }
}
