using System.Runtime.InteropServices;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge;

/// <summary>SIGINT and SIGTERM: the first asks to stop, the second to stop at once. SIGHUP asks for the configuration to be read again.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cut = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ILogger _logger;
    private int _signals;

    internal StopSignals(ILogger logger)
    {
        _logger = logger;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangup),
        ];
    }

    /// <summary>Completed by the first signal.</summary>
    internal Task Stop => _stop.Task;

    /// <summary>Called for SIGHUP; null while nothing can be read again.</summary>
    internal Action? Reload { get; set; }

    /// <summary>Cancelled by the second signal.</summary>
    internal CancellationToken Cut => _cut.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        // _cut is left to the collector: a signal may be on its way to it.
    }

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = true; // the process ends when it has drained
        if (Interlocked.Increment(ref _signals) == 1)
        {
            _stop.TrySetResult();
            return;
        }
        _logger.Cutting();
        _cut.Cancel();
    }

    private void OnHangup(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Reload is { } reload) reload();
        else _logger.ReloadUnavailable();
    }
}
