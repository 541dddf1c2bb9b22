namespace LoadBalancer.Caching.Tests.Storage.Eviction;

/// <summary>A cache that only counts: says whether an object was there, and takes it in otherwise.</summary>
internal interface ICountingCache
{
    string Name { get; }

    bool Request(int id, int size);
}

/// <summary>A list of ids by recency, with their bytes.</summary>
internal sealed class RecencyList
{
    private readonly LinkedList<(int Id, int Size)> _order = new();
    private readonly Dictionary<int, LinkedListNode<(int Id, int Size)>> _nodes = [];

    internal long Bytes { get; private set; }

    internal (int Id, int Size) Oldest => _order.Last!.Value;

    internal bool IsEmpty => _nodes.Count == 0;

    internal bool Contains(int id) => _nodes.ContainsKey(id);

    internal void Add(int id, int size)
    {
        _nodes.Add(id, _order.AddFirst((id, size)));
        Bytes += size;
    }

    internal void Touch(int id)
    {
        LinkedListNode<(int Id, int Size)> node = _nodes[id];
        _order.Remove(node);
        _order.AddFirst(node);
    }

    internal void Remove(int id)
    {
        _nodes.Remove(id, out LinkedListNode<(int Id, int Size)>? node);
        _order.Remove(node!);
        Bytes -= node!.Value.Size;
    }
}

/// <summary>The least recently used goes.</summary>
internal sealed class LruCache(long bytesMax) : ICountingCache
{
    private readonly RecencyList _list = new();

    public string Name => "LRU";

    public bool Request(int id, int size)
    {
        if (_list.Contains(id))
        {
            _list.Touch(id);
            return true;
        }
        while (_list.Bytes + size > bytesMax) _list.Remove(_list.Oldest.Id);
        _list.Add(id, size);
        return false;
    }
}

/// <summary>W-TinyLFU (Einziger, Friedman, Manes, 2017), as Caffeine has it: 1 % window, 80 % of the rest protected, 4-bit counts that are halved from time to time.</summary>
internal sealed class TinyLfuCache(long bytesMax, int objectsExpected) : ICountingCache
{
    private readonly RecencyList _window = new(), _probation = new(), _protected = new();
    private readonly byte[][] _counts = [.. Enumerable.Range(0, 4).Select(_ => new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)objectsExpected * 2)])];
    private int _additions;

    public string Name => "W-TinyLFU";

    public bool Request(int id, int size)
    {
        Count(id);
        if (_window.Contains(id))
        {
            _window.Touch(id);
            return true;
        }
        if (_protected.Contains(id))
        {
            _protected.Touch(id);
            return true;
        }
        if (_probation.Contains(id))
        {
            _probation.Remove(id);
            _protected.Add(id, size);
            while (_protected.Bytes > bytesMax * 99 / 100 * 8 / 10) Demote();
            return true;
        }
        _window.Add(id, size);
        while (_window.Bytes > Math.Max(bytesMax / 100, size))
        {
            (int candidate, int candidateSize) = _window.Oldest;
            _window.Remove(candidate);
            Admit(candidate, candidateSize);
        }
        return false;
    }

    private void Demote()
    {
        (int id, int size) = _protected.Oldest;
        _protected.Remove(id);
        _probation.Add(id, size);
    }

    private void Admit(int candidate, int size)
    {
        while (_window.Bytes + _probation.Bytes + _protected.Bytes + size > bytesMax)
        {
            RecencyList from = _probation.IsEmpty ? _protected : _probation;
            if (Estimate(candidate) <= Estimate(from.Oldest.Id)) return;
            from.Remove(from.Oldest.Id);
        }
        _probation.Add(candidate, size);
    }

    private void Count(int id)
    {
        for (int row = 0; row < 4; row++)
        {
            ref byte count = ref _counts[row][Index(id, row)];
            if (count < 15) count++;
        }
        if (++_additions < objectsExpected * 10) return;
        foreach (byte[] row in _counts)
        {
            for (int i = 0; i < row.Length; i++) row[i] >>= 1;
        }
        _additions /= 2;
    }

    private int Estimate(int id) => Enumerable.Range(0, 4).Min(row => _counts[row][Index(id, row)]);

    private int Index(int id, int row)
    {
        ulong mixed = ((ulong)id + 1) * (0x9E3779B97F4A7C15 + (ulong)row * 0x1000_0000_01B3 * 2);
        return (int)((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9 >> 32 & (ulong)(_counts[0].Length - 1));
    }
}

/// <summary>What is needed again last goes (Belady), and is not even taken in: knows the future. The best there is for equal sizes.</summary>
internal sealed class BeladyCache : ICountingCache
{
    private readonly long _bytesMax;
    private readonly int[] _nextUse; // of each request's object
    private readonly Dictionary<int, (int Next, int Size)> _held = [];
    private readonly SortedSet<(int Next, int Id)> _order = [];
    private long _bytes;
    private int _at;

    internal BeladyCache(long bytesMax, int[] requests)
    {
        _bytesMax = bytesMax;
        _nextUse = new int[requests.Length];
        var last = new Dictionary<int, int>();
        for (int i = requests.Length - 1; i >= 0; i--)
        {
            _nextUse[i] = last.GetValueOrDefault(requests[i], int.MaxValue);
            last[requests[i]] = i;
        }
    }

    public string Name => "Belady";

    public bool Request(int id, int size)
    {
        int next = _nextUse[_at++];
        bool isHit = _held.Remove(id, out (int Next, int Size) held);
        if (isHit)
        {
            _order.Remove((held.Next, id));
            _bytes -= size;
        }
        if (next == int.MaxValue) return isHit;
        _held.Add(id, (next, size));
        _order.Add((next, id));
        _bytes += size;
        while (_bytes > _bytesMax)
        {
            (int Next, int Id) last = _order.Max;
            _order.Remove(last);
            _held.Remove(last.Id, out (int Next, int Size) gone);
            _bytes -= gone.Size;
        }
        return isHit;
    }
}
