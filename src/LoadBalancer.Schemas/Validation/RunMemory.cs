namespace LoadBalancer.Schemas.Validation;

/// <summary>What a validation remembers on its way: which children have been evaluated, and which resources it is inside. Reused; used by one thread at a time.</summary>
internal sealed class RunMemory
{
    private const int WordsKept = 8 * 1024;

    private ulong[] _words = new ulong[16];
    private int[] _starts = new int[8];
    private int _frames;
    private int _wordCount;

    /// <summary>The dynamic scope, outermost first (2020-12 core §7.1).</summary>
    internal ResourceScope[] Scopes = new ResourceScope[8];
    internal int ScopeCount;

    internal void Reset()
    {
        _frames = _wordCount = ScopeCount = 0;
        if (_words.Length > WordsKept) _words = new ulong[16];
    }

    /// <summary>Opens a frame: one bit for each child of an array or object.</summary>
    internal int Push(int children)
    {
        int words = children + 63 >> 6;
        if (_frames == _starts.Length) Array.Resize(ref _starts, _frames * 2);
        if (_words.Length - _wordCount < words) Array.Resize(ref _words, Math.Max(_words.Length * 2, _wordCount + words));
        _words.AsSpan(_wordCount, words).Clear();
        _starts[_frames] = _wordCount;
        _wordCount += words;
        return _frames++;
    }

    internal void Pop(int frame)
    {
        _frames = frame;
        _wordCount = _starts[frame];
    }

    internal void Mark(int frame, int child) => _words[_starts[frame] + (child >> 6)] |= 1UL << child;

    internal bool IsMarked(int frame, int child) => (_words[_starts[frame] + (child >> 6)] & 1UL << child) != 0;

    internal void MarkAll(int frame, int children)
    {
        for (int i = 0; i < children; i++) Mark(frame, i);
    }

    /// <summary>What one frame has, another of the same array or object has too.</summary>
    internal void Merge(int into, int from, int children)
    {
        int words = children + 63 >> 6;
        for (int i = 0; i < words; i++) _words[_starts[into] + i] |= _words[_starts[from] + i];
    }

    internal void PushScope(ResourceScope scope)
    {
        if (ScopeCount == Scopes.Length) Array.Resize(ref Scopes, ScopeCount * 2);
        Scopes[ScopeCount++] = scope;
    }
}

/// <summary>The dynamic anchors of one resource.</summary>
internal sealed class ResourceScope
{
    internal Dictionary<string, SchemaNode> Anchors { get; } = new(StringComparer.Ordinal);
}
