using BenchmarkDotNet.Attributes;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Benchmarks.Routing;

/// <summary>Does finding a route depend on the number of routes?</summary>
[MemoryDiagnoser]
public class RouteTableBenchmarks
{
    private RouteTable<string> _table = RouteTable<string>.Build([]);

    /// <summary>1 is the catch-all alone.</summary>
    [Params(1, 10, 1000)]
    public int Routes { get; set; }

    /// <summary>Half the hosts exact, half wildcards; a third of the paths with a parameter.</summary>
    [GlobalSetup]
    public void Setup() => _table = RouteTable<string>.Build(
    [
        new("any", [], "/**", [], new Dictionary<string, string>(), "any"),
        .. Enumerable.Range(0, Routes - 1).Select(i => new RouteRule<string>(
            $"r{i}", [i % 2 == 0 ? $"h{i % 50}.example.com" : $"*.w{i % 50}.example.com"], $"/api/v{i}/{(i % 3 == 0 ? "{id}" : "items")}/**", [], new Dictionary<string, string>(), $"r{i}")),
    ]);

    /// <summary>Exact host, literal prefix.</summary>
    [Benchmark]
    public string? ExactHost() => Find("h2.example.com:8080"u8, "/api/v2/items/8471"u8);

    /// <summary>Wildcard host, parameter.</summary>
    [Benchmark]
    public string? WildcardHost() => Find("tenant.w3.example.com"u8, "/api/v3/8471/x"u8);

    /// <summary>No rule but the catch-all.</summary>
    [Benchmark]
    public string? Fallback() => Find("www.example.net"u8, "/index.html"u8);

    private string? Find(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path)
    {
        var fields = new NoFields();
        return _table.Find(authority, path, "GET"u8, ref fields);
    }

    private struct NoFields : IFieldLookup
    {
        public readonly bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value)
        {
            value = default;
            return false;
        }
    }
}
