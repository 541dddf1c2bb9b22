using System.Net;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Health;

/// <summary>
/// Probes one destination again and again, and tells the scheduler its verdict. Lives on one loop's thread; its timer is that of the next
/// probe, or of the one under way.
/// </summary>
internal sealed class HealthProber : LoopTimer
{
    private const double Jitter = 0.2;

    private readonly LoopContext _context;
    private readonly ClusterSnapshot _cluster;
    private readonly HealthCheck _check;
    private readonly Destination _destination;
    private readonly DestinationState _state;
    private readonly byte[]? _request;
    private HealthVerdict _verdict;
    private int _goodWhileEjected; // probes in a row
    private TransportConnection? _connection; // of the probe under way
    private LoopWait? _nameWait;
    private bool _isProbing, _isTimedOut, _isStopped;

    internal HealthProber(LoopContext context, ClusterSnapshot cluster, HealthCheck check, Destination destination)
    {
        _context = context;
        _cluster = cluster;
        _check = check;
        _destination = destination;
        _state = (DestinationState)destination.Tag!;
        _request = check.Config.Kind == HealthCheckKind.Http ? check.RequestFor(_state) : null;
        _verdict = new HealthVerdict(check.Config.Fall, check.Config.Rise, isHealthy: !destination.Status.HasFlag(DestinationStatus.Unhealthy));
    }

    /// <summary>Whether what it connects to is still what the destination is reached by.</summary>
    internal bool IsOfToday => _destination.Tag == _state;

    /// <summary>Begins with the first probe, at once. On the loop's thread.</summary>
    internal void Start() => _ = ProbeAsync(); // catches everything itself

    /// <summary>Ends it: nothing more is said of the destination, which is no member any more. On the loop's thread.</summary>
    internal void Stop()
    {
        _isStopped = true;
        _context.Loop.Timers.Remove(this);
        Cut();
    }

    private void Cut()
    {
        _nameWait?.Cut();
        _connection?.Abort();
    }

    protected internal override void OnTimeout()
    {
        if (!_isProbing)
        {
            _ = ProbeAsync();
            return;
        }
        _isTimedOut = true;
        Cut();
    }

    private async Task ProbeAsync()
    {
        _isProbing = true;
        _isTimedOut = false;
        bool isEjected = IsEjected; // a probe sent before says nothing about what came after
        _context.Loop.Timers.Set(this, _context.Loop.NowMilliseconds + _check.TimeoutMilliseconds);
        try
        {
            ProbeResult result = await RunAsync().ConfigureAwait(false);
            if (_isTimedOut) result = ProbeResult.Failed("timed out");
            if (!_isStopped && result.IsGood is { } isGood)
            {
                if (_verdict.Add(isGood)) Tell(result);
                _goodWhileEjected = isEjected && isGood ? _goodWhileEjected + 1 : 0;
                if (_goodWhileEjected >= _check.Config.Rise && _cluster.Config.Ejection.EndOnGoodProbes) EndEjection();
            }
        }
        catch (Exception e)
        {
            _context.Server.OnInternalError(e);
        }
        _isProbing = false;
        if (_isStopped) return;
        double interval = _check.Config.Interval.TotalMilliseconds * (1 - Jitter + 2 * Jitter * _context.Random.NextDouble());
        _context.Loop.Timers.Set(this, _context.Loop.NowMilliseconds + (long)interval);
    }

    private async ValueTask<ProbeResult> RunAsync()
    {
        TimeProvider time = _context.Loop.Time;
        EndPoint? endPoint = _state.TryGetEndPoint(time);
        if (endPoint is null)
        {
            // Off the loop, for as long as the probe has; a look-up that takes longer goes on beside.
            _nameWait = new LoopWait(_context.Loop, _state.ResolveAsync(time));
            await _nameWait;
            _nameWait = null;
            endPoint = _state.TryGetEndPoint(time);
            if (endPoint is null) return ProbeResult.Failed("the name cannot be resolved");
        }
        if (_isTimedOut || _isStopped) return ProbeResult.Unknown;
        TransportConnection connection = _state.CreateConnection(_context, endPoint, isHttp: _request is not null);
        _connection = connection;
        try
        {
            ProbeResult result = await HealthProbe.RunAsync(_state, connection, _check, _request, _cluster.HeadLimits).ConfigureAwait(false);
            if (result.IsGood == false)
            {
                if (connection.Fault == TransportFault.Aborted && !_isTimedOut) return ProbeResult.Unknown; // cut with the loop, which ends
                _state.ConnectFailed(); // of a name with several addresses, the next is tried
            }
            return result;
        }
        finally
        {
            _connection = null;
            connection.Close();
        }
    }

    private bool IsEjected => _destination.Status.HasFlag(DestinationStatus.Ejected);

    private void EndEjection()
    {
        _goodWhileEjected = 0;
        _cluster.Scheduler.Mark(_destination, DestinationStatus.Ejected, hold: false, _context.Loop.Time.GetTimestamp());
    }

    private void Tell(ProbeResult result)
    {
        _cluster.Scheduler.Mark(_destination, DestinationStatus.Unhealthy, hold: !_verdict.IsHealthy, _context.Loop.Time.GetTimestamp());
        if (_verdict.IsHealthy)
        {
            HealthLog.Healthy(_context.Server.Logger, _cluster.Name, _state.Name);
            _context.Server.NoteStatus(_cluster.Name, _state, ServerEventKind.DestinationHealthy, "its probes succeed");
        }
        else
        {
            HealthLog.Unhealthy(_context.Server.Logger, _cluster.Name, _state.Name, result.Failure);
            _context.Server.NoteStatus(_cluster.Name, _state, ServerEventKind.DestinationUnhealthy, $"its probes fail: {result.Failure}");
        }
    }
}
