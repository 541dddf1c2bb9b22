using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Identity.Following;

/// <summary>
/// Something that lies outside (a key set, a revocation list, a file of keys) and is fetched again and again: at the start, by interval, and out of turn when somebody
/// misses something in it. One fetch at a time, on the thread pool; what was last good is used until there is something better. Reads never wait.
/// </summary>
public sealed class Followed<T> : IDisposable where T : class
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1), RetryMax = TimeSpan.FromMinutes(1);

    private readonly string _name;
    private readonly Func<CancellationToken, Task<byte[]>> _fetch;
    private readonly ReadContents<T> _read;
    private readonly FollowOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private State? _state;
    private Task? _running; // under _gate
    private long _askedAt; // timestamp of the last fetch out of turn; under _gate
    private bool _wasAsked, _isDisposed, _hasToldStale; // under _gate
    private int _failures; // only touched by the fetch under way
    private string? _problem;

    private sealed record State(T Contents, byte[] Digest, long FetchedAt)
    {
        // The last fetch that brought the same.
        internal long ConfirmedAt = FetchedAt;
    }

    /// <param name="name">What the log calls it. Holds no secret.</param>
    /// <param name="fetch">Gets the bytes. Called on the thread pool; may throw anything.</param>
    /// <param name="read">Makes the contents of them.</param>
    /// <param name="options">How often.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    public Followed(string name, Func<CancellationToken, Task<byte[]>> fetch, ReadContents<T> read, FollowOptions options, TimeProvider time, ILogger logger)
    {
        (_name, _fetch, _read, _options, _time, _logger) = (name, fetch, read, options, time, logger);
        _timer = time.CreateTimer(static self => ((Followed<T>)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Raised on the thread pool when there are other contents, or those there are have become too old.</summary>
    public event Action? Changed;

    /// <summary>What is used; null when nothing was had yet, or for too long nothing new. Any thread; never waits.</summary>
    public T? Current => Volatile.Read(ref _state) is { } state && !IsTooOld(state) ? state.Contents : null;

    /// <summary>What was wrong with the last fetch; null when nothing was.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Takes these contents without a fetch: what was read at the start, so that a fault ends it there. False with what is wrong with them.</summary>
    public bool TryTake(byte[] bytes, out string problem)
    {
        if (!TryRead(bytes, out State? state, out problem)) return false;
        Volatile.Write(ref _state, state);
        return true;
    }

    /// <summary>Begins: fetches at once, and then by interval.</summary>
    /// <returns>The end of the first fetch, whatever it brings.</returns>
    public Task Start() => Fetch()!;

    /// <summary>Fetches out of turn.</summary>
    /// <returns>The end of that fetch, or of the one under way; null when the last one out of turn is not long enough ago. Never fails.</returns>
    public Task? TryRefetch()
    {
        lock (_gate)
        {
            if (_isDisposed) return null;
            if (_running is not null) return _running;
            if (_wasAsked && _time.GetElapsedTime(_askedAt) < _options.RefetchMin) return null;
            _wasAsked = true;
            _askedAt = _time.GetTimestamp();
        }
        return Fetch();
    }

    private void OnTimer() => _ = Fetch();

    private Task? Fetch()
    {
        lock (_gate)
        {
            if (_isDisposed) return Task.CompletedTask;
            return _running ??= Task.Run(FetchAsync);
        }
    }

    private async Task FetchAsync()
    {
        string? problem;
        bool changed = false;
        try
        {
            using var timeout = new CancellationTokenSource(_options.Timeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, timeout.Token);
            // The wait is bounded even if the fetch does not look at its token.
            byte[] bytes = await _fetch(either.Token).WaitAsync(_options.Timeout, _time, _end.Token).ConfigureAwait(false);
            problem = Take(bytes, out changed);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            problem = $"no answer within {_options.Timeout.TotalSeconds} s";
        }
        catch (Exception e) // whatever the delegate throws: what was last good stays
        {
            problem = Line(e.Message);
        }
        if (!_end.IsCancellationRequested) Tell(problem, changed);
        Schedule();
    }

    private string? Take(byte[] bytes, out bool changed)
    {
        State? old = _state;
        changed = false;
        if (bytes.Length <= _options.BytesMax && old is not null && SHA256.HashData(bytes).AsSpan().SequenceEqual(old.Digest))
        {
            Volatile.Write(ref old.ConfirmedAt, _time.GetTimestamp());
            changed = _hasToldStale;
            return null;
        }
        if (!TryRead(bytes, out State? state, out string problem)) return problem;
        Volatile.Write(ref _state, state);
        changed = true;
        return null;
    }

    private bool TryRead(byte[] bytes, out State? state, out string problem)
    {
        state = null;
        if (bytes.Length > _options.BytesMax)
        {
            problem = $"is larger than {_options.BytesMax} bytes";
            return false;
        }
        if (!_read(bytes, out T? contents, out problem)) return false;
        state = new State(contents, SHA256.HashData(bytes), _time.GetTimestamp());
        return true;
    }

    private void Tell(string? problem, bool changed)
    {
        string? before = _problem;
        Volatile.Write(ref _problem, problem);
        if (problem is null)
        {
            _failures = 0;
            if (changed) IdentityLog.Taken(_logger, _name);
            else if (before is not null) IdentityLog.Recovered(_logger, _name);
            _hasToldStale = false;
        }
        else
        {
            _failures++;
            if (problem != before) IdentityLog.NotTaken(_logger, _name, problem, _state is null ? "there is nothing to use" : "what was last good is used");
            if (_state is { } state && IsTooOld(state) && !_hasToldStale)
            {
                _hasToldStale = changed = true;
                IdentityLog.TooOld(_logger, _name);
            }
        }
        if (changed) Changed?.Invoke();
    }

    private bool IsTooOld(State state) => _options.AgeMax > TimeSpan.Zero && _time.GetElapsedTime(Volatile.Read(ref state.ConfirmedAt)) > _options.AgeMax;

    private void Schedule()
    {
        TimeSpan next = _options.Interval;
        if (_failures > 0)
        {
            TimeSpan retry = RetryMin * Math.Pow(2, Math.Min(_failures - 1, 6));
            if (retry > RetryMax) retry = RetryMax;
            if (retry < next) next = retry;
        }
        next *= 0.9 + Random.Shared.NextDouble() * 0.2; // spread, no secret
        lock (_gate)
        {
            _running = null;
            if (!_isDisposed) _timer.Change(next, Timeout.InfiniteTimeSpan);
        }
    }

    internal static string Line(string text)
    {
        const int LengthMax = 300;
        string line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length <= LengthMax ? line : line[..LengthMax] + "…";
    }

    /// <summary>Ends the following. A fetch under way is cancelled and not waited for.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }
        _end.Cancel();
        _timer.Dispose();
        _end.Dispose();
    }
}
