using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Gateway.Validation;

/// <summary>Lowest and highest value of each number of <see cref="ValidateConfig"/>.</summary>
internal static class ValidationRanges
{
    internal static readonly NumberRange BodyBytesMax = new(1, 64 * 1024 * 1024);
    internal static readonly NumberRange DepthMax = new(1, 1024);
    internal static readonly NumberRange ProblemsMax = new(1, 100);
    internal static readonly NumberRange StepsMax = new(1000, 100_000_000);
    internal static readonly NumberRange LengthMax = new(0, int.MaxValue);
    internal static readonly NumberRange Bound = new(long.MinValue, long.MaxValue);

    internal static readonly int[] InvalidBodyStatuses = [400, 422];
}
