using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Health;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Probing;

/// <summary>
/// Asks one destination for its load, on a connection of its pool. Whatever goes wrong, the scheduler is told nothing: a probe may be lost.
/// Its timer is the limit on the whole probe. Used again, by one prober.
/// </summary>
internal sealed class LoadProbe : LoopTimer
{
    private const int BodyBytesMax = 64 * 1024; // of an answer after which the connection is kept

    private readonly LoadProber _prober;
    private readonly ResponseHead _head = new();
    private readonly Action _end; // made once
    private Destination? _destination;
    private UpstreamConnection? _connection;
    private ValueTask<bool> _running;
    private bool _isTimedOut;
    internal LoadProbe? NextFree;

    internal LoadProbe(LoadProber prober)
    {
        _prober = prober;
        _end = End;
    }

    /// <summary>Begins; ends by itself, with <see cref="LoadProber.Return"/>.</summary>
    // Hot path: per probe, of which there are three for each request. 0 allocations. AllocationTests.LoadProbes_SteadyState_AllocateNothing
    internal void Start(Destination destination)
    {
        _destination = destination;
        _isTimedOut = false;
        TransportLoop loop = _prober.Context.Loop;
        loop.Timers.Set(this, loop.NowMilliseconds + _prober.Probing.TimeoutMilliseconds);
#pragma warning disable CA2012 // taken once, by End
        _running = RunAsync(destination, (DestinationState)destination.Tag!);
        ValueTaskAwaiter<bool> awaiter = _running.GetAwaiter();
#pragma warning restore CA2012
        if (awaiter.IsCompleted) End();
        else awaiter.UnsafeOnCompleted(_end);
    }

    protected internal override void OnTimeout()
    {
        _isTimedOut = true;
        _connection?.Transport.Abort();
    }

    private void End()
    {
        bool isReusable = false;
        try
        {
            isReusable = _running.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            _prober.Context.Server.OnInternalError(e);
        }
        TimerWheel.Cancel(this);
        _running = default;
        _destination = null;
        if (_connection is { } connection)
        {
            _connection = null;
            if (isReusable) connection.Pool.Return(connection);
            else connection.Pool.Discard(connection);
        }
        _prober.Return(this);
    }

    /// <summary>The whole probe; whether its connection can carry another exchange.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> RunAsync(Destination destination, DestinationState state)
    {
        LoopContext context = _prober.Context;
        UpstreamPool pool = state.PoolOf(context);
        _connection = pool.TryRent();
        if (_connection is null)
        {
            EndPoint? endPoint = state.TryGetEndPoint(context.Loop.Time);
            if (endPoint is null)
            {
                _ = state.ResolveAsync(context.Loop.Time); // for the next one
                return false;
            }
            _connection = pool.Create(endPoint);
            if (_connection is null) return false; // as many connections as allowed: they are for requests
            ConnectResult result = await state.OpenAsync(_connection.Transport, client: default).ConfigureAwait(false);
            if (result != ConnectResult.Connected)
            {
                if (_isTimedOut || result is not (ConnectResult.Aborted or ConnectResult.ResourceExhausted)) state.ConnectFailed();
                return false;
            }
        }
        await _connection.Transport.Output.WriteAsync(_prober.Probing.RequestFor(state)).ConfigureAwait(false); // a connection that is gone shows itself below
        TransportReader input = _connection.Transport.Input;
        _head.Reset();
        if (await ProbeExchange.ReadHeadAsync(input, _head, _prober.Cluster.HeadLimits).ConfigureAwait(false) is not null) return false;
        if (_head.Status == 200 && TryFindReport(input.Bytes.Span, out LoadReport report))
        {
            long latency = (long)(report.LatencyMilliseconds / 1000 * context.Loop.Time.TimestampFrequency);
            _prober.Cluster.Scheduler.Probed(destination, new Balancing.ProbeResult(report.Outstanding, latency), context.Loop.Time.GetTimestamp());
        }
        input.Consume(_head.Length);
        if (!_head.KeepAlive || _isTimedOut) return false;
        return _head.Framing == MessageFraming.None
            || (_head.Framing == MessageFraming.ContentLength && _head.ContentLength <= BodyBytesMax && await SkipAsync(input, (int)_head.ContentLength).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<bool> SkipAsync(TransportReader input, int left)
    {
        while (left > 0)
        {
            await input.FillAsync();
            int count = Math.Min(left, input.Bytes.Length);
            input.Consume(count);
            left -= count;
            if (left > 0 && input.IsEnded) return false;
        }
        return true;
    }

    // Of two such fields neither is believed.
    private bool TryFindReport(ReadOnlySpan<byte> bytes, out LoadReport report)
    {
        report = default;
        bool isFound = false;
        for (int i = 0; i < _head.FieldCount; i++)
        {
            if (!Ascii.EqualsIgnoreCase(_head.NameOf(i, bytes), LoadReport.FieldName)) continue;
            if (isFound || !LoadReport.TryParse(_head.ValueOf(i, bytes), out report)) return false;
            isFound = true;
        }
        return isFound;
    }
}
