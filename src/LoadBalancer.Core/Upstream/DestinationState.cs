using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Upstream;

/// <summary>One destination over all loops: its address, resolved where it is a name, and the count of its connections. Thread-safe.</summary>
internal sealed class DestinationState
{
    private static readonly TimeSpan RetryAfterException = TimeSpan.FromSeconds(30);
    private readonly DnsEndPoint? _name;
    private readonly EndPoint? _fixed;
    private volatile IPEndPoint[]? _resolved; // the last good answer
    private long _staleAt; // timestamp ticks
    internal Task? Resolving; // the look-up under way, or the last
    private int _next;
    private int _openConnections;
    private readonly INameResolver _resolver;

    private readonly DestinationCounts?[] _counts; // by loop, which makes its own
    private readonly UpstreamPool?[] _pools; // by loop; each element belongs to its loop's thread

    /// <summary>Makes one of an address that was validated.</summary>
    /// <param name="name">In its cluster.</param>
    /// <param name="config">Of the newest list.</param>
    /// <param name="pool">Of its cluster.</param>
    /// <param name="tls">Of its cluster; null for none, unless the address asks for it.</param>
    /// <param name="services">Of the server.</param>
    /// <param name="before">The same destination as it was reached before; null for none. What was counted goes on.</param>
    internal DestinationState(string name, DestinationConfig config, ConnectionPoolConfig pool, UpstreamTls? tls, FleetServices services, DestinationState? before = null)
    {
        _pools = new UpstreamPool?[services.LoopCount];
        _counts = before?._counts ?? new DestinationCounts?[services.LoopCount];
        _resolver = services.NameResolver;
        Name = name;
        Config = config;
        Pool = pool;
        if (!AddressParser.TryParseDestination(config.Address, out EndPoint? endPoint, out bool isHttps, out string? error)) throw new FormatException(error);
        _name = endPoint as DnsEndPoint;
        if (_name is null) _fixed = endPoint!;
        Tls = tls is null ? null : new DestinationTls(tls, name, endPoint!);
        HostValue = Encoding.ASCII.GetBytes(HostOf(config.Address, isHttps, endPoint!));
    }

    internal string Name { get; }
    internal DestinationConfig Config { get; set; } // of the newest list
    internal string Source { get; set; } = ClusterMembers.Configured; // who knows of it
    internal StatusHistory History { get; } = new();
    internal ConnectionPoolConfig Pool { get; }

    /// <summary>The PROXY header with which connections to it begin.</summary>
    internal ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>Null where it is spoken to in plain.</summary>
    internal DestinationTls? Tls { get; }

    /// <summary>Host field for clusters that send the destination's address.</summary>
    internal byte[] HostValue { get; }

    /// <summary>The request that asks for its load; null until the first. The same whoever makes it, of one way of asking.</summary>
    internal Probing.LoadProbing.Request? LoadProbeRequest { get; set; }

    internal int OpenConnections => Volatile.Read(ref _openConnections);

    // RFC 9110 §4.2.2, §7.2: without the port where it is https's own.
    private string HostOf(string address, bool isHttps, EndPoint endPoint)
    {
        if (endPoint is UnixDomainSocketEndPoint) return "localhost";
        string authority = isHttps ? address["https://".Length..].TrimEnd('/') : address;
        return Tls is not null && authority.EndsWith(":443", StringComparison.Ordinal) ? authority[..^4] : authority;
    }

    /// <summary>A connection to it that is not connected.</summary>
    /// <param name="context">Of the loop.</param>
    /// <param name="endPoint">One of its addresses.</param>
    /// <param name="isHttp">What it is for: TLS says so by ALPN, and nothing for anything else.</param>
    internal TransportConnection CreateConnection(LoopContext context, EndPoint endPoint, bool isHttp)
    {
        TransportConnection bare = context.Loop.CreateOutbound(endPoint);
        return Tls is null ? bare : Tls.CreateConnection(bare, PoolOf(context).TlsSession!, isHttp);
    }

    /// <summary>Connects one, with what comes before a request: the PROXY header, which goes out with the first bytes that are sent, and the TLS hand-shake.</summary>
    /// <param name="connection">From <see cref="CreateConnection"/>.</param>
    /// <param name="client">Whose connection it is; the default for the balancer's own.</param>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal async ValueTask<ConnectResult> OpenAsync(TransportConnection connection, AddressPair client)
    {
        var tls = connection as TlsConnection;
        TransportConnection bare = tls?.Inner ?? connection;
        ConnectResult result = await bare.ConnectAsync().ConfigureAwait(false);
        if (result != ConnectResult.Connected) return result;
        ProxyHeaderSender.Collect(bare.Output, ProxyProtocol, client);
        return tls is null ? ConnectResult.Connected : await Tls!.EstablishAsync(tls).ConfigureAwait(false);
    }

    /// <summary>The pool of a loop. That loop's thread only.</summary>
    internal UpstreamPool PoolOf(LoopContext loop) => _pools[loop.Loop.Index] ?? MakePool(loop);

    /// <summary>What a loop counts of it. That loop's thread only.</summary>
    internal DestinationCounts CountsOf(LoopContext loop) => _counts[loop.Loop.Index] ??= new DestinationCounts();

    /// <summary>What the loops have counted. Any thread.</summary>
    internal IEnumerable<DestinationCounts> AllCounts => _counts.OfType<DestinationCounts>();

    private UpstreamPool MakePool(LoopContext loop) => _pools[loop.Loop.Index] = loop.AddPool(this);

    /// <summary>The destination has left its cluster: what this loop keeps for it is closed, now or with its last exchange. That loop's thread only.</summary>
    internal void Retire(LoopContext loop)
    {
        // Also where there was none yet: an exchange that picked the destination before it left may still come for it.
        PoolOf(loop).Retire();
        loop.RemovePool(PoolOf(loop));
    }

    /// <summary>Counts a connection that is about to be opened; false when the limit is reached.</summary>
    internal bool TryOpen()
    {
        int open = Interlocked.Increment(ref _openConnections);
        if (Pool.ConnectionsMax == 0 || open <= Pool.ConnectionsMax) return true;
        Interlocked.Decrement(ref _openConnections);
        return false;
    }

    internal void Closed() => Interlocked.Decrement(ref _openConnections);

    /// <summary>An address to connect to, when one is known; a name whose answer no longer holds is looked up again beside.</summary>
    internal EndPoint? TryGetEndPoint(TimeProvider time)
    {
        if (_fixed is not null) return _fixed;
        IPEndPoint[]? resolved = _resolved;
        if (resolved is null) return null;
        if (time.GetTimestamp() - Volatile.Read(ref _staleAt) > 0) _ = ResolveAsync(time);
        return resolved[(int)((uint)Volatile.Read(ref _next) % (uint)resolved.Length)];
    }

    /// <summary>A connect failed: the next one tries the next address of the name.</summary>
    internal void ConnectFailed() => Interlocked.Increment(ref _next);

    /// <summary>Looks the name up on the thread pool. Never fails: afterwards an address is known, or is not.</summary>
    internal Task ResolveAsync(TimeProvider time)
    {
        lock (_name!) // once for each look-up, not on the request path
        {
            if (Resolving is { IsCompleted: false } running) return running;
            return Resolving = Task.Run(() => LookUpAsync(time));
        }
    }

    private async Task LookUpAsync(TimeProvider time)
    {
        TimeSpan validFor = RetryAfterException;
        try
        {
            NameAnswer answer = await _resolver.ResolveAsync(_name!.Host).ConfigureAwait(false);
            // The last good answer stays.
            if (answer.Addresses.Count > 0) _resolved = [.. answer.Addresses.Select(a => new IPEndPoint(a, _name.Port))];
            validFor = answer.ValidFor;
        }
        catch (Exception)
        {
            // A resolver of the embedding program, against its contract: to the request it is a name that cannot be resolved.
        }
        Volatile.Write(ref _staleAt, time.GetTimestamp() + (long)(validFor.TotalSeconds * time.TimestampFrequency));
    }
}
