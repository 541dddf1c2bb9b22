using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Core.Configuration;

/// <summary>A list in a configuration: a copy of what it was given, equal to another with equal items. See <see cref="ConfigMap{T}"/>. Immutable.</summary>
/// <typeparam name="T">What it lists.</typeparam>
internal sealed class ConfigList<T> : IReadOnlyList<T>, IEquatable<ConfigList<T>>
{
    private readonly T[] _items;

    private ConfigList(T[] items) => _items = items;

    /// <summary>The same as such a list; null stays null, for the validator to find.</summary>
    [return: NotNullIfNotNull(nameof(items))]
    internal static IReadOnlyList<T>? Of(IReadOnlyList<T>? items) => items switch
    {
        null or ConfigList<T> => items,
        { Count: 0 } => [], // the one empty list that there is of a type
        _ => new ConfigList<T>([.. items]),
    };

    public T this[int index] => _items[index];

    public int Count => _items.Length;

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(ConfigList<T>? other) => ReferenceEquals(this, other) || other is not null && _items.AsSpan().SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as ConfigList<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (T item in _items) hash.Add(item);
        return hash.ToHashCode();
    }
}
