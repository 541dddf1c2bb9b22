using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Files;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>Reads the configuration of a running balancer again from where it came, and applies it: on demand, and where wanted when it has changed. Thread-safe.</summary>
public sealed class ReloadService : IReloadHandler, IDisposable
{
    private static readonly TimeSpan ReadRetryMin = TimeSpan.FromSeconds(1);

    private readonly string _source;
    private readonly ProxyServer _server;
    private readonly ConfigReloader _reloader;
    private readonly Func<Task<ConfigReadResult>> _load;
    private readonly Func<ProxyConfig, ProxyConfig> _adapt;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("LoadBalancer");
    private long _applied, _refused;
    private readonly FileLookTimer _timer;
    private readonly FileState _state;
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Whether a change of the source is left for later. Null for never.</summary>
    internal Func<bool>? IsHeld { get; set; }

    /// <param name="source">The configuration file, as it was started with, or whatever else <paramref name="load"/> reads.</param>
    /// <param name="server">The running server.</param>
    /// <param name="reloader">Applies what is read.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="load">Reads it; null for the file.</param>
    /// <param name="adapt">What the program adds to what is read, the same as at the start; null for nothing.</param>
    /// <param name="timeProvider">Null for the system's time.</param>
    public ReloadService(string source, ProxyServer server, ConfigReloader reloader, ILogger<ReloadService> logger, Func<Task<ConfigReadResult>>? load = null, Func<ProxyConfig, ProxyConfig>? adapt = null,
        TimeProvider? timeProvider = null)
    {
        _source = source;
        _server = server;
        _reloader = reloader;
        _load = load ?? (() => Task.FromResult(ConfigFile.Load(source)));
        _adapt = adapt ?? (config => config);
        _time = timeProvider ?? TimeProvider.System;
        _logger = logger;
        // Observed, so that those are counted too that come before anybody listens.
        _ = _meter.CreateObservableCounter("lb.config.reloads", () => new[]
        {
            new Measurement<long>(Volatile.Read(ref _applied), new KeyValuePair<string, object?>("outcome", "applied")),
            new Measurement<long>(Volatile.Read(ref _refused), new KeyValuePair<string, object?>("outcome", "refused")),
        }, "{reload}", "Reloads of the configuration, by whether it is used.");
        _ = _meter.CreateObservableGauge("lb.config.reload.good", () => _server.LastReload is { Succeeded: false } ? 0 : 1, "1", "1 where the last reload of the configuration was applied, or there was none; 0 where it was refused.");
        _state = new FileState(_time);
        _timer = new FileLookTimer(_time, Look, e => _logger.LookFailed(e));
    }

    /// <summary>What tells one state of a file from another: to be taken before it is read for the start, so that no change is missed. Empty where it cannot be read.</summary>
    public static byte[] StateOf(string path) => WholeFile.TryRead(path, ConfigFile.BytesMax, out byte[]? content, out _) ? SHA256.HashData(content) : [];

    /// <summary>Looks at the file from time to time, and reloads it when it has changed and has settled.</summary>
    /// <param name="state">Of the file that runs, by <see cref="StateOf"/>.</param>
    public void Watch(byte[] state)
    {
        _state.Look([state], "", settles: false, (byte[][] _, out string problem) =>
        {
            problem = "";
            return true;
        });
        _timer.Start();
    }

    /// <summary>Reloads whenever a source other than a file has another text, until it is cancelled.</summary>
    public async Task WatchAsync(IConfigTextSource text, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            while (true)
            {
                await text.WaitForChangeAsync(Told, cancellationToken).ConfigureAwait(false);
                try
                {
                    await text.ReadAsync(cancellationToken).ConfigureAwait(false); // tells the source what is known; what is applied is read anew
                }
                catch (IOException e)
                {
                    Told(e.Message);
                    continue;
                }
                await ReloadUntilReadAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }

        void Told(string? problem)
        {
            if (problem is not null) _logger.SourceIsAway(_source, problem);
        }
    }

    // The source says only once that there is another text. What cannot be had now is asked for again.
    private async Task ReloadUntilReadAsync(CancellationToken cancellationToken)
    {
        while (IsHeld?.Invoke() == true) await Task.Delay(ReadRetryMin, _time, cancellationToken).ConfigureAwait(false);
        for (int attempt = 0; !(await ReloadAsync(isDryRun: false, who: null, tells: attempt == 0, cancellationToken).ConfigureAwait(false)).IsRead; attempt++)
            await Task.Delay(ReadRetryMin * Math.Pow(2, Math.Min(attempt, 5)), _time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ReloadReport> ReloadAsync(bool isDryRun, string? who, CancellationToken cancellationToken) =>
        (await ReloadAsync(isDryRun, who, tells: true, cancellationToken).ConfigureAwait(false)).Report;

    private async Task<(ReloadReport Report, bool IsRead)> ReloadAsync(bool isDryRun, string? who, bool tells, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (ReloadReport report, bool isRead) = await RunAsync(isDryRun, cancellationToken).ConfigureAwait(false);
            if (!isDryRun && (tells || isRead)) Tell(report, who);
            return (report, isRead);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<(ReloadReport Report, bool IsRead)> RunAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        ConfigReadResult read;
        try
        {
            read = await _load().ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return (Refused(isDryRun, $"{_source}: {e.Message}"), false);
        }
        if (read.Config is null) return (Refused(isDryRun, [.. read.Problems.Select(problem => problem.ToString())]), read.IsRead);
        return (await ApplyAsync(_adapt(read.Config), isDryRun, cancellationToken).ConfigureAwait(false), true);
    }

    private async Task<ReloadReport> ApplyAsync(ProxyConfig config, bool isDryRun, CancellationToken cancellationToken)
    {
        try
        {
            ProxyConfig before = _server.Config;
            ReloadResult result = isDryRun ? _reloader.TryOut(config) : await _reloader.ApplyAsync(config, cancellationToken).ConfigureAwait(false);
            return new(_source, isDryRun, ConfigDifference.Between(before, MemoryBounds.Fit(config), result.Changes), result.NeedRestart, []) { Failures = result.Failures };
        }
        catch (ConfigException e)
        {
            return Refused(isDryRun, [.. e.Problems.Select(problem => $"{_source}: {problem.Path}: {problem.Message}")]);
        }
        catch (Exception e) when (e is not OperationCanceledException) // a policy that cannot be made throws what it likes: what runs goes on
        {
            return Refused(isDryRun, $"{_source}: {e.Message}");
        }
    }

    private ReloadReport Refused(bool isDryRun, params string[] problems) => new(_source, isDryRun, [], [], problems);

    private void Tell(ReloadReport report, string? who)
    {
        string asked = who ?? "a change of it", text = string.Join("; ", report.IsGood ? report.Changes : report.Problems);
        if (report is { IsGood: true, Changes.Count: 0 }) text = "nothing has changed";
        if (report.Failures.Count > 0) text += $"; could not follow: {string.Join("; ", report.Failures)}";
        _server.LastReload = new ReloadView(_time.GetUtcNow(), report.IsGood && report.Failures.Count == 0, text, who);
        _server.Events.Add(report.IsGood ? ServerEventKind.ConfigurationReloaded : ServerEventKind.ConfigurationRefused, _source, text, who);
        Interlocked.Increment(ref report.IsGood ? ref _applied : ref _refused);
        if (report.IsGood) _logger.Reloaded(_source, asked, text);
        else _logger.ReloadRefused(_source, asked, text);
        if (report.NeedRestart.Count > 0) _logger.NeedsRestart(string.Join(", ", report.NeedRestart));
    }

    // What stands in it counts, not its date: a file may be replaced by the same, and a link may lead elsewhere.
    private bool Look()
    {
        if (IsHeld?.Invoke() == true) return true;
        bool isRead = WholeFile.TryRead(_source, ConfigFile.BytesMax, out byte[]? content, out string error);
        SourceChange change = _state.Look(isRead ? [SHA256.HashData(content!)] : null, error, settles: true, TryTake);
        if (change == SourceChange.Refused) Tell(new ReloadReport(_source, IsDryRun: false, [], [], [$"{_source}: the configuration file {error}"]), who: null);
        return change == SourceChange.Unsettled;
    }

    private bool TryTake(byte[][] contents, out string problem)
    {
        problem = "";
        _ = ReloadAsync(isDryRun: false, who: null, CancellationToken.None); // tells what comes of it
        return true;
    }

    /// <summary>Ends the watching.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _meter.Dispose();
    }
}
