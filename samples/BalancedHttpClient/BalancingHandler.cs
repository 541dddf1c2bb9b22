using LoadBalancer.Balancing;

namespace LoadBalancer.Samples;

/// <summary>Sends each request to the server that the scheduler picks, whatever host it names, and tells the scheduler how it went.</summary>
public sealed class BalancingHandler : DelegatingHandler
{
    private readonly Scheduler _scheduler = new(BalancingPolicies.Create("latency-weighted"), new SchedulerOptions { Ejection = new EjectionOptions() });
    private readonly TimeProvider _time = TimeProvider.System;

    /// <summary>Balances over these servers; their paths are not used.</summary>
    public BalancingHandler(params IReadOnlyList<Uri> servers)
        : base(new SocketsHttpHandler()) =>
        _scheduler.Update([.. servers.Select(server => new DestinationSpec(server.Authority) { Tag = server })], _time.GetTimestamp());

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        PickLease lease = _scheduler.Pick(new PickContext(start));
        if (!lease.IsActive) throw new HttpRequestException("no server may be used now");
        var server = (Uri)lease.Destination.Tag!;
        request.RequestUri = new UriBuilder(request.RequestUri!) { Scheme = server.Scheme, Host = server.Host, Port = server.Port }.Uri;
        PickOutcomeKind kind = PickOutcomeKind.Cancelled; // also when the caller gives up: that says nothing about the server
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken); // its head: the body is the caller's to read
            kind = (int)response.StatusCode is 429 or >= 500 ? PickOutcomeKind.ServerError : PickOutcomeKind.Success;
            return response;
        }
        catch (HttpRequestException e)
        {
            kind = e.HttpRequestError == HttpRequestError.ConnectionError ? PickOutcomeKind.ConnectFailure : PickOutcomeKind.ProtocolFailure;
            throw;
        }
        finally
        {
            long took = _time.GetTimestamp() - start;
            lease.Complete(new PickOutcome(kind, ConnectTicks: -1, FirstByteTicks: took, TotalTicks: took));
        }
    }
}
