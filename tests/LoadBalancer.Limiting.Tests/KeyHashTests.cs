using System.Numerics;
using System.Text;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Limiting.Tests;

public sealed class KeyHashTests
{
    private static readonly KeySecret Secret = new(0x0706050403020100, 0x0F0E0D0C0B0A0908);

    private static ulong Key(params string[] parts)
    {
        var hash = new KeyHash(Secret);
        foreach (string part in parts) hash.Add(Encoding.UTF8.GetBytes(part));
        return hash.ToKey();
    }

    [Test]
    public void TheBordersOfPartsCount()
    {
        string[][] keys = [["abc"], ["ab", "c"], ["a", "bc"], ["a", "b", "c"], ["abc", ""], ["", "abc"], [], [""], ["", ""], ["12345678"], ["1234567", "8"], ["12345678", ""], ["1234567\0"], ["1234567"]];
        Assert.That(keys.Select(Key).Distinct().Count(), Is.EqualTo(keys.Length));
        Assert.That(Key("ab", "c"), Is.EqualTo(Key("ab", "c")));
    }

    [Test]
    public void AnotherSecretIsAnotherHash()
    {
        var hash = new KeyHash(KeySecret.Random());
        hash.Add("abc"u8);
        Assert.That(hash.ToKey(), Is.Not.EqualTo(Key("abc")));
    }

    [Test]
    public void EachBitOfAPartMovesHalfOfTheKey()
    {
        byte[] part = new byte[21];
        var changed = new List<int>();
        for (int bit = 0; bit < part.Length * 8; bit++)
        {
            byte[] other = [.. part];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            var one = new KeyHash(Secret);
            one.Add(part);
            var two = new KeyHash(Secret);
            two.Add(other);
            changed.Add(BitOperations.PopCount(one.ToKey() ^ two.ToKey()));
        }
        Assert.That(changed.Average(), Is.EqualTo(32).Within(1.5));
        Assert.That(changed.Min(), Is.GreaterThan(14));
    }

    [Test]
    public void CountedPartsSpreadOverAllBuckets()
    {
        // Addresses that differ in their last bits only, as a client's with a whole network.
        int[] buckets = new int[256];
        for (ulong i = 0; i < 256 * 64; i++)
        {
            var hash = new KeyHash(Secret);
            hash.Add(0x20010DB8_00000000UL);
            hash.Add(i);
            buckets[hash.ToKey() & 255]++;
        }
        Assert.That(buckets.Min(), Is.GreaterThan(64 - 40));
        Assert.That(buckets.Max(), Is.LessThan(64 + 40));
    }
}
