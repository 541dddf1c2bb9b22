using System.Text;

namespace LoadBalancer.Caching.Rules;

/// <summary>What the Cache-Control lines of a response say together (RFC 9111 §5.2.2). A value; never allocates.</summary>
/// <remarks>
/// Where the RFC leaves a choice: of a repeated directive the first counts; a lifetime that is no number is 0 (stale); unknown directives are ignored; a restriction
/// counts however badly it is written, a permission (public, stale-*) only when it is well-formed.
/// </remarks>
public struct CacheControl
{
    /// <summary>Nothing is said.</summary>
    public CacheControl()
    {
    }

    /// <summary>Those without a number.</summary>
    public CacheDirectives Directives { get; private set; }

    /// <summary>max-age in seconds; -1 when absent, 0 when it is no number.</summary>
    public int MaxAge { get; private set; } = -1;

    /// <summary>s-maxage in seconds; -1 when absent, 0 when it is no number.</summary>
    public int SharedMaxAge { get; private set; } = -1;

    /// <summary>stale-while-revalidate in seconds (RFC 5861 §3); -1 when absent, 0 when it is no number.</summary>
    public int StaleWhileRevalidate { get; private set; } = -1;

    /// <summary>stale-if-error in seconds (RFC 5861 §4); -1 when absent, 0 when it is no number.</summary>
    public int StaleIfError { get; private set; } = -1;

    /// <summary>Whether any of these directives is there.</summary>
    public readonly bool Has(CacheDirectives any) => (Directives & any) != 0;

    /// <summary>Adds one field line.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        var reader = new DirectiveReader(line);
        while (reader.Next())
        {
            int seconds = Math.Max(0, reader.ReadSeconds());
            switch (NameOf(reader.Name))
            {
                case CacheDirective.NoCache: Directives |= HasFields(reader) ? CacheDirectives.NoCacheFields : CacheDirectives.NoCache; break;
                case CacheDirective.Private: Directives |= HasFields(reader) ? CacheDirectives.PrivateFields : CacheDirectives.Private; break;
                case CacheDirective.NoStore: Directives |= CacheDirectives.NoStore; break;
                case CacheDirective.MustRevalidate: Directives |= CacheDirectives.MustRevalidate; break;
                case CacheDirective.ProxyRevalidate: Directives |= CacheDirectives.ProxyRevalidate; break;
                case CacheDirective.NoTransform: Directives |= CacheDirectives.NoTransform; break;
                case CacheDirective.Public: if (!reader.HasArgument && !reader.IsMalformed) Directives |= CacheDirectives.Public; break;
                // It lifts no-store: a permission too.
                case CacheDirective.MustUnderstand: if (!reader.HasArgument && !reader.IsMalformed) Directives |= CacheDirectives.MustUnderstand; break;
                case CacheDirective.MaxAge: if (MaxAge < 0) MaxAge = seconds; break;
                case CacheDirective.SharedMaxAge: if (SharedMaxAge < 0) SharedMaxAge = seconds; break;
                case CacheDirective.StaleWhileRevalidate: if (StaleWhileRevalidate < 0) StaleWhileRevalidate = seconds; break;
                case CacheDirective.StaleIfError: if (StaleIfError < 0) StaleIfError = seconds; break;
            }
        }
    }

    /// <summary>Adds one member of a targeted field, where the last of a name counts (RFC 9213 §2.1, RFC 9651 §3.2). False when its type is not the directive's.</summary>
    internal bool AddTargeted(ReadOnlySpan<byte> name, in StructuredValue value)
    {
        Directives |= CacheDirectives.Targeted;
        CacheDirective directive = NameOf(name);
        switch (directive)
        {
            case CacheDirective.None: return true;
            case CacheDirective.MaxAge or CacheDirective.SharedMaxAge or CacheDirective.StaleWhileRevalidate or CacheDirective.StaleIfError:
                if (value.Kind != StructuredKind.Integer) return false;
                int seconds = (int)Math.Clamp(value.Number, 0, int.MaxValue);
                if (directive == CacheDirective.MaxAge) MaxAge = seconds;
                else if (directive == CacheDirective.SharedMaxAge) SharedMaxAge = seconds;
                else if (directive == CacheDirective.StaleWhileRevalidate) StaleWhileRevalidate = seconds;
                else StaleIfError = seconds;
                return true;
            case CacheDirective.NoCache or CacheDirective.Private when value.Kind == StructuredKind.String:
                bool isNoCache = directive == CacheDirective.NoCache;
                Directives |= IsFieldList(value.Text) ? isNoCache ? CacheDirectives.NoCacheFields : CacheDirectives.PrivateFields
                    : isNoCache ? CacheDirectives.NoCache : CacheDirectives.Private;
                return true;
        }
        if (value.Kind != StructuredKind.Boolean) return false;
        CacheDirectives flag = directive switch
        {
            CacheDirective.NoCache => CacheDirectives.NoCache,
            CacheDirective.Private => CacheDirectives.Private,
            CacheDirective.NoStore => CacheDirectives.NoStore,
            CacheDirective.MustRevalidate => CacheDirectives.MustRevalidate,
            CacheDirective.ProxyRevalidate => CacheDirectives.ProxyRevalidate,
            CacheDirective.NoTransform => CacheDirectives.NoTransform,
            CacheDirective.Public => CacheDirectives.Public,
            _ => CacheDirectives.MustUnderstand,
        };
        if (value.Number != 0) Directives |= flag;
        else Directives &= ~flag;
        return true;
    }

    /// <summary>Whether a line of Cache-Control (or of the targeted field) names a field in no-cache="..." or private="...": that field is not stored.</summary>
    internal static bool Names(ReadOnlySpan<byte> line, ReadOnlySpan<byte> field)
    {
        var reader = new DirectiveReader(line);
        while (reader.Next())
        {
            if (NameOf(reader.Name) is not (CacheDirective.NoCache or CacheDirective.Private) || !HasFields(reader)) continue;
            foreach (Range range in reader.Argument.Split((byte)','))
            {
                if (Ascii.EqualsIgnoreCase(reader.Argument[range].Trim(" \t"u8), field)) return true;
            }
        }
        return false;
    }

    // no-cache="" and no-cache="a b" name no field: then the directive is about the whole response, which is the stricter reading.
    private static bool HasFields(in DirectiveReader reader) => !reader.IsMalformed && reader.HasArgument && IsFieldList(reader.Argument);

    private static bool IsFieldList(ReadOnlySpan<byte> list)
    {
        bool hasAny = false;
        foreach (Range range in list.Split((byte)','))
        {
            ReadOnlySpan<byte> name = list[range].Trim(" \t"u8);
            if (name.IsEmpty) continue;
            if (!DirectiveReader.IsToken(name)) return false;
            hasAny = true;
        }
        return hasAny;
    }

    internal static CacheDirective NameOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        6 => Is(name, "public"u8, CacheDirective.Public),
        7 => Is(name, "max-age"u8, CacheDirective.MaxAge, "private"u8, CacheDirective.Private),
        8 => Is(name, "s-maxage"u8, CacheDirective.SharedMaxAge, "no-store"u8, CacheDirective.NoStore, "no-cache"u8, CacheDirective.NoCache),
        12 => Is(name, "no-transform"u8, CacheDirective.NoTransform),
        14 => Is(name, "stale-if-error"u8, CacheDirective.StaleIfError),
        15 => Is(name, "must-revalidate"u8, CacheDirective.MustRevalidate, "must-understand"u8, CacheDirective.MustUnderstand),
        16 => Is(name, "proxy-revalidate"u8, CacheDirective.ProxyRevalidate),
        22 => Is(name, "stale-while-revalidate"u8, CacheDirective.StaleWhileRevalidate),
        _ => CacheDirective.None,
    };

    private static CacheDirective Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> a, CacheDirective isA, ReadOnlySpan<byte> b = default, CacheDirective isB = default,
        ReadOnlySpan<byte> c = default, CacheDirective isC = default) =>
        Ascii.EqualsIgnoreCase(name, a) ? isA : Ascii.EqualsIgnoreCase(name, b) ? isB : Ascii.EqualsIgnoreCase(name, c) ? isC : CacheDirective.None;
}

/// <summary>The response directives, each by name.</summary>
internal enum CacheDirective : byte
{
    None,
    NoStore,
    NoCache,
    Private,
    Public,
    MustRevalidate,
    ProxyRevalidate,
    MustUnderstand,
    NoTransform,
    MaxAge,
    SharedMaxAge,
    StaleWhileRevalidate,
    StaleIfError,
}
