using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Tests.Buffers;

public class SlabPoolTests
{
    [TestCase(0, SlabPool.SmallSize)]
    [TestCase(1, SlabPool.SmallSize)]
    [TestCase(SlabPool.SmallSize, SlabPool.SmallSize)]
    [TestCase(SlabPool.SmallSize + 1, SlabPool.MediumSize)]
    [TestCase(SlabPool.MediumSize, SlabPool.MediumSize)]
    [TestCase(SlabPool.MediumSize + 1, SlabPool.LargeSize)]
    [TestCase(SlabPool.LargeSize, SlabPool.LargeSize)]
    [TestCase(SlabPool.LargeSize + 1, SlabPool.LargeSize)]
    public void Lease_Size_GivesTheSmallestClassThatHolds(int sizeMin, int expected) => Assert.That(new SlabPool().Lease(sizeMin).Length, Is.EqualTo(expected));

    [Test]
    public void Lease_AfterReturn_GivesTheLastReturned()
    {
        var pool = new SlabPool();
        Slab first = pool.Lease(), second = pool.Lease();
        pool.Return(first);
        pool.Return(second);
        Assert.That(pool.Lease(), Is.SameAs(second));
        Assert.That(pool.Lease(), Is.SameAs(first));
    }

    [Test]
    public void Lease_OtherSize_DoesNotGiveAReturnedSlab()
    {
        var pool = new SlabPool();
        Slab small = pool.Lease();
        pool.Return(small);
        Assert.That(pool.Lease(SlabPool.LargeSize), Is.Not.SameAs(small));
    }

    [Test]
    public void Leased_LeasesAndReturns_CountsTheDifference()
    {
        var pool = new SlabPool();
        Slab[] slabs = [pool.Lease(), pool.Lease(SlabPool.MediumSize), pool.Lease(SlabPool.LargeSize)];
        Assert.That(pool.Leased, Is.EqualTo(3));
        foreach (Slab slab in slabs) pool.Return(slab);
        Assert.That(pool.Leased, Is.Zero);
    }

    [TestCase(SlabPool.SmallSize, 512)]
    [TestCase(SlabPool.MediumSize, 64)]
    [TestCase(SlabPool.LargeSize, 32)]
    public void Return_BeyondTheBound_KeepsNoMore(int size, int keptMax)
    {
        var pool = new SlabPool();
        Slab[] slabs = [.. Enumerable.Range(0, keptMax + 5).Select(_ => pool.Lease(size))];
        foreach (Slab slab in slabs) pool.Return(slab);
        HashSet<Slab> again = [.. slabs.Select(_ => pool.Lease(size))];
        again.IntersectWith(slabs);
        Assert.That(again, Has.Count.EqualTo(keptMax));
    }

    [Test]
    public unsafe void Pointer_AfterCollections_StillPointsAtTheArray()
    {
        Slab slab = new SlabPool().Lease();
        slab.Array[0] = 1;
        slab.Array[^1] = 2;
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        Assert.That((slab.Pointer[0], slab.Pointer[slab.Length - 1]), Is.EqualTo(((byte)1, (byte)2)));
        slab.Pointer[5] = 9;
        Assert.That(slab.Array[5], Is.EqualTo(9));
    }
}
