using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Benchmarks.Limiting;

/// <summary>What does it cost to read the file of an address list, half of it IPv4?</summary>
[MemoryDiagnoser]
public class AddressListBenchmarks
{
    private byte[] _file = [];

    /// <summary>Lines.</summary>
    [Params(100_000, 1_000_000)]
    public int Blocks { get; set; }

    /// <summary>Makes the file.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var text = new StringBuilder();
        for (int i = 0; i < Blocks; i++)
            text.Append(i % 2 == 0 ? $"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}\n" : $"2001:{random.Next(65536):x}:{random.Next(65536):x}:{random.Next(65536):x}::/64 # a comment\n");
        _file = Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>From bytes to a set that can be asked.</summary>
    [Benchmark]
    public int Read() => AddressListFile.TryParse(_file, out List<AddressBlock>? blocks, out string error) ? new AddressSet(blocks).Count : throw new FormatException(error);
}

/// <summary>What does a look at the bans cost?</summary>
[MemoryDiagnoser]
public class BanListBenchmarks
{
    private readonly BanList _bans = new(100_000);
    private readonly UInt128[] _addresses = new UInt128[1 << 16];
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private int _at;

    /// <summary>Bans, of single addresses, and of a /24 each thousand.</summary>
    [Params(10, 100_000)]
    public int Bans { get; set; }

    /// <summary>Makes them, and addresses of which half are banned.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var banned = new List<UInt128>();
        for (int i = 0; i < Bans; i++)
        {
            UInt128 address = IPv4(random);
            banned.Add(address);
            _bans.TryAdd(new Ban(AddressBlock.Of(true, address, i % 1000 == 1 ? 120 : 128), _now.AddHours(1), ""), _now);
        }
        for (int i = 0; i < _addresses.Length; i++) _addresses[i] = i % 2 == 0 ? IPv4(random) : banned[random.Next(banned.Count)];
    }

    private static UInt128 IPv4(Random random) => (UInt128)0xFFFF << 32 | (uint)random.NextInt64(1L << 32);

    /// <summary>An address, banned or not.</summary>
    [Benchmark]
    public bool Find() => _bans.Find(true, _addresses[_at = (_at + 1) & 0xFFFF], _now) is not null;
}
