namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>Which objects of a shard have a tag. Bounded by them: each is accounted for its tags. Under the lock of its shard.</summary>
internal sealed class TagIndex<THead>
    where THead : class
{
    private readonly Dictionary<string, HashSet<StoredObject<THead>>> _objects = new(StringComparer.Ordinal);

    internal int Count => _objects.Count;

    internal void Add(StoredObject<THead> entry)
    {
        for (int i = 0; i < entry.Tags.Count; i++)
        {
            string tag = entry.Tags[i];
            if (!_objects.TryGetValue(tag, out HashSet<StoredObject<THead>>? tagged)) _objects.Add(tag, tagged = new(1));
            tagged.Add(entry);
        }
    }

    internal void Remove(StoredObject<THead> entry)
    {
        for (int i = 0; i < entry.Tags.Count; i++)
        {
            string tag = entry.Tags[i];
            if (!_objects.TryGetValue(tag, out HashSet<StoredObject<THead>>? tagged)) continue;
            tagged.Remove(entry);
            if (tagged.Count == 0) _objects.Remove(tag);
        }
    }

    internal StoredObject<THead>[] Find(string tag) => _objects.TryGetValue(tag, out HashSet<StoredObject<THead>>? tagged) ? [.. tagged] : [];
}
