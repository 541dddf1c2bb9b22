using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Identity;
using LoadBalancer.Identity.ApiKeys;
using LoadBalancer.Identity.Revocation;
using LoadBalancer.Identity.Sessions;

namespace LoadBalancer.Benchmarks.Identity;

/// <summary>What do the other credentials cost, and a look at a list of a million revoked ones?</summary>
[MemoryDiagnoser]
public class CredentialBenchmarks
{
    private ApiKeyVerifier _keys = null!;
    private SessionCodec _cached = null!, _uncached = null!;
    private RevocationList _revoked = RevocationList.Empty;
    private byte[] _key = [], _session = [];

    /// <summary>Makes them.</summary>
    [GlobalSetup]
    public void Setup()
    {
        (string key, string line) = ApiKeys.Create("a");
        _key = Encoding.ASCII.GetBytes(key);
        if (!ApiKeyTable.TryRead(Encoding.ASCII.GetBytes(line), out ApiKeyTable? table, out string problem)) throw new FormatException(problem);
        _keys = new ApiKeyVerifier(() => table, null, TimeProvider.System);
        SessionKey[] secrets = [new("k1", RandomNumberGenerator.GetBytes(32))];
        _cached = new SessionCodec(secrets, new VerifiedCache(64), null, TimeProvider.System);
        _uncached = new SessionCodec(secrets, null, null, TimeProvider.System);
        _session = Encoding.ASCII.GetBytes(_cached.Issue(new PrincipalBuilder("x", "alice").Add("roles", ["a", "b"]).Build(), TimeSpan.FromDays(1)));
        byte[] list = Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(0, 1_000_000).Select(i => $"jti {i:x16}")));
        if (!RevocationList.TryRead(list, out RevocationList? revoked, out problem)) throw new FormatException(problem);
        _revoked = revoked;
    }

    /// <summary>An API key.</summary>
    [Benchmark]
    public bool ApiKey() => _keys.Verify(_key).IsVerified;

    /// <summary>A session that was verified before.</summary>
    [Benchmark]
    public bool SessionCached() => _cached.Verify(_session).IsVerified;

    /// <summary>A session that was not.</summary>
    [Benchmark]
    public bool SessionUncached() => _uncached.Verify(_session).IsVerified;

    /// <summary>An id that is not revoked.</summary>
    [Benchmark]
    public bool Revoked() => _revoked.Contains(RevocationKind.Token, "0a1b2c3d4e5f6071");
}
