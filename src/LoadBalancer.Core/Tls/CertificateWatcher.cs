using LoadBalancer.Core.Events;
using LoadBalancer.Core.Files;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// Looks at the files of certificates from time to time, on the thread pool, takes over what has changed, and tells when one is about to expire. What cannot
/// be used is told once and looked at again when it changes.
/// </summary>
internal sealed class CertificateWatcher : IDisposable
{
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(5); // for who waits for another look
    private static readonly TimeSpan ReminderInterval = TimeSpan.FromDays(1);

    private sealed record Watched(CertificateStore Store, IReadOnlyList<TlsTermination> Terminations);

    private volatile Watched _watched;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CertificateMetrics _metrics;
    private readonly FileLookTimer _timer;
    private readonly Lock _looking = new();
    private bool _isStarted;
    private volatile bool _isRefreshDue; // something was read that a listener may not have taken over

    internal CertificateWatcher(CertificateStore store, IReadOnlyList<TlsTermination> terminations, TimeProvider time, ILogger logger)
    {
        _watched = new(store, terminations);
        _time = time;
        _logger = logger;
        _metrics = new CertificateMetrics(() => _watched.Store, time);
        _timer = new FileLookTimer(time, () => Look(settles: true).IsUnsettled, e => TlsLog.LookFailed(logger, e));
    }

    /// <summary>Where operators are told.</summary>
    internal required ServerEvents Events { get; init; }

    /// <summary>Tells what expires, then watches.</summary>
    internal void Start()
    {
        if (_watched.Terminations.Count == 0 || Interlocked.Exchange(ref _isStarted, true)) return;
        lock (_looking) // nobody looks before
        {
            TellWhatExpires();
            TellWhatIsNotStapled();
        }
        _timer.Start();
    }

    /// <summary>Watches other certificates from here on. A look under way, which may hang on a file, is not waited for.</summary>
    internal void Follow(CertificateStore store, IReadOnlyList<TlsTermination> terminations)
    {
        bool isAlone = _looking.TryEnter();
        _watched = new(store, terminations);
        if (isAlone) _looking.Exit();
        else _isRefreshDue = true; // what that look replaces is taken over by the listeners that it knows
        Start();
    }

    /// <summary>Looks now, and takes what there is. How many certificates or bundles were replaced.</summary>
    /// <exception cref="TimeoutException">Another look does not end: a file is not read.</exception>
    internal int Reload() => Look(settles: false).Replaced;

    /// <summary>The same beside a reload of the configuration, which does not fail for it.</summary>
    internal void TryReload()
    {
        try
        {
            Reload();
        }
        catch (TimeoutException e)
        {
            TlsLog.LookFailed(_logger, e);
        }
    }

    // What one file or listener does wrong is no other's loss.
    private (int Replaced, bool IsUnsettled) Look(bool settles)
    {
        if (!_looking.TryEnter(LookMax)) throw new TimeoutException("the files of certificates are being read");
        try
        {
            bool isUnsettled = false;
            var changes = new List<(TlsFileSource Source, SourceChange Change)>();
            foreach (TlsFileSource source in _watched.Store.Sources)
            {
                SourceChange change = Look(source, settles);
                isUnsettled |= change == SourceChange.Unsettled;
                if (change is not (SourceChange.None or SourceChange.Unsettled)) changes.Add((source, change));
            }
            int replaced = changes.Count(change => change.Change == SourceChange.Replaced);
            if (replaced > 0) _isRefreshDue = true;
            if (_isRefreshDue)
            {
                _isRefreshDue = false; // before the look at what there is
                if (!Refresh()) _isRefreshDue = true;
            }
            foreach ((TlsFileSource source, SourceChange change) in changes) Tell(source, change);
            TellWhatExpires();
            TellWhatIsNotStapled();
            return (replaced, isUnsettled);
        }
        finally
        {
            _looking.Exit();
        }
    }

    private SourceChange Look(TlsFileSource source, bool settles)
    {
        try
        {
            return source.Look(settles);
        }
        catch (Exception e)
        {
            TlsLog.LookFailed(_logger, e);
            return SourceChange.None;
        }
    }

    // False where it has to be tried again.
    private bool Refresh()
    {
        bool isWhole = true;
        foreach (TlsTermination termination in _watched.Terminations)
        {
            try
            {
                termination.Refresh();
            }
            catch (Exception e) // OpenSSL took the certificate when it was read
            {
                TlsLog.LookFailed(_logger, e);
                isWhole = false;
            }
        }
        return isWhole;
    }

    private void Tell(TlsFileSource source, SourceChange change)
    {
        string listeners = Listeners(source);
        switch (change)
        {
            case SourceChange.Replaced:
                CertificateView view = source.View(_time.GetUtcNow())!;
                string names = Names(view);
                TlsLog.Replaced(_logger, source.File, listeners, names, view.ExpiresAt);
                Events.Add(ServerEventKind.CertificateReplaced, source.File, $"{names}, good until {view.ExpiresAt:u}");
                source.Told = default; // the new one's end is news
                break;
            case SourceChange.Refused:
                TlsLog.Refused(_logger, source.File, listeners, source.Problem!);
                Events.Add(ServerEventKind.CertificateFailing, source.File, $"cannot be used, what was read before stays: {source.Problem}");
                break;
            case SourceChange.Restored:
                TlsLog.Restored(_logger, source.File, listeners);
                Events.Add(ServerEventKind.CertificateRestored, source.File, "holds again what is in use");
                break;
        }
        if (change != SourceChange.Restored) _metrics.CountReload(source, isReplaced: change == SourceChange.Replaced);
    }

    // When it becomes so, and every day from then on.
    private void TellWhatExpires()
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (ShownCertificate source in _watched.Store.All)
        {
            if (source.Validity is not var (notBefore, expiresAt)) continue;
            CertificateState state = CertificateValidity.StateAt(now, notBefore, expiresAt);
            if (state == CertificateState.Valid || state == source.Told.State && now - source.Told.At < ReminderInterval) continue;
            source.Told = (state, now);
            string listeners = Listeners(source), names = Names(source.View(now)!), left = CertificateValidity.Describe(expiresAt - now);
            Events.Add(ServerEventKind.CertificateExpiring, source.File, state switch
            {
                CertificateState.NotYetValid => $"{names}: is not valid before {notBefore:u}",
                CertificateState.Expired => $"{names}: has ended at {expiresAt:u}",
                _ => $"{names}: ends at {expiresAt:u}, in {left}",
            });
            switch (state)
            {
                case CertificateState.NotYetValid:
                    TlsLog.NotYetValid(_logger, source.File, listeners, names, notBefore);
                    break;
                case CertificateState.ExpiresSoon:
                    TlsLog.ExpiresSoon(_logger, source.File, listeners, names, left, expiresAt);
                    break;
                case CertificateState.ExpiresVerySoon:
                    TlsLog.ExpiresVerySoon(_logger, source.File, listeners, names, left, expiresAt);
                    break;
                default:
                    TlsLog.Expired(_logger, source.File, listeners, names, expiresAt);
                    break;
            }
        }
    }

    // The same, of OCSP responses.
    private void TellWhatIsNotStapled()
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (TlsFileSource one in _watched.Store.Sources)
        {
            if (one is not CertificateSource source) continue;
            string? fault = source.StaplingFault(now);
            if (fault == source.FaultTold.Fault && (fault is null || now - source.FaultTold.At < ReminderInterval)) continue;
            source.FaultTold = (fault, now);
            if (fault is not null) TlsLog.Stapling(_logger, source.File, Listeners(source), fault);
        }
    }

    private static string Listeners(ShownCertificate source) => string.Join(", ", source.Listeners);

    private static string Names(CertificateView view)
    {
        const int NamesMax = 3;
        string names = string.Join(", ", view.Names.Take(NamesMax));
        return view.Names.Count > NamesMax ? $"{names}, …" : names;
    }

    /// <summary>Ends the watching. A look under way is not waited for.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _metrics.Dispose();
    }
}
