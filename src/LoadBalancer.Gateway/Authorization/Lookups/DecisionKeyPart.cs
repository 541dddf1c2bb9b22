using System.Diagnostics.CodeAnalysis;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>One thing on which a decision depends: see <see cref="DecisionCacheConfig.Key"/>.</summary>
internal sealed class DecisionKeyPart
{
    internal static readonly string[] Examples = ["\"method\"", "\"scheme\"", "\"host\"", "\"path\"", "\"query\"", "\"ip\"", "\"header:NAME\"", "\"cookie:NAME\"", "\"claim:NAME\""];

    /// <summary>What the schema allows.</summary>
    internal const string Pattern = "^(method|scheme|host|path|query|ip|header:[^ :]+|cookie:[^ :]+|claim:[^ ]+)$";

    private readonly Kind _kind;
    private readonly string _claim;
    private readonly byte[] _name;

    private DecisionKeyPart(Kind kind, string name = "")
    {
        _kind = kind;
        _claim = name;
        _name = Encoding.UTF8.GetBytes(name);
    }

    private enum Kind : byte { Method, Scheme, Host, Path, Query, Address, Header, Cookie, Claim }

    /// <summary>Whether it tells one client from another.</summary>
    internal bool SaysWho => _kind >= Kind.Address;

    /// <summary>Whether it is the address, which several clients may have.</summary>
    internal bool IsAddress => _kind == Kind.Address;

    /// <summary>Everything that a service is told which gets these fields.</summary>
    internal static IEnumerable<DecisionKeyPart> AllOf(IReadOnlyList<string> headers) =>
        [new(Kind.Method), new(Kind.Scheme), new(Kind.Host), new(Kind.Path), new(Kind.Query), new(Kind.Address), .. headers.Select(name => new DecisionKeyPart(Kind.Header, name))];

    /// <summary>Reads a part as it stands in the configuration.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out DecisionKeyPart? part)
    {
        (string kind, string? name) = text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        part = (kind, name) switch
        {
            ("method", null) => new(Kind.Method),
            ("scheme", null) => new(Kind.Scheme),
            ("host", null) => new(Kind.Host),
            ("path", null) => new(Kind.Path),
            ("query", null) => new(Kind.Query),
            ("ip", null) => new(Kind.Address),
            ("header", { } header) when HttpSyntax.IsToken(header) => new(Kind.Header, header),
            ("cookie", { } cookie) when HttpSyntax.IsToken(cookie) => new(Kind.Cookie, cookie),
            ("claim", { Length: > 0 } claim) when !claim.Contains(' ', StringComparison.Ordinal) => new(Kind.Claim, claim),
            _ => null,
        };
        return part is not null;
    }

    /// <summary>Adds what the request has of it.</summary>
    // Hot path: per request. 0 allocations.
    internal void Add(DecisionKey key, RequestContext context)
    {
        switch (_kind)
        {
            case Kind.Method:
                key.Add(context.Method);
                break;
            case Kind.Scheme:
                key.AddCount(context.IsEncrypted ? 1 : 0);
                break;
            case Kind.Host:
                key.AddLowerCase(context.Fields.TryGet("host"u8, out ReadOnlySpan<byte> host) ? host : default);
                break;
            case Kind.Path:
                key.Add(context.Path);
                break;
            case Kind.Query:
                key.Add(context.Query);
                break;
            case Kind.Address:
                key.Add(context.ClientAddress);
                break;
            case Kind.Header:
                AddLines(key, context.Fields);
                break;
            case Kind.Cookie:
                AddCookies(key, context.Fields);
                break;
            default:
                IReadOnlyList<string> values = context.Identity?.GetClaims(_claim) ?? [];
                key.AddCount(values.Count);
                for (int i = 0; i < values.Count; i++) key.Add(values[i]);
                break;
        }
    }

    // All lines: which of them the service believes is its affair.
    private void AddLines(DecisionKey key, HeaderFields fields)
    {
        key.AddCount(fields.CountOf(_name));
        for (int i = fields.IndexOf(_name); i >= 0; i = fields.IndexOf(_name, i + 1)) key.Add(fields.ValueAt(i));
    }

    private void AddCookies(DecisionKey key, HeaderFields fields)
    {
        int count = 0;
        for (int i = fields.IndexOf("cookie"u8); i >= 0; i = fields.IndexOf("cookie"u8, i + 1))
        {
            ReadOnlySpan<byte> cookies = fields.ValueAt(i);
            foreach (Range range in cookies.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = cookies[range].Trim(" \t"u8);
                int equals = pair.IndexOf((byte)'=');
                // With a space before "=" it is no cookie (RFC 6265 §4.2.1), and one all the same to many who read it.
                if (equals < 0 || !pair[..equals].TrimEnd(" \t"u8).SequenceEqual(_name)) continue;
                key.Add(pair[(equals + 1)..]);
                count++;
            }
        }
        key.AddCount(count);
    }
}
