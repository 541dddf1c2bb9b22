using LoadBalancer.Scripting.State;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Scripting.Tests;

public sealed class KeyValueStoreTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public void AValueExpires()
    {
        var store = new KeyValueStore(64, 1 << 20, _time);
        store.Set("a", new StoredValue("x", 0), TimeSpan.FromSeconds(10));
        store.Increment("n", 2, TimeSpan.FromSeconds(10), out _);
        _time.Advance(TimeSpan.FromSeconds(9));
        store.Increment("n", 3, TimeSpan.FromSeconds(10), out double sum); // keeps its own end
        Assert.That((store.Get("a")!.Value.Text, sum), Is.EqualTo(("x", 5.0)));
        _time.Advance(TimeSpan.FromSeconds(1));
        store.Increment("n", 1, null, out double anew);
        Assert.That((store.Get("a"), anew), Is.EqualTo(((StoredValue?)null, 1.0)));
    }

    [Test]
    public void WhatWasNotUsedForLongestGoes()
    {
        var store = new KeyValueStore(16, 1 << 20, _time); // one in each shard
        for (int i = 0; i < 1000; i++) store.Set($"k{i}", new StoredValue(null, i), null);
        Assert.That(store.Count, Is.LessThanOrEqualTo(16));
        Assert.That(store.Get("k999")!.Value.Number, Is.EqualTo(999));
    }

    [Test]
    public void BytesAreBounded()
    {
        var store = new KeyValueStore(1 << 20, 1 << 20, _time);
        string large = new('x', 10_000);
        for (int i = 0; i < 1000; i++) Assert.That(store.Set($"k{i}", new StoredValue(large, 0), null), Is.Null);
        Assert.That(store.Count, Is.LessThan(60));
        Assert.That(store.Set("k", new StoredValue(new string('x', 100_000), 0), null), Does.Contain("too large"));
        Assert.That(store.Set(new string('k', 513), default, null), Does.Contain("512"));
    }

    [Test]
    public void ManyThreadsCountRight()
    {
        var store = new KeyValueStore(64, 1 << 20, _time);
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 10_000; i++) store.Increment("n", 1, null, out double _);
        });
        Assert.That(store.Get("n")!.Value.Number, Is.EqualTo(80_000));
        Assert.That((store.Remove("n"), store.Remove("n")), Is.EqualTo((true, false)));
    }
}
