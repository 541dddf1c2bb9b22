using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Discovery.Dns;

namespace LoadBalancer.Discovery;

/// <summary>
/// Looks names up with their TTL. Without a name server of its own it does as the C library does, hosts file first, then the name servers and search
/// domains of resolv.conf; and what these do not answer is asked of the system's own resolver, which may know more. Any thread.
/// </summary>
public sealed class DnsResolver : INameResolver
{
    // What has no TTL: the hosts file, the system's resolver.
    private static readonly TimeSpan SystemValidFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ValidForMin = TimeSpan.FromSeconds(1), ValidForMax = TimeSpan.FromSeconds(60), RetryAfter = TimeSpan.FromSeconds(5);

    private readonly DnsClient _client;
    private readonly IPEndPoint[] _servers;
    private readonly SystemNames _system;
    private readonly INameResolver _fallback;

    /// <summary>Makes a resolver.</summary>
    /// <param name="server">The name server to ask, and nobody else; null (default) for those of the system.</param>
    /// <param name="timeProvider">Null for the system's time.</param>
    public DnsResolver(IPEndPoint? server = null, TimeProvider? timeProvider = null)
        : this(server, timeProvider, new SystemNames(), new SystemNameResolver())
    {
    }

    internal DnsResolver(IPEndPoint? server, TimeProvider? timeProvider, SystemNames system, INameResolver fallback)
    {
        _client = new DnsClient(timeProvider ?? TimeProvider.System);
        _servers = server is null ? [] : [server];
        _system = system;
        _fallback = fallback;
    }

    /// <inheritdoc/>
    /// <remarks>Answers hold for their TTL, within 1 and 60 s; failed look-ups are repeated after 5 s.</remarks>
    public async Task<NameAnswer> ResolveAsync(string name, CancellationToken cancellationToken = default)
    {
        NameLookup found = await LookUpAsync(name, cancellationToken).ConfigureAwait(false);
        IPAddress[] addresses = [.. found.V4 ?? [], .. found.V6 ?? []];
        return addresses.Length == 0
            ? new NameAnswer([], RetryAfter, found.Problem)
            : new NameAnswer(addresses, found.ValidFor < ValidForMin ? ValidForMin : found.ValidFor > ValidForMax ? ValidForMax : found.ValidFor);
    }

    /// <summary>Both kinds of addresses of a name.</summary>
    internal async Task<NameLookup> LookUpAsync(string name, CancellationToken token)
    {
        if (_servers.Length > 0) return await AddressesAsync(_servers, name.TrimEnd('.'), token).ConfigureAwait(false);
        if (_system.Hosts(name) is { Count: > 0 } fixedOnes) return NameLookup.Of(fixedOnes, SystemValidFor);
        NameLookup found = NameLookup.None("is not answered by the system");
        // RFC 6761 §6.3: name servers are not to be asked for localhost.
        if (!name.Equals("localhost", StringComparison.OrdinalIgnoreCase) && !name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
        {
            (IReadOnlyList<IPEndPoint> servers, IReadOnlyList<string> candidates) = _system.Read(name);
            foreach (string candidate in servers.Count == 0 ? [] : candidates)
            {
                found = await AddressesAsync(servers, candidate, token).ConfigureAwait(false);
                if (found.HasAddress) return found;
                if (found.IsFailed) break; // silent servers are silent for the next candidate too
            }
        }
        NameAnswer answer = await _fallback.ResolveAsync(name, token).ConfigureAwait(false);
        return answer.Addresses.Count > 0 ? NameLookup.Of(answer.Addresses, SystemValidFor) : found;
    }

    /// <summary>The SRV records of a name.</summary>
    internal async Task<DnsAnswer> ServicesAsync(string name, CancellationToken token)
    {
        if (_servers.Length > 0) return await _client.QueryAsync(_servers, name.TrimEnd('.'), DnsRecordType.Srv, token).ConfigureAwait(false);
        (IReadOnlyList<IPEndPoint> servers, IReadOnlyList<string> candidates) = _system.Read(name);
        DnsAnswer answer = DnsAnswer.Failed("has no name server to ask; set \"resolver\"");
        foreach (string candidate in servers.Count == 0 ? [] : candidates)
        {
            answer = await _client.QueryAsync(servers, candidate, DnsRecordType.Srv, token).ConfigureAwait(false);
            if (answer.Status != DnsStatus.None) break;
        }
        return answer;
    }

    private async Task<NameLookup> AddressesAsync(IReadOnlyList<IPEndPoint> servers, string name, CancellationToken token)
    {
        Task<DnsAnswer> v4 = _client.QueryAsync(servers, name, DnsRecordType.A, token), v6 = _client.QueryAsync(servers, name, DnsRecordType.Aaaa, token);
        DnsAnswer[] answers = await Task.WhenAll(v4, v6).ConfigureAwait(false);
        uint ttl = answers.Where(a => a.Status == DnsStatus.Found).Select(a => a.TtlSeconds).DefaultIfEmpty().Min();
        return new NameLookup(Addresses(answers[0]), Addresses(answers[1]), TimeSpan.FromSeconds(ttl), (answers.FirstOrDefault(a => a.Status == DnsStatus.Failed) ?? answers[0]).Problem);
    }

    private static IPAddress[]? Addresses(DnsAnswer answer) =>
        answer.Status == DnsStatus.Failed ? null : [.. answer.Records.Select(r => r.Address!).Where(NameLookup.IsUsable)];
}
