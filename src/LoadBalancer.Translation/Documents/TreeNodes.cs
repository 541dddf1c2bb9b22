namespace LoadBalancer.Translation.Documents;

/// <summary>
/// Values of a document that is being put together, in one array that is kept between documents. Names and scalars lie in the source, or in the scratch where their place is a complement.
/// What no rule looks into is one value, however large.
/// </summary>
internal sealed class TreeNodes
{
    private const int NodesMin = 256, NodesKeptMax = 1 << 14;

    private TreeNode[] _nodes = new TreeNode[NodesMin];

    internal int Count { get; private set; }

    internal void Reset()
    {
        Count = 0;
        Slots.Reset();
        Parts.Reset();
        if (_nodes.Length > NodesKeptMax) _nodes = new TreeNode[NodesMin];
    }

    /// <summary>Where the nodes of target names are: a frame for each scope under way.</summary>
    internal IntStack Slots { get; } = new();

    /// <summary>Parts of values that are joined at the end of a scope: kind, place and length of each.</summary>
    internal IntStack Parts { get; } = new();

    internal ref TreeNode this[int index] => ref _nodes[index];

    internal int Add(TreeNode node)
    {
        if (Count == _nodes.Length) Array.Resize(ref _nodes, Count * 2);
        _nodes[Count] = node;
        return Count++;
    }

    /// <summary>Appends a child.</summary>
    internal void Attach(int parent, int child)
    {
        ref TreeNode node = ref _nodes[parent];
        if (node.First < 0) node.First = child;
        else _nodes[node.Last].Next = child;
        node.Last = child;
    }
}

/// <summary>A value that goes out.</summary>
internal struct TreeNode
{
    internal TreeNodeKind Kind;
    /// <summary>It came in without a rule: it gives way to what rules write.</summary>
    internal bool IsPassed;
    internal int Name, NameLength, Place, Length;
    internal int First, Last, Next;

    internal static TreeNode Of(TreeNodeKind kind) => new() { Kind = kind, First = -1, Last = -1, Next = -1 };
}

/// <summary>Kinds of values that go out.</summary>
internal enum TreeNodeKind : byte
{
    /// <summary>Replaced by another.</summary>
    Gone,
    /// <summary>JSON that stands in the source or the scratch.</summary>
    Text,
    /// <summary>An object.</summary>
    Object,
    /// <summary>An array.</summary>
    Array,
}

/// <summary>Numbers in frames, one above the other.</summary>
internal sealed class IntStack
{
    private const int KeptMax = 1 << 14;

    private int[] _values = new int[256];
    private int _count;

    internal void Reset()
    {
        _count = 0;
        if (_values.Length > KeptMax) _values = new int[256];
    }

    internal int Push(int count, int value)
    {
        while (_count + count > _values.Length) Array.Resize(ref _values, _values.Length * 2);
        _values.AsSpan(_count, count).Fill(value);
        _count += count;
        return _count - count;
    }

    internal void PopTo(int count) => _count = count;

    internal ref int this[int index] => ref _values[index];
}
