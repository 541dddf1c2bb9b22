namespace LoadBalancer.Balancing;

/// <summary>A circle of positions, each owned by a seat. A key has a position; who cannot serve it leaves it to the owners that follow.</summary>
internal abstract class HashTable
{
    /// <summary>Owner of each position.</summary>
    internal abstract int[] Owners { get; }

    /// <summary>Position of a key.</summary>
    internal abstract int PositionOf(ulong key);
}

/// <summary>Ways to lay out a hash table.</summary>
public enum HashTableKind
{
    /// <summary>Google's Maglev (NSDI 2016, section 3.4): constant time and very even shares, a little more churn than a ring.</summary>
    Maglev,
    /// <summary>A ring of 160 points to a destination, as ketama, nginx and others have: least churn, shares uneven by some 10 %.</summary>
    Ketama,
}
