using System.Text;

namespace LoadBalancer.Caching.Rules;

/// <summary>What the Cache-Control lines of a request say (RFC 9111 §5.2.1). A value; never allocates.</summary>
// Hot path: per request. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
public struct RequestCacheControl
{
    /// <summary>Nothing is said.</summary>
    public RequestCacheControl()
    {
    }

    /// <summary>no-store.</summary>
    public bool NoStore { get; private set; }

    /// <summary>no-cache, or Pragma: no-cache where there is no Cache-Control (RFC 9111 §5.4).</summary>
    public bool NoCache { get; private set; }

    /// <summary>only-if-cached.</summary>
    public bool OnlyIfCached { get; private set; }

    /// <summary>max-age in seconds; -1 when absent, 0 when it is no number.</summary>
    public int MaxAge { get; private set; } = -1;

    /// <summary>max-stale in seconds; <see cref="int.MaxValue"/> without argument (any); -1 when absent or no number.</summary>
    public int MaxStale { get; private set; } = -1;

    /// <summary>min-fresh in seconds; -1 when absent, <see cref="int.MaxValue"/> when it is no number.</summary>
    public int MinFresh { get; private set; } = -1;

    /// <summary>stale-if-error in seconds (RFC 5861 §4); -1 when absent or no number.</summary>
    public int StaleIfError { get; private set; } = -1;

    /// <summary>Adds one field line of Cache-Control.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        var reader = new DirectiveReader(line);
        while (reader.Next())
        {
            ReadOnlySpan<byte> name = reader.Name;
            switch (name.Length)
            {
                case 7 when Ascii.EqualsIgnoreCase(name, "max-age"u8):
                    if (MaxAge < 0) MaxAge = Math.Max(0, reader.ReadSeconds());
                    break;
                case 8 when Ascii.EqualsIgnoreCase(name, "no-cache"u8): NoCache = true; break;
                case 8 when Ascii.EqualsIgnoreCase(name, "no-store"u8): NoStore = true; break;
                case 9 when Ascii.EqualsIgnoreCase(name, "max-stale"u8):
                    if (MaxStale < 0) MaxStale = !reader.HasArgument && !reader.IsMalformed ? int.MaxValue : reader.ReadSeconds();
                    break;
                case 9 when Ascii.EqualsIgnoreCase(name, "min-fresh"u8):
                    if (MinFresh < 0) MinFresh = reader.ReadSeconds() is var seconds and >= 0 ? seconds : int.MaxValue;
                    break;
                case 14 when Ascii.EqualsIgnoreCase(name, "only-if-cached"u8): OnlyIfCached = true; break;
                case 14 when Ascii.EqualsIgnoreCase(name, "stale-if-error"u8):
                    if (StaleIfError < 0) StaleIfError = reader.ReadSeconds();
                    break;
            }
        }
    }

    /// <summary>Adds one field line of Pragma; only for requests without Cache-Control.</summary>
    public void AddPragma(ReadOnlySpan<byte> line)
    {
        var reader = new DirectiveReader(line);
        while (reader.Next()) NoCache |= Ascii.EqualsIgnoreCase(reader.Name, "no-cache"u8);
    }
}
