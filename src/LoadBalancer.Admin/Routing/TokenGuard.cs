using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Core.Serving;

namespace LoadBalancer.Admin.Routing;

/// <summary>What a request's token is.</summary>
internal enum TokenVerdict
{
    /// <summary>The one.</summary>
    Right,
    /// <summary>Missing, or another.</summary>
    Wrong,
    /// <summary>Not looked at: its address was wrong too often.</summary>
    TooMany,
}

/// <summary>Compares tokens in constant time, and stops to look at those of an address that was wrong ten times in a minute. Thread-safe.</summary>
internal sealed class TokenGuard(string token, TimeProvider time)
{
    private const int FailuresMax = 10;
    private const int AddressesMax = 1024;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly byte[] _digest = Digest(token);
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, int> _failures = [];
    private long _windowStart = time.GetTimestamp();

    internal TokenVerdict Check(ServedRequest request)
    {
        UInt128 address = request.Peer.AddressBits;
        // Whoever has an IPv6 address has its whole network.
        if (request.Peer.Family == System.Net.Sockets.AddressFamily.InterNetworkV6) address >>= 64;
        lock (_lock)
        {
            if (time.GetElapsedTime(_windowStart) >= Window || _failures.Count >= AddressesMax)
            {
                _windowStart = time.GetTimestamp();
                _failures.Clear();
            }
            if (_failures.GetValueOrDefault(address) >= FailuresMax) return TokenVerdict.TooMany;
        }
        const string Scheme = "Bearer ";
        string given = request.Field("Authorization") ?? "";
        // Digests have one length: the comparison tells nothing of the token's.
        bool isRight = given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Digest(given[Scheme.Length..].Trim(' ')), _digest);
        if (isRight) return TokenVerdict.Right;
        lock (_lock) _failures[address] = _failures.GetValueOrDefault(address) + 1;
        return TokenVerdict.Wrong;
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
