using System.Net;

namespace LoadBalancer.Core.Upstream;

/// <summary>What a look-up of a name came to.</summary>
/// <param name="Addresses">All addresses of the name; empty when it has none now, and the last good answer is to be used on.</param>
/// <param name="ValidFor">How long the answer holds, or for a look-up that failed: when to ask again.</param>
/// <param name="Problem">Why there are no addresses, as the rest of a sentence that starts with the name; null when there are.</param>
public sealed record NameAnswer(IReadOnlyList<IPAddress> Addresses, TimeSpan ValidFor, string? Problem = null);
