using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Gateway.Authorization;

/// <summary>What numbers of an <see cref="AuthorizeConfig"/> may be.</summary>
internal static class AuthorizationRanges
{
    internal static readonly DurationRange Timeout = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1), ZeroAllowed: false);
    internal static readonly NumberRange BodyBytesMax = new(0, 1 << 20);
    internal static readonly DurationRange For = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), ZeroAllowed: true);
    internal static readonly DurationRange StaleFor = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), ZeroAllowed: false);
    internal static readonly NumberRange CacheBytesMax = new(64 * 1024, 4L << 30);
    internal static readonly int[] Unauthenticated = [401, 403];

    /// <summary>Most rules of a policy.</summary>
    internal const int RulesMax = 1000;
}
