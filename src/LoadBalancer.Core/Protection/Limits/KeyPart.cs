using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>One part of a limit's key: see <see cref="LimitConfig.Key"/>.</summary>
internal sealed class KeyPart
{
    internal static readonly string[] Examples = ["\"ip\"", "\"ip/24\"", "\"ip/24,56\"", "\"header:NAME\"", "\"cookie:NAME\"", "\"path\"", "\"host\"", "\"method\"", "\"route\"", "\"claim:NAME\""];

    /// <summary>What the schema allows.</summary>
    internal const string Pattern = "^(ip(/[0-9]+(,[0-9]+)?)?|header:[^ :]+|cookie:[^ :]+|claim:[^ ]+|path|host|method|route)$";

    // A subscriber gets at least a /64 (RFC 6177), all of whose addresses are at his hand.
    private const int DefaultPrefix4 = 32, DefaultPrefix6 = 64;

    // In place of a value: what occurs more than once. Which of them the destination believes nobody knows, so another one each time must gain nothing.
    private const ulong Repeated = 1;

    private readonly Kind _kind;
    private readonly byte[] _name = [];
    private readonly string _claim = "";
    private readonly UInt128 _mask4, _mask6;

    private KeyPart(Kind kind, string name = "")
    {
        _kind = kind;
        _name = Encoding.ASCII.GetBytes(kind == Kind.Header ? name.ToLowerInvariant() : name);
        _claim = name;
    }

    private KeyPart(int prefix4, int prefix6)
    {
        _kind = Kind.Address;
        _mask4 = UInt128.MaxValue << (32 - prefix4);
        _mask6 = UInt128.MaxValue << (128 - prefix6);
    }

    private enum Kind : byte { Address, Header, Cookie, Path, Host, Method, Route, Claim }

    /// <summary>Whether requests can come without it.</summary>
    internal bool CanBeMissing => _kind is Kind.Header or Kind.Cookie or Kind.Claim;

    /// <summary>Whether it is known only when policies have verified who the request is from.</summary>
    internal bool NeedsIdentity => _kind == Kind.Claim;

    /// <summary>Reads a part as it stands in the configuration.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out KeyPart? part)
    {
        (string kind, string? name) = text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        part = (kind, name) switch
        {
            ("header", { } header) when HttpSyntax.IsToken(header) => new(Kind.Header, header),
            ("cookie", { } cookie) when HttpSyntax.IsToken(cookie) => new(Kind.Cookie, cookie),
            ("claim", { Length: > 0 } claim) when !claim.Contains(' ', StringComparison.Ordinal) => new(Kind.Claim, claim),
            ("path", null) => new(Kind.Path),
            ("host", null) => new(Kind.Host),
            ("method", null) => new(Kind.Method),
            ("route", null) => new(Kind.Route),
            (_, null) when text == "ip" || text.StartsWith("ip/", StringComparison.Ordinal) => Address(text),
            _ => null,
        };
        return part is not null;
    }

    /// <summary>Adds what the request has of it. False when it has none, and an empty part was added.</summary>
    // Hot path: per request and limit. 0 allocations.
    internal bool Add(ref KeyHash hash, Exchange exchange)
    {
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        switch (_kind)
        {
            case Kind.Address:
                Add(ref hash, exchange.ClientAddress);
                return true;
            case Kind.Header:
                return AddField(ref hash, request, bytes);
            case Kind.Cookie:
                return AddCookie(ref hash, request, bytes);
            case Kind.Path:
                hash.Add(exchange.Path);
                return true;
            case Kind.Host:
                AddLowerCase(ref hash, RedirectLocation.WithoutPort(bytes.Slice(request.AuthorityStart, request.AuthorityLength)));
                return true;
            case Kind.Claim:
                string? value = exchange.Policies?.Request.Identity is { } identity ? identity.GetClaim(_claim) : null;
                return AddValue(ref hash, MemoryMarshal.AsBytes(value.AsSpan()));
            case Kind.Method:
                hash.Add(bytes.Slice(request.MethodStart, request.MethodLength));
                return true;
            default:
                hash.Add(exchange.Route!.NameBytes);
                return true;
        }
    }

    private static KeyPart? Address(string text)
    {
        int prefix4 = DefaultPrefix4, prefix6 = DefaultPrefix6;
        if (text.Length > 2)
        {
            string[] prefixes = text[3..].Split(',');
            if (prefixes.Length > 2 || !TryPrefix(prefixes[0], 32, out prefix4) || (prefixes.Length == 2 && !TryPrefix(prefixes[1], 128, out prefix6))) return null;
        }
        return new(prefix4, prefix6);
    }

    private static bool TryPrefix(string text, int max, out int prefix) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix >= 1 && prefix <= max;

    private void Add(ref KeyHash hash, in PeerAddress client)
    {
        UInt128 bits = client.AddressBits;
        if (client.Family == AddressFamily.InterNetwork) bits &= _mask4;
        else if (client.Family == AddressFamily.InterNetworkV6) bits &= _mask6;
        hash.Add((ulong)(bits >> 64));
        hash.Add((ulong)bits);
    }

    private bool AddField(ref KeyHash hash, RequestHead request, ReadOnlySpan<byte> bytes)
    {
        int first = -1;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (request.Fields[i].NameLength != _name.Length || !Ascii.EqualsIgnoreCase(request.NameOf(i, bytes), _name)) continue;
            if (first >= 0)
            {
                hash.Add(Repeated);
                return true;
            }
            first = i;
        }
        return AddValue(ref hash, first >= 0 ? request.ValueOf(first, bytes) : default);
    }

    private bool AddCookie(ref KeyHash hash, RequestHead request, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> found = default;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (request.Fields[i].NameLength != 6 || !Ascii.EqualsIgnoreCase(request.NameOf(i, bytes), "cookie"u8)) continue;
            ReadOnlySpan<byte> cookies = request.ValueOf(i, bytes);
            foreach (Range range in cookies.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = cookies[range].Trim((byte)' ');
                if (pair.Length <= _name.Length + 1 || pair[_name.Length] != '=' || !pair.StartsWith(_name)) continue;
                if (!found.IsEmpty)
                {
                    hash.Add(Repeated);
                    return true;
                }
                found = pair[(_name.Length + 1)..];
            }
        }
        return AddValue(ref hash, found);
    }

    private static bool AddValue(ref KeyHash hash, ReadOnlySpan<byte> value)
    {
        hash.Add(value);
        return !value.IsEmpty;
    }

    // Hosts do not depend on case (RFC 9110 §4.2.3).
    private static void AddLowerCase(ref KeyHash hash, ReadOnlySpan<byte> text)
    {
        Span<byte> chunk = stackalloc byte[64];
        do
        {
            int length = Math.Min(text.Length, chunk.Length);
            Ascii.ToLower(text[..length], chunk, out int written);
            hash.Add(chunk[..written]);
            text = text[length..];
        }
        while (!text.IsEmpty);
    }
}
