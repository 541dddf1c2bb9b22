using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Samples;

/// <summary>Sends each tenant's requests below a path of its own, and tells clients how long the destination took. One object serves all requests, on all event loops.</summary>
public sealed class TenantPolicy : IRequestPolicy, IResponsePolicy
{
    // Made once: an answer may be given many times.
    private static readonly PolicyAnswer s_noTenant = PolicyAnswer.Refuse(400, EndReason.RequestInvalid, "no tenant");

    /// <inheritdoc/>
    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        if (!context.Fields.TryGet("x-tenant"u8, out ReadOnlySpan<byte> tenant) || tenant.IsEmpty || tenant.ContainsAnyExceptInRange((byte)'a', (byte)'z'))
            return new(s_noTenant); // the destination is not asked
        context.SetTarget($"/tenants/{Encoding.ASCII.GetString(tenant)}{context.PathText}", context.QueryText);
        context.Fields.Remove("X-Tenant");
        context.State = context.Time.GetTimestamp(); // this policy's own, until the answer
        return default; // goes on
    }

    /// <inheritdoc/>
    public ValueTask OnResponseAsync(ResponseContext context)
    {
        TimeSpan took = context.Request.Time.GetElapsedTime((long)context.Request.State!);
        context.Fields.Set("Server-Timing", FormattableString.Invariant($"destination;dur={took.TotalMilliseconds:0.0}"));
        return default;
    }
}
