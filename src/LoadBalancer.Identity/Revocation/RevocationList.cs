using System.Numerics;
using System.Text;
using System.Text.Unicode;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Identity.Revocation;

/// <summary>
/// What is revoked. One per line: "jti ID", "sub SUBJECT", "kid ID" or "key ID" (an API key); the rest of a line that begins with # is a comment. Kept as keyed hashes of
/// 64 bits, 16 bytes each: that two of a million fall together has a chance below 2^-24, and then somebody is refused who should not be, never the other way round. Immutable.
/// </summary>
public sealed class RevocationList
{
    /// <summary>Most entries.</summary>
    public const int EntriesMax = 1_000_000;

    private readonly KeySecret _secret = KeySecret.Random();
    private readonly ulong[] _table; // open addressing; 0 is free

    private RevocationList(int capacity) => _table = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, capacity * 2))];

    /// <summary>Nothing is revoked.</summary>
    public static RevocationList Empty { get; } = new(0);

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>Whether this is revoked.</summary>
    // Hot path. 0 allocations, < 100 ns.
    public bool Contains(RevocationKind kind, string? value)
    {
        if (value is null || Count == 0 || value.Length > 1024) return false;
        Span<byte> utf8 = stackalloc byte[3 * value.Length];
        return Utf8.FromUtf16(value, utf8, out _, out int written) == System.Buffers.OperationStatus.Done && Find(Hash(kind, utf8[..written])) < 0;
    }

    /// <summary>Whether a principal is: its token, its subject or its key.</summary>
    public bool Contains(Principal principal) => Count != 0
        && (Contains(RevocationKind.Token, principal.TokenId) || Contains(RevocationKind.Subject, principal.Subject)
            || Contains(principal.Scheme == Schemes.ApiKey ? RevocationKind.ApiKey : RevocationKind.Key, principal.KeyId));

    /// <summary>Reads a list; false with the first line that is wrong: half a list would let in who is on the other half.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RevocationList? list, out string problem)
    {
        list = null;
        problem = "";
        int lines = text.Count((byte)'\n') + 1, at = 0;
        var read = new RevocationList(Math.Min(lines, EntriesMax));
        foreach (Range range in text.Split((byte)'\n'))
        {
            at++;
            ReadOnlySpan<byte> line = text[range].Trim(" \t\r"u8);
            if (line.IsEmpty || line[0] == '#') continue;
            int space = line.IndexOfAny((byte)' ', (byte)'\t');
            ReadOnlySpan<byte> word = space < 0 ? line : line[..space], value = space < 0 ? default : line[space..].Trim(" \t"u8);
            RevocationKind? kind = word.SequenceEqual("jti"u8) ? RevocationKind.Token : word.SequenceEqual("sub"u8) ? RevocationKind.Subject
                : word.SequenceEqual("kid"u8) ? RevocationKind.Key : word.SequenceEqual("key"u8) ? RevocationKind.ApiKey : null;
            if (kind is null) problem = $"line {at} does not begin with \"jti\", \"sub\", \"kid\" or \"key\"";
            else if (value.IsEmpty || value.Length > 1024 || !Utf8.IsValid(value)) problem = $"line {at} has no value, or one that is too long or no UTF-8";
            else if (!read.TryAdd(read.Hash(kind.Value, value))) problem = $"it has more than {EntriesMax} entries";
            if (problem.Length > 0) return false;
        }
        list = read;
        return true;
    }

    private bool TryAdd(ulong hash)
    {
        int slot = Find(hash);
        if (slot < 0) return true;
        if (Count == EntriesMax) return false;
        _table[slot] = hash;
        Count++;
        return true;
    }

    // The free place where it would stand, or less than 0 where it is.
    private int Find(ulong hash)
    {
        int mask = _table.Length - 1;
        for (int slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            if (_table[slot] == hash) return -1;
            if (_table[slot] == 0) return slot;
        }
    }

    private ulong Hash(RevocationKind kind, ReadOnlySpan<byte> value)
    {
        var hash = new KeyHash(_secret);
        hash.Add((ulong)kind);
        hash.Add(value);
        return hash.ToKey();
    }
}
