namespace LoadBalancer.Core.Configuration;

/// <summary>Lowest and highest value of each number and time: the validator and the JSON Schema read the same table.</summary>
internal static class ConfigRanges
{
    // A month: longer than any sensible wait, and far from the overflow of a millisecond count.
    private static readonly TimeSpan TimeMax = TimeSpan.FromDays(30);
    private static readonly DurationRange Positive = new(TimeSpan.FromMilliseconds(1), TimeMax, ZeroAllowed: false);
    private static readonly DurationRange PositiveOrNone = new(TimeSpan.FromMilliseconds(1), TimeMax, ZeroAllowed: true);

    internal static readonly DurationRange DrainTimeout = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1), ZeroAllowed: true);
    internal static readonly NumberRange Loops = new(0, 1024);

    internal static readonly NumberRange Backlog = new(1, 65535);
    internal static readonly NumberRange ListenerConnectionsMax = new(0, int.MaxValue);
    // Linux takes TCP_KEEPIDLE in whole seconds, at most 32767.
    internal static readonly DurationRange TcpKeepAlive = new(TimeSpan.FromSeconds(1), TimeSpan.FromHours(9), ZeroAllowed: true);

    internal static readonly DurationRange HandshakeTimeout = Positive;
    internal static readonly NumberRange HandshakesMax = new(0, int.MaxValue);

    internal static readonly NumberRange RedirectPort = new(0, 65535);
    // The field has whole seconds. Ten years is for ever, for a browser.
    internal static readonly DurationRange StrictTransportMaxAge = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650), ZeroAllowed: true);
    // https://hstspreload.org: what the lists of browsers ask for.
    internal static readonly TimeSpan PreloadMaxAgeMin = TimeSpan.FromDays(365);
    internal static readonly DurationRange AcmeRenewBefore = new(TimeSpan.FromMinutes(1), TimeSpan.FromDays(365), ZeroAllowed: true);

    internal static readonly DurationRange ProxyHeaderTimeout = Positive;

    internal static readonly NumberRange BansMax = new(1, 10_000_000);
    internal static readonly NumberRange AutoBanRefusals = new(1, 1_000_000);
    internal static readonly DurationRange AutoBanWithin = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), ZeroAllowed: false);
    internal static readonly DurationRange AutoBanFor = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(365), ZeroAllowed: false);
    internal static readonly NumberRange BlockStatus = new(400, 599);
    internal static readonly NumberRange PerSource = new(0, 1_000_000);

    internal static readonly DurationRange HelloTimeout = Positive;
    internal static readonly DurationRange TcpIdleTimeout = Positive;

    internal static readonly DurationRange RequestHeadTimeout = Positive;
    internal static readonly DurationRange RequestBodyIdleTimeout = Positive;
    internal static readonly NumberRange RequestBodyRateMin = new(0, int.MaxValue);
    internal static readonly DurationRange RequestBodyRateGrace = PositiveOrNone;
    internal static readonly NumberRange ResponseRateMin = new(0, int.MaxValue);
    internal static readonly DurationRange ResponseRateGrace = PositiveOrNone;
    internal static readonly DurationRange KeepAliveTimeout = Positive;
    internal static readonly NumberRange RequestsPerConnectionMax = new(0, int.MaxValue);
    internal static readonly DurationRange ConnectionAgeMax = PositiveOrNone;
    internal static readonly DurationRange WriteIdleTimeout = Positive;
    // Heads are parsed in one buffer of 64 KiB, with offsets of 16 bits.
    internal static readonly NumberRange RequestLineBytesMax = new(256, 64 * 1024);
    internal static readonly NumberRange RequestHeadBytesMax = new(1024, 64 * 1024);
    internal static readonly NumberRange RequestHeaderCountMax = new(1, 10_000);
    internal static readonly NumberRange RequestBodyBytesMax = new(0, long.MaxValue);

    internal static readonly NumberRange RouteHeaderCountMax = new(0, 10_000);
    internal static readonly DurationRange RequestBodyTimeout = PositiveOrNone;
    internal static readonly DurationRange PolicyTimeout = Positive;
    internal static readonly NumberRange PolicyBodyBytesMax = new(1 << 20, 1L << 40);
    internal static readonly NumberRange ClusterConcurrency = new(1, 1_000_000);
    internal static readonly NumberRange ClusterConcurrencyInitial = new(0, 1_000_000);
    internal static readonly NumberRange ConcurrencyTolerancePercent = new(0, 1000);
    internal static readonly DurationRange ConcurrencyWindow = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), ZeroAllowed: false);

    internal static readonly NumberRange LimitBurst = new(0, 1_000_000_000);
    internal static readonly NumberRange LimitConcurrency = new(1, 1_000_000);
    internal static readonly NumberRange LimitCost = new(1, 1_000_000);
    // 256 MiB.
    internal static readonly NumberRange LimitKeysMax = new(8, 1 << 24);
    internal static readonly NumberRange RefusalStatus = new(400, 599);
    // The interval between two is a whole number of ticks, of which a clock has 10⁷ to 10⁹ in a second.
    internal const long LimitRatePerSecondMax = 1_000_000;

    internal static readonly DurationRange Deadline = PositiveOrNone;
    internal static readonly NumberRange RespondStatus = new(200, 599);
    internal static readonly int[] RedirectStatuses = [301, 302, 303, 307, 308];

    internal static readonly DurationRange ConnectTimeout = Positive;
    internal static readonly DurationRange ResponseHeadTimeout = Positive;
    internal static readonly DurationRange ClusterIdleTimeout = Positive;
    internal static readonly DurationRange TunnelIdleTimeout = Positive;
    internal static readonly NumberRange ResponseHeadBytesMax = new(1024, 64 * 1024);
    internal static readonly NumberRange ResponseHeaderCountMax = new(1, 10_000);
    internal static readonly NumberRange RetriesMax = new(0, 10);
    internal static readonly NumberRange Weight = new(1, 1000);
    internal static readonly NumberRange SplitShare = new(0, 1_000_000);
    internal static readonly NumberRange MirrorRequestsMax = new(1, 100_000);
    internal static readonly NumberRange RequestsMax = new(0, 1_000_000);
    internal static readonly DurationRange DiscoverInterval = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1), ZeroAllowed: false);
    internal static readonly NumberRange Tier = new(0, 15);
    internal static readonly NumberRange Percent = new(0, 100);
    internal static readonly NumberRange HedgePercentMax = new(1, 100);
    internal static readonly NumberRange RetriesPerSecondMin = new(0, 1_000_000);
    internal static readonly DurationRange SlowStart = PositiveOrNone;
    // Browsers keep no cookie for longer than 400 days (RFC 6265bis §5.5).
    internal static readonly DurationRange StickyMaxAge = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(400), ZeroAllowed: true);

    internal static readonly DurationRange HealthCheckInterval = new(TimeSpan.FromMilliseconds(100), TimeMax, ZeroAllowed: false);
    internal static readonly DurationRange HealthCheckTimeout = new(TimeSpan.FromMilliseconds(50), TimeMax, ZeroAllowed: false);
    internal static readonly NumberRange FallAndRise = new(1, 100);

    internal static readonly NumberRange ConsecutiveFailures = new(0, 1_000_000);
    internal static readonly NumberRange EjectionRequestsMin = new(1, 1_000_000);
    internal static readonly DurationRange EjectionWindow = Positive;
    internal static readonly DurationRange EjectionDuration = Positive;

    internal static readonly NumberRange QueueRequestsMax = new(0, 1_000_000);
    internal static readonly DurationRange QueueTimeout = Positive;

    internal static readonly NumberRange IdleConnectionsMax = new(0, 1_000_000);
    internal static readonly DurationRange PoolIdleTimeout = PositiveOrNone;
    internal static readonly DurationRange PoolLifeMax = PositiveOrNone;
    internal static readonly NumberRange PoolConnectionsMax = new(0, 1_000_000);

    internal static readonly DurationRange LoadProbeTimeout = Positive;
    internal static readonly NumberRange LoadProbeInFlightMax = new(1, 10_000);

    internal static readonly NumberRange AccessLogRotateSize = new(0, 1L << 40);
    internal static readonly NumberRange AccessLogKeep = new(0, 1000);
    internal static readonly NumberRange AccessLogSample = new(1, 1_000_000);
    internal static readonly NumberRange AccessLogStatus = new(0, 599);
    internal static readonly NumberRange AccessLogBuffer = new(128 << 10, 64 << 20);
    internal static readonly DurationRange AccessLogTime = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), ZeroAllowed: true);
    // 1 KB or so each.
    internal static readonly NumberRange RecentRequests = new(0, 65_536);
    internal static readonly NumberRange LoggedBodyBytes = new(0, 16 << 10);
    internal static readonly NumberRange RedisDatabase = new(0, 1_000_000);
    internal static readonly DurationRange RedisTime = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10), ZeroAllowed: false);

    internal static readonly NumberRange CacheMemoryBytesMax = new(1 << 20, 1L << 44);
    internal static readonly NumberRange CacheObjectBytesMax = new(1 << 10, int.MaxValue);
    internal static readonly NumberRange CacheDiskBytesMax = new(1 << 20, 1L << 50);
    internal static readonly NumberRange CacheDiskObjectBytesMax = new(1 << 10, 1L << 44);
    // RFC 9111 §1.2.2: what is longer than 2^31 s counts as that; a year is the usual "for ever".
    internal static readonly DurationRange CacheTtl = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650), ZeroAllowed: true);
    internal static readonly DurationRange CacheStale = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650), ZeroAllowed: true);
    internal static readonly DurationRange CollapseTimeout = PositiveOrNone;

    /// <summary>Balancing policies that can be named: not once for all, as programs add their own.</summary>
    internal static string[] BalancePolicies => [.. Balancing.BalancingPolicies.Names];

    /// <summary>The policy that asks destinations for their load.</summary>
    internal const string ProbingPolicy = "prequal";

    /// <summary>Policies that hash a part of the request.</summary>
    internal static readonly string[] HashPolicies = ["consistent-hash", "rendezvous"];
}

/// <summary>Both ends included.</summary>
internal readonly record struct NumberRange(long Min, long Max)
{
    internal bool Contains(long value) => value >= Min && value <= Max;

    internal string Text => Max is int.MaxValue or long.MaxValue ? $"{Min} or more" : $"{Min} to {Max}";
}

/// <summary>Both ends included; zero, where allowed, means "none" and stands outside of the range.</summary>
internal readonly record struct DurationRange(TimeSpan Min, TimeSpan Max, bool ZeroAllowed)
{
    internal bool Contains(TimeSpan value) => (value >= Min && value <= Max) || (ZeroAllowed && value == TimeSpan.Zero);

    internal string Text => $"{(ZeroAllowed ? "0 (none), or " : "")}{DurationText.Format(Min)} to {DurationText.Format(Max)}";
}
