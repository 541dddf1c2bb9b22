using System.Globalization;
using Jint.Runtime;

namespace LoadBalancer.Scripting.Running;

/// <summary>The proxy's clock, for <c>Date</c>. In UTC: what a script does depends on no setting of the machine.</summary>
internal sealed class ScriptClock(TimeProvider time) : DefaultTimeSystem(TimeZoneInfo.Utc, CultureInfo.InvariantCulture), ITimeSystem
{
    DateTimeOffset ITimeSystem.GetUtcNow() => time.GetUtcNow();
}
