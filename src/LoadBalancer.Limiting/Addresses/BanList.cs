using System.Collections.Concurrent;

namespace LoadBalancer.Limiting.Addresses;

/// <summary>Why and until when addresses are kept out.</summary>
/// <param name="Block">The addresses.</param>
/// <param name="Until">When it ends by itself; null for never.</param>
/// <param name="Reason">As whoever did it put it.</param>
public sealed record Ban(AddressBlock Block, DateTimeOffset? Until, string Reason);

/// <summary>
/// Address blocks that are kept out for a time, changed at run time. Bounded; thread-safe. A look-up takes no lock: one in a hash table for each length of prefix in
/// use, of which there are few.
/// </summary>
public sealed class BanList(int bansMax)
{
    /// <summary>Different lengths of prefixes at a time.</summary>
    public const int PrefixLengthsMax = 16;

    private readonly ConcurrentDictionary<AddressBlock, Ban> _bans = new();
    private readonly Lock _changing = new();
    private readonly int[] _prefixCounts = new int[129];
    private int[] _prefixLengths = []; // those in use, replaced as a whole

    /// <summary>Most bans at a time.</summary>
    public int BansMax { get; } = bansMax;

    /// <summary>How many there are, with those that have ended and were not yet taken out.</summary>
    public int Count => _bans.Count;

    /// <summary>The ban that an address is under, or null.</summary>
    // Hot path: per connection. 0 allocations.
    public Ban? Find(bool isIPv4, UInt128 address, DateTimeOffset now)
    {
        foreach (int prefixLength in Volatile.Read(ref _prefixLengths))
        {
            if (_bans.TryGetValue(AddressBlock.Of(isIPv4, address, prefixLength), out Ban? ban) && !(ban.Until <= now)) return ban;
        }
        return null;
    }

    /// <summary>Whether there is a ban of exactly this block, or was and has not been taken out.</summary>
    public bool Has(AddressBlock block) => _bans.ContainsKey(block);

    /// <summary>Adds a ban or replaces the one of the same block. False when there is no room, even without those that have ended.</summary>
    public bool TryAdd(Ban ban, DateTimeOffset now)
    {
        lock (_changing)
        {
            bool isNew = !_bans.ContainsKey(ban.Block);
            if (isNew && _bans.Count >= BansMax) Sweep(now);
            if (isNew && _bans.Count >= BansMax) return false;
            if (isNew && _prefixCounts[ban.Block.PrefixLength] == 0 && _prefixLengths.Length == PrefixLengthsMax) return false;
            _bans[ban.Block] = ban;
            if (isNew && _prefixCounts[ban.Block.PrefixLength]++ == 0) UpdatePrefixLengths();
            return true;
        }
    }

    /// <summary>Ends a ban. False when there is none of exactly this block.</summary>
    public bool Remove(AddressBlock block)
    {
        lock (_changing) return RemoveHeld(block);
    }

    /// <summary>The bans that have not ended.</summary>
    public IReadOnlyList<Ban> List(DateTimeOffset now)
    {
        lock (_changing) Sweep(now);
        return [.. _bans.Values];
    }

    private void Sweep(DateTimeOffset now)
    {
        foreach ((AddressBlock block, Ban ban) in _bans)
        {
            if (ban.Until <= now) RemoveHeld(block);
        }
    }

    private bool RemoveHeld(AddressBlock block)
    {
        if (!_bans.TryRemove(block, out _)) return false;
        if (--_prefixCounts[block.PrefixLength] == 0) UpdatePrefixLengths();
        return true;
    }

    private void UpdatePrefixLengths()
    {
        var used = new List<int>();
        for (int length = 128; length >= 0; length--)
        {
            if (_prefixCounts[length] > 0) used.Add(length);
        }
        Volatile.Write(ref _prefixLengths, [.. used]);
    }
}
