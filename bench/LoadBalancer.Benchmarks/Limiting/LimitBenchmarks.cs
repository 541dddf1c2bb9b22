using BenchmarkDotNet.Attributes;
using LoadBalancer.Limiting.Addresses;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Limiting.Keys;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Benchmarks.Limiting;

/// <summary>What does a limit cost a request, its key included?</summary>
[MemoryDiagnoser]
public class LimitBenchmarks
{
    private readonly KeySecret _secret = KeySecret.Random();
    private TokenBucket _bucket = null!;
    private SlidingWindow _window = null!;
    private KeyedConcurrency _concurrency = null!;
    private ulong _client;
    private long _now = 1;

    /// <summary>Clients that come in an order that no cache foresees; the tables have room for four times as many.</summary>
    [Params(1 << 14, 1 << 20)]
    public int Clients { get; set; }

    /// <summary>Tables that know all clients.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _bucket = new(1_000_000, 1_000_000_000, 1_000_000, 4 * Clients);
        _window = new(1_000_000, 1_000_000_000, 4 * Clients);
        _concurrency = new(10, 4 * Clients);
        for (int i = 0; i < Clients; i++) _ = Bucket();
        for (int i = 0; i < Clients; i++) _ = Window();
        for (int i = 0; i < Clients; i++) _ = Concurrency();
    }

    private ulong NextKey()
    {
        _now += 1000;
        _client = (_client * 6364136223846793005 + 1442695040888963407) & (ulong)(Clients - 1);
        var hash = new KeyHash(_secret);
        hash.Add(_client);
        return hash.ToKey();
    }

    /// <summary>The key alone.</summary>
    [Benchmark(Baseline = true)]
    public ulong Key() => NextKey();

    /// <summary>Token bucket.</summary>
    [Benchmark]
    public bool Bucket() => _bucket.TryTake(NextKey(), 1, _now).IsAllowed;

    /// <summary>Sliding window.</summary>
    [Benchmark]
    public bool Window() => _window.TryTake(NextKey(), 1, _now).IsAllowed;

    /// <summary>In and out.</summary>
    [Benchmark]
    public int Concurrency()
    {
        int ticket = _concurrency.TryEnter(NextKey());
        _concurrency.Leave(ticket);
        return ticket;
    }
}

/// <summary>What does a look at a block list cost?</summary>
[MemoryDiagnoser]
public class AddressSetBenchmarks
{
    private readonly Random _random = new(1);
    private readonly UInt128[] _addresses4 = new UInt128[1 << 16], _addresses6 = new UInt128[1 << 16];
    private AddressSet _set = AddressSet.Empty;
    private int _at;

    /// <summary>Blocks, half of them IPv4.</summary>
    [Params(10, 100_000)]
    public int Blocks { get; set; }

    /// <summary>Makes them, and addresses of which a part is in them.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var blocks = new List<AddressBlock>();
        for (int i = 0; i < Blocks; i++)
            blocks.Add(i % 2 == 0 ? AddressBlock.Of(true, IPv4(), 96 + _random.Next(16, 33)) : AddressBlock.Of(false, IPv6(), _random.Next(32, 129)));
        _set = new AddressSet(blocks);
        for (int i = 0; i < _addresses4.Length; i++)
        {
            _addresses4[i] = i % 2 == 0 ? IPv4() : blocks[i % blocks.Count / 2 * 2].First;
            _addresses6[i] = i % 2 == 0 ? IPv6() : blocks[i % blocks.Count / 2 * 2 + 1].First;
        }
    }

    private UInt128 IPv4() => (UInt128)0xFFFF << 32 | (uint)_random.NextInt64(1L << 32);

    private UInt128 IPv6() => new(0x2000_0000_0000_0000 | (ulong)_random.NextInt64(1L << 60), (ulong)_random.NextInt64());

    /// <summary>An IPv4 address.</summary>
    [Benchmark]
    public bool IPv4Address() => _set.Contains(true, _addresses4[_at = (_at + 1) & 0xFFFF]);

    /// <summary>An IPv6 address.</summary>
    [Benchmark]
    public bool IPv6Address() => _set.Contains(false, _addresses6[_at = (_at + 1) & 0xFFFF]);
}
