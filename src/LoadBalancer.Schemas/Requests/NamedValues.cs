using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Requests;

/// <summary>
/// The pairs of a query, of a form or of a Cookie field: names decoded, values as they came, as separators are looked for before decoding. Reused by one thread.
/// </summary>
internal sealed class NamedValues
{
    internal const int CountMax = 1000;
    private const int Kept = 64 * 1024;

    private struct Pair
    {
        internal int NameStart, NameLength, NameHash, ValueStart, ValueLength;
        internal bool HasValue, IsUsed;
    }

    private Pair[] _pairs = new Pair[16];
    private byte[] _names = new byte[256];

    internal int Count { get; private set; }

    /// <summary>Reads <c>a=1&amp;b=2</c>. False: too many pairs, or a name that is wrongly encoded.</summary>
    internal bool ReadForm(ReadOnlySpan<byte> text) => Read(text, (byte)'&', isForm: true);

    /// <summary>Reads <c>a=1; b=2</c> (RFC 6265 §4.2).</summary>
    internal bool ReadCookies(ReadOnlySpan<byte> text) => Read(text, (byte)';', isForm: false);

    private bool Read(ReadOnlySpan<byte> text, byte separator, bool isForm)
    {
        Count = 0;
        if (_names.Length > Kept && text.Length <= Kept) _names = new byte[256]; // that of a large form
        if (_names.Length < text.Length) _names = new byte[Math.Max(text.Length, _names.Length * 2)];
        int used = 0, at = 0;
        while (at < text.Length)
        {
            int length = text[at..].IndexOf(separator);
            if (length < 0) length = text.Length - at;
            ReadOnlySpan<byte> pair = text.Slice(at, length);
            int start = at;
            at += length + 1;
            if (!isForm)
            {
                start += pair.Length - pair.TrimStart((byte)' ').Length;
                pair = pair.Trim((byte)' ');
            }
            if (pair.IsEmpty) continue;
            if (Count == CountMax) return false;
            if (Count == _pairs.Length) Array.Resize(ref _pairs, Count * 2);
            int equals = pair.IndexOf((byte)'=');
            ReadOnlySpan<byte> name = equals < 0 ? pair : pair[..equals];
            int nameLength = name.Length;
            if (isForm)
            {
                nameLength = PercentText.Decode(name, _names.AsSpan(used), plusIsSpace: true);
                if (nameLength < 0) return false;
            }
            else
            {
                name.CopyTo(_names.AsSpan(used));
            }
            _pairs[Count++] = new Pair
            {
                NameStart = used,
                NameLength = nameLength,
                NameHash = NameHash.Of(_names.AsSpan(used, nameLength)),
                ValueStart = equals < 0 ? start + pair.Length : start + equals + 1,
                ValueLength = equals < 0 ? 0 : pair.Length - equals - 1,
                HasValue = equals >= 0,
            };
            used += nameLength;
        }
        return true;
    }

    internal ReadOnlySpan<byte> Name(int index) => _names.AsSpan(_pairs[index].NameStart, _pairs[index].NameLength);

    internal int Hash(int index) => _pairs[index].NameHash;

    internal ReadOnlySpan<byte> Value(int index, ReadOnlySpan<byte> text) => text.Slice(_pairs[index].ValueStart, _pairs[index].ValueLength);

    /// <summary>The next pair of a name, from an index on; -1: none. It counts as used.</summary>
    internal int Find(ReadOnlySpan<byte> name, int hash, int from = 0)
    {
        for (int i = from; i < Count; i++)
        {
            if (_pairs[i].NameHash != hash || !Name(i).SequenceEqual(name)) continue;
            _pairs[i].IsUsed = true;
            return i;
        }
        return -1;
    }

    internal void Use(int index) => _pairs[index].IsUsed = true;

    internal bool IsUsed(int index) => _pairs[index].IsUsed;
}
