using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Lowest and highest value of each number and time: the validator and the JSON Schema read the same table.</summary>
internal static class AuthenticationRanges
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    internal static readonly DurationRange Interval = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(30), ZeroAllowed: true);
    internal static readonly DurationRange Timeout = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), ZeroAllowed: false);
    internal static readonly DurationRange RefetchMin = new(TimeSpan.FromSeconds(1), Day, ZeroAllowed: false);
    internal static readonly DurationRange MaxAge = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650), ZeroAllowed: true);
    internal static readonly DurationRange Wait = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), ZeroAllowed: false);
    internal static readonly DurationRange ClockSkew = new(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), ZeroAllowed: true);
    internal static readonly DurationRange TokenAge = new(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650), ZeroAllowed: true);
    internal static readonly DurationRange SignatureAge = new(TimeSpan.FromSeconds(1), Day, ZeroAllowed: false);
    internal static readonly DurationRange RememberFor = new(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), ZeroAllowed: true);
    internal static readonly NumberRange Cached = new(0, 1_000_000);
    internal static readonly NumberRange TokenBytes = new(256, 64 * 1024);
    internal static readonly NumberRange HeaderBytes = new(16, 32 * 1024);
    internal static readonly NumberRange Concurrency = new(0, 1024);
    internal static readonly NumberRange Pending = new(1, 100_000);
    internal static readonly NumberRange Nonces = new(0, 10_000_000);
    internal static readonly NumberRange BodyBytes = new(0, 1 << 30);
    internal static readonly NumberRange UnavailableStatus = new(401, 503);
}
