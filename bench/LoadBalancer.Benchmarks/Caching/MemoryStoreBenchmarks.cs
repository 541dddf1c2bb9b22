using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Benchmarks.Caching;

/// <summary>What does the memory store cost a hit, a miss and an answer that is stored, with a hundred thousand objects in it?</summary>
[MemoryDiagnoser]
public class MemoryStoreBenchmarks
{
    private const int Objects = 100_000;
    private readonly KeyHasher _hasher = KeyHasher.Random();
    private readonly byte[] _content = new byte[64 * 1024];
    private MemoryStore<string> _store = null!;
    private byte[][] _keys = null!, _others = null!;
    private UInt128[] _hashes = null!;
    private int _at;

    /// <summary>Fills it to its bound, so that each further object evicts.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _store = new(new() { BytesMax = 256L * 1024 * 1024, Shards = 8 });
        _keys = [.. Enumerable.Range(0, Objects).Select(i => Encoding.ASCII.GetBytes($"https://www.example.com/images/products/{i}/large.jpg"))];
        _others = [.. Enumerable.Range(0, Objects * 2).Select(i => Encoding.ASCII.GetBytes($"https://www.example.com/absent/products/{i}/large.jpg"))];
        _hashes = [.. _keys.Select(key => _hasher.Hash(key))];
        foreach (byte[] key in _keys) Store(key, 1024);
    }

    private PutResult Store(byte[] key, int length)
    {
        StoredBody body = StoredBody.Create(_store.Memory, length, length);
        body.TryAppend(_content.AsSpan(0, length));
        body.TrySeal();
        PutResult result = _store.Put(new(_hasher.Hash(key), key, "head", 300, body), default(NewestVariant<string>), 0, _store.PurgePosition);
        body.Release();
        return result;
    }

    private int Next() => _at = (int)((_at * 48271L + 11) % Objects);

    private int Find(byte[] key, UInt128 hash)
    {
        if (!_store.TryFind(hash, key, default(NewestVariant<string>), out StoreLease<string> lease)) return 0;
        int length = lease.Body!.Slice(0).Length;
        lease.Release();
        return length;
    }

    /// <summary>The hash of a key of 58 bytes.</summary>
    [Benchmark]
    public UInt128 Hash() => _hasher.Hash(_keys[0]);

    /// <summary>One object, again and again: found, held, looked at, released.</summary>
    [Benchmark(Baseline = true)]
    public int HitOfOne() => Find(_keys[0], _hashes[0]);

    /// <summary>The same, of all objects in an order that no processor cache foresees, the key's hash included.</summary>
    [Benchmark]
    public int HitOfMany()
    {
        byte[] key = _keys[Next()];
        return Find(key, _hasher.Hash(key));
    }

    /// <summary>A key that is not there, its hash included.</summary>
    [Benchmark]
    public int Miss()
    {
        byte[] key = _others[Next()];
        return Find(key, _hasher.Hash(key));
    }

    /// <summary>A body of 1 KiB received and stored in the place of its older self.</summary>
    [Benchmark]
    public PutResult Replace1K() => Store(_keys[Next()], 1024);

    /// <summary>A body of 16 KiB received and stored; others make room.</summary>
    [Benchmark]
    public PutResult Put16K() => Store(_others[_at++ % _others.Length], 16 * 1024);
}
