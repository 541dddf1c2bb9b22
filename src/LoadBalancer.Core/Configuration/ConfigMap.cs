using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Core.Configuration;

/// <summary>
/// The named parts of a configuration: a copy of what it was given, in that order, equal to another with equal members in the same order. So two
/// configurations can be compared, and what changed between them is all that a reload touches. Immutable.
/// </summary>
/// <typeparam name="T">What is named.</typeparam>
internal sealed class ConfigMap<T> : IReadOnlyDictionary<string, T>, IEquatable<ConfigMap<T>>
{
    internal static readonly ConfigMap<T> Empty = new([]);

    private readonly Dictionary<string, T> _members; // nothing is ever taken out, so it goes through them in the order they came

    private ConfigMap(Dictionary<string, T> members) => _members = members;

    /// <summary>The same as such a map; null stays null, for the validator to find.</summary>
    [return: NotNullIfNotNull(nameof(members))]
    internal static IReadOnlyDictionary<string, T>? Of(IReadOnlyDictionary<string, T>? members) => members switch
    {
        null or ConfigMap<T> => members,
        { Count: 0 } => Empty,
        Dictionary<string, T> dictionary => new ConfigMap<T>(new(dictionary, dictionary.Comparer)),
        _ => new ConfigMap<T>(new(members, StringComparer.Ordinal)),
    };

    public T this[string key] => _members[key];

    public IEnumerable<string> Keys => _members.Keys;

    public IEnumerable<T> Values => _members.Values;

    public int Count => _members.Count;

    public bool ContainsKey(string key) => _members.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => _members.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, T>> GetEnumerator() => _members.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // The order counts too: the policy "first" goes by it.
    public bool Equals(ConfigMap<T>? other) => ReferenceEquals(this, other) || other is not null && _members.SequenceEqual(other._members);

    public override bool Equals(object? obj) => Equals(obj as ConfigMap<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach ((string key, T value) in _members)
        {
            hash.Add(key);
            hash.Add(value);
        }
        return hash.ToHashCode();
    }
}
