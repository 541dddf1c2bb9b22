using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Health;

/// <summary>What probes of the balancer's own have in common: their request, and how its answer is read.</summary>
internal static class ProbeExchange
{
    /// <summary>A GET request.</summary>
    /// <param name="path">Validated.</param>
    /// <param name="host">Null for the destination's address.</param>
    /// <param name="destination">Who is asked.</param>
    /// <param name="userAgent">Who asks.</param>
    /// <param name="isLast">Whether the connection is not used again.</param>
    internal static byte[] Request(string path, string? host, DestinationState destination, string userAgent, bool isLast) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {host ?? Encoding.ASCII.GetString(destination.HostValue)}\r\nUser-Agent: {userAgent}\r\nAccept: */*\r\n{(isLast ? "Connection: close\r\n" : "")}\r\n");

    /// <summary>The host of such requests in a cluster; null for the destination's address.</summary>
    internal static string? HostOf(string? configured, string clusterHost) => configured ?? (clusterHost is "client" or "destination" ? null : clusterHost);

    /// <summary>Reads the final head, which then still stands in front of the input; the reason when there is none.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal static async ValueTask<string?> ReadHeadAsync(TransportReader input, ResponseHead head, HeadLimits limits)
    {
        while (true)
        {
            await input.FillAsync();
            ParseStatus status = input.IsEmpty ? ParseStatus.NeedMore : head.Parse(input.Bytes.Span, limits, RequestMethod.Get);
            if (status == ParseStatus.Complete)
            {
                if (head.Status >= 200) return null;
                input.Consume(head.Length);
                if (head.Status == 101) return "status 101";
                head.Reset(); // interim
                continue;
            }
            if (status == ParseStatus.Rejected) return $"malformed answer: {head.Rejection}";
            if (input.IsEnded) return "closed without an answer";
            input.Consume(0, needsMore: true);
        }
    }
}
