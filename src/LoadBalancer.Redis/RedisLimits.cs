using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoadBalancer.Limiting.Rates;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace LoadBalancer.Redis;

/// <summary>
/// Shares limits between nodes: each decides alone, at once, and every <see cref="RedisOptions.SyncInterval"/> adds what it has let through to the buckets
/// in Redis, and hears what all have taken. What was too much is paid back, so that the rate holds in the long run; what is let through in any time t is at most
/// <c>burst + rate · t + (nodes − 1) · (burst + 2 · rate · (interval + round trip))</c>: each node may use a burst before it hears of the others', and a word takes
/// an interval and a round trip to Redis, and as long from there.
/// <para>While Redis is away or slow, nodes limit by what they know, each by itself; what they let through then is not told later. What was sent and not answered
/// is not sent again: nothing counts twice. One task; requests never wait for it.</para>
/// </summary>
public sealed class RedisLimits : IAsyncDisposable
{
    private const string NoAnswer = "no answer in time";

    private readonly RedisOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly RedisLink _link;
    private readonly RedisMeter _meter = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<KeyCost> _costs = [];
    private readonly List<ShareBatch> _batches = [];
    private IReadOnlyList<SharedLimit> _limits;
    private Task _run = Task.CompletedTask;
    private Task<Answers>? _inFlight;
    private string? _problem;
    private bool _isShared;

    /// <param name="options">Checked here.</param>
    /// <param name="limits">What to share from the start.</param>
    /// <param name="logger">Is told when Redis is away and when it is back.</param>
    /// <param name="time">What the limits count by. Null for the system's.</param>
    public RedisLimits(RedisOptions options, IReadOnlyList<SharedLimit> limits, ILogger logger, TimeProvider? time = null)
    {
        options.Validate();
        _options = options;
        _limits = limits;
        _logger = logger;
        _time = time ?? TimeProvider.System;
        _link = new(options, _time);
    }

    /// <summary>Whether nodes hear of each other now. Any thread.</summary>
    public bool IsShared => Volatile.Read(ref _isShared);

    /// <summary>Begins to share. Does not wait for Redis.</summary>
    public void Start() => _run = Task.Run(RunAsync);

    /// <summary>Shares other limits from now on. Any thread.</summary>
    public void Replace(IReadOnlyList<SharedLimit> limits) => Volatile.Write(ref _limits, limits);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        await _link.DisposeAsync().ConfigureAwait(false);
        _meter.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(_options.SyncInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                try
                {
                    await SyncAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    RedisLog.InternalError(_logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }

    /// <summary>Tells and hears once. One caller at a time.</summary>
    internal async Task SyncAsync(CancellationToken token)
    {
        IReadOnlyList<SharedLimit> limits = Volatile.Read(ref _limits);
        string? problem = NoAnswer;
        // An answer that is still to come: one is waited for at a time, so that a Redis that stands still has no more than that to do when it goes on.
        IDatabase? database = _inFlight is { IsCompleted: false } ? null : _link.Find(out problem);
        var clock = new ShareClock(_time.GetTimestamp(), _time.TimestampFrequency);
        _batches.Clear();
        foreach (SharedLimit limit in limits) Collect(limit, clock, isToldOf: database is not null);
        if (database is null)
        {
            if (problem is not null) Note(problem);
            return;
        }
        if (_batches.Count > 0)
        {
            long start = Stopwatch.GetTimestamp();
            Task<Answers> inFlight = _inFlight = SendAsync(database, [.. _batches]);
            try
            {
                Answers answers = await inFlight.WaitAsync(_options.Timeout, _time, token).ConfigureAwait(false);
                Note(answers.Problem ?? Apply(answers.Results));
            }
            catch (TimeoutException)
            {
                Note(NoAnswer);
            }
            _meter.Synced(Stopwatch.GetElapsedTime(start), _batches);
        }
        else Note(null);
    }

    private void Collect(SharedLimit limit, in ShareClock clock, bool isToldOf)
    {
        _costs.Clear();
        long sum = limit.Taken.Drain(_costs);
        long overflow = limit.Taken.OverflowTotal;
        _meter.Unshared("overflow", overflow - limit.OverflowSeen);
        limit.OverflowSeen = overflow;
        if (!isToldOf)
        {
            _meter.Unshared("away", sum);
            return;
        }
        ReadOnlySpan<KeyCost> costs = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_costs);
        for (; !costs.IsEmpty; costs = costs[Math.Min(costs.Length, ShareBatch.KeysMax)..])
            _batches.Add(new(limit, costs[..Math.Min(costs.Length, ShareBatch.KeysMax)], _options.KeyPrefix, clock));
    }

    // All calls at once, over one connection. Never fails: a late answer has nobody to tell.
    private static async Task<Answers> SendAsync(IDatabase database, ShareBatch[] batches)
    {
        try
        {
            return new(await Task.WhenAll(batches.Select(batch => batch.SendAsync(database))).ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            return new([], RedisLink.ProblemOf(e));
        }
    }

    private string? Apply(RedisResult[] answers)
    {
        for (int i = 0; i < answers.Length; i++)
        {
            if (!_batches[i].Apply(answers[i])) return "its answer is none to what was asked";
        }
        return null;
    }

    // Says once that Redis is away, and once that it is back.
    private void Note(string? problem)
    {
        if (problem is null ? _isShared : _problem is not null) return;
        _problem = problem;
        Volatile.Write(ref _isShared, problem is null);
        _meter.IsShared = problem is null;
        if (problem is null) RedisLog.Shared(_logger, _options.EndpointsText);
        else RedisLog.Alone(_logger, _options.EndpointsText, problem);
    }

    private readonly record struct Answers(RedisResult[] Results, string? Problem);
}
