using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>What part of a request a hashing policy hashes. Immutable.</summary>
internal sealed class HashSource
{
    internal static readonly string[] Examples = ["ip", "path", "header:X-User", "cookie:session", "query:id"];

    private readonly Part _part;
    private readonly byte[] _name; // lower case for fields, as written for cookies and parameters

    private HashSource(Part part, string name = "")
    {
        _part = part;
        _name = Encoding.ASCII.GetBytes(part == Part.Header ? name.ToLowerInvariant() : name);
    }

    private enum Part : byte { Address, Path, Header, Cookie, Query }

    /// <summary>Reads "ip", "path", "header:NAME", "cookie:NAME" or "query:NAME".</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out HashSource? source)
    {
        (string kind, string? name) = text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        source = (kind, name) switch
        {
            ("ip", null) => new(Part.Address),
            ("path", null) => new(Part.Path),
            ("header", { } header) when HttpSyntax.IsToken(header) => new(Part.Header, header),
            ("cookie", { } cookie) when HttpSyntax.IsToken(cookie) => new(Part.Cookie, cookie),
            ("query", { } parameter) when HttpSyntax.IsToken(parameter) => new(Part.Query, parameter),
            _ => null,
        };
        return source is not null;
    }

    /// <summary>The key of a request; 0 where it has no such part, so that the policy spreads it like one without a key.</summary>
    // Hot path: per attempt in clusters that hash. 0 allocations.
    internal ulong KeyOf(Exchange exchange)
    {
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        switch (_part)
        {
            case Part.Address:
                return KeyOf(exchange.Client.Remote);
            case Part.Path:
                return HashKeys.Of(exchange.NormalizedLength >= 0 ? exchange.NormalizedPath : bytes.Slice(request.PathStart, request.PathLength));
            case Part.Header:
                return new RequestFieldLookup(request, bytes).TryGet(_name, out ReadOnlySpan<byte> value) && !value.IsEmpty ? HashKeys.Of(value) : 0;
            case Part.Cookie:
                return new RequestFieldLookup(request, bytes).TryGet("cookie"u8, out ReadOnlySpan<byte> cookies) ? KeyIn(cookies, (byte)';') : 0;
            default:
                return request.QueryLength > 1 ? KeyIn(bytes.Slice(request.QueryStart + 1, request.QueryLength - 1), (byte)'&') : 0;
        }
    }

    /// <summary>Whether connections have that part, without any request.</summary>
    internal bool IsOfConnection => _part == Part.Address;

    /// <summary>The key of a client's address.</summary>
    internal static ulong KeyOf(in PeerAddress client)
    {
        UInt128 address = client.AddressBits;
        return client.Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 ? HashKeys.Of(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in address))) : 0;
    }

    private ulong KeyIn(ReadOnlySpan<byte> pairs, byte separator) => NamedPairs.TryFind(pairs, separator, _name, out ReadOnlySpan<byte> value) ? HashKeys.Of(value) : 0;
}
