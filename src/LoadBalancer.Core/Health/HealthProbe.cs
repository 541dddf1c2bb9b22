using System.Runtime.CompilerServices;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Health;

/// <summary>One probe over one connection. The caller keeps the time, aborting the connection when it is up, and closes it.</summary>
internal static class HealthProbe
{
    /// <summary>Connects and, with a request given, asks and judges the answer.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal static async ValueTask<ProbeResult> RunAsync(DestinationState destination, TransportConnection connection, HealthCheck check, byte[]? request, HeadLimits limits)
    {
        ConnectResult connected = await destination.OpenAsync(connection, client: default).ConfigureAwait(false);
        if (connected == ConnectResult.ResourceExhausted) return ProbeResult.Unknown;
        if (connected is ConnectResult.HandshakeFailed or ConnectResult.CertificateInvalid) return ProbeResult.Failed($"hand-shake: {((TlsConnection)connection).Problem}");
        if (connected != ConnectResult.Connected) return ProbeResult.Failed($"connect: {connected}");
        if (request is null)
        {
            await connection.Output.FlushAsync().ConfigureAwait(false);
            return ProbeResult.Good;
        }

        await connection.Output.WriteAsync(request).ConfigureAwait(false); // a connection that is gone shows itself when the answer is read
        TransportReader input = connection.Input;
        var head = new ResponseHead();
        if (await ProbeExchange.ReadHeadAsync(input, head, limits).ConfigureAwait(false) is { } failure) return ProbeResult.Failed(failure);
        input.Consume(head.Length);
        if (!check.Statuses.Contains(head.Status)) return ProbeResult.Failed($"status {head.Status}");
        return check.Body is null || await IsInBodyAsync(input, new BodySearch(check.Body, head.Framing, head.ContentLength)).ConfigureAwait(false)
            ? ProbeResult.Good
            : ProbeResult.Failed("the text is not in the body");
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<bool> IsInBodyAsync(TransportReader input, BodySearch search)
    {
        while (true)
        {
            search.Add(input.Bytes.Span);
            input.Consume(input.Bytes.Length);
            if (search.IsOver || input.IsEnded) return search.IsFound;
            await input.FillAsync();
        }
    }
}

/// <summary>How a probe ended.</summary>
/// <param name="IsGood">Null when it says nothing about the destination.</param>
/// <param name="Failure">What was wrong, for the log.</param>
internal readonly record struct ProbeResult(bool? IsGood, string Failure)
{
    internal static ProbeResult Good => new(true, "");

    /// <summary>No descriptor, no memory, or the balancer ends: our side.</summary>
    internal static ProbeResult Unknown => new(null, "");

    internal static ProbeResult Failed(string failure) => new(false, failure);
}
