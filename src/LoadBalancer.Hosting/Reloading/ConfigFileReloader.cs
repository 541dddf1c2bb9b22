using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>Reloads the configuration file of a running balancer: on demand, and where wanted when the file has changed. Thread-safe.</summary>
public sealed class ConfigFileReloader : IReloadHandler, IDisposable
{
    private const string Watcher = "a change of the file";

    private readonly string _path;
    private readonly ConfigReloader _reloader;
    private readonly Func<ProxyConfig, ProxyConfig> _adapt;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _reloads;
    private readonly FileLookTimer _timer;
    private readonly FileState _state;
    private readonly SemaphoreSlim _one = new(1);
    private volatile ReloadReport? _last;

    /// <param name="path">The configuration file, as it was started with.</param>
    /// <param name="reloader">Applies what it says.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="adapt">What the program adds to what the file says, the same as at the start; null for nothing.</param>
    /// <param name="timeProvider">Null for the system's time.</param>
    public ConfigFileReloader(string path, ConfigReloader reloader, ILogger<ConfigFileReloader> logger, Func<ProxyConfig, ProxyConfig>? adapt = null, TimeProvider? timeProvider = null)
    {
        _path = path;
        _reloader = reloader;
        _adapt = adapt ?? (config => config);
        _time = timeProvider ?? TimeProvider.System;
        _logger = logger;
        _reloads = _meter.CreateCounter<long>("lb.config.reloads", "{reload}", "Reloads of the configuration, by whether it is used.");
        _ = _meter.CreateObservableGauge("lb.config.reload.good", () => _last is { IsGood: false } ? 0 : 1, "1", "1 where the last reload of the configuration was applied, or there was none; 0 where it was refused.");
        _state = new FileState(_time);
        _timer = new FileLookTimer(_time, Look, e => _logger.LookFailed(e));
    }

    /// <inheritdoc/>
    public ReloadReport? Last => _last;

    /// <summary>Looks at the file from time to time, and reloads it when it has changed and has settled.</summary>
    public void Watch()
    {
        _ = Look(settles: false);
        _timer.Start();
    }

    /// <inheritdoc/>
    public async Task<ReloadReport> ReloadAsync(bool isDryRun, string who, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ReloadReport report = await RunAsync(isDryRun, who, cancellationToken).ConfigureAwait(false);
            if (!isDryRun) Tell(report);
            return report;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<ReloadReport> RunAsync(bool isDryRun, string who, CancellationToken cancellationToken)
    {
        ConfigReadResult read = ConfigFile.Load(_path);
        if (read.Config is null) return Report([], [], [.. read.Problems.Select(problem => problem.ToString())]);
        try
        {
            ProxyConfig config = _adapt(read.Config);
            ReloadResult result = isDryRun ? _reloader.TryOut(config) : await _reloader.ApplyAsync(config, cancellationToken).ConfigureAwait(false);
            return Report(result.Changes, result.NeedRestart, []);
        }
        catch (ConfigException e)
        {
            return Report([], [], [.. e.Problems.Select(problem => $"{_path}: {problem.Path}: {problem.Message}")]);
        }
        catch (Exception e) when (e is ListenException or IOException or InvalidOperationException)
        {
            return Report([], [], [e.Message]);
        }

        ReloadReport Report(IReadOnlyList<ConfigChange> changes, IReadOnlyList<string> needRestart, IReadOnlyList<string> problems) =>
            new(_time.GetUtcNow(), _path, who, isDryRun, changes, needRestart, problems);
    }

    private void Tell(ReloadReport report)
    {
        _last = report;
        _reloads.Add(1, new KeyValuePair<string, object?>("outcome", report.IsGood ? "applied" : "refused"));
        if (!report.IsGood) _logger.ReloadRefused(_path, report.Who, string.Join("; ", report.Problems));
        else if (report.Changes.Count == 0) _logger.ReloadedNothing(_path, report.Who);
        else _logger.Reloaded(_path, report.Who, string.Join(", ", report.Changes));
        if (report.NeedRestart.Count > 0) _logger.NeedsRestart(string.Join(", ", report.NeedRestart));
    }

    private bool Look() => Look(settles: true) == SourceChange.Unsettled;

    // What stands in it counts, not its date: a file may be replaced by the same, and a link may lead elsewhere.
    private SourceChange Look(bool settles)
    {
        bool isRead = WholeFile.TryRead(_path, ConfigFile.BytesMax, out byte[]? content, out string error);
        SourceChange change = _state.Look(isRead ? [SHA256.HashData(content!)] : null, error, settles, TryTake);
        if (change == SourceChange.Refused) Tell(new ReloadReport(_time.GetUtcNow(), _path, Watcher, IsDryRun: false, [], [], [$"{_path}: the configuration file {error}"]));
        return change;

        bool TryTake(byte[][] contents, out string problem)
        {
            problem = "";
            if (settles) _ = ReloadAsync(isDryRun: false, Watcher, CancellationToken.None); // logs what comes of it
            return true;
        }
    }

    /// <summary>Ends the watching.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _meter.Dispose();
    }
}
