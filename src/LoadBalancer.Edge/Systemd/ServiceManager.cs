using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Systemd;

/// <summary>
/// Tells systemd that the service is ready, that it stops, and, where the unit has "WatchdogSec", that its loops still turn (sd_notify(3), sd_watchdog_enabled(3)).
/// </summary>
internal sealed class ServiceManager : IDisposable
{
    private readonly UnixDomainSocketEndPoint _endPoint;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly TimeSpan? _watchdog;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private ServiceManager(UnixDomainSocketEndPoint endPoint, TimeSpan? watchdog, TimeProvider time, ILogger logger)
    {
        _endPoint = endPoint;
        _watchdog = watchdog;
        _time = time;
        _logger = logger;
    }

    /// <summary>Whom to tell, as the environment says; null where nobody has asked.</summary>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">For what cannot be told.</param>
    internal static ServiceManager? Find(Func<string, string?> environment, TimeProvider time, ILogger logger)
    {
        // A path, or "@" and a name in the kernel's own name space, which begins with a zero.
        if (environment("NOTIFY_SOCKET") is not { Length: > 1 } address || address[0] is not ('/' or '@')) return null;
        try
        {
            return new(new UnixDomainSocketEndPoint(address[0] == '@' ? $"\0{address[1..]}" : address), WatchdogOf(environment), time, logger);
        }
        catch (Exception e) when (e is ArgumentException or PlatformNotSupportedException)
        {
            logger.CannotNotify(e.Message);
            return null;
        }
    }

    internal void Ready() => Tell("READY=1");

    /// <summary>What follows is a reload, until <see cref="Ready"/> is told again (systemd.service(5), Type=notify-reload).</summary>
    // CLOCK_MONOTONIC to the microsecond, which is the stopwatch's clock on Linux. Environment.TickCount64 is some milliseconds behind: systemd would take what is told within these of its
    // signal for news of an earlier reload, and wait in vain for an answer to its own.
    internal void Reloading() => Tell($"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}");

    /// <summary>Another process is the service from here on, and tells for itself.</summary>
    internal void HandedTo(int process) => Tell($"MAINPID={process}");

    internal void Stopping() => Tell("STOPPING=1");

    /// <summary>Tells again and again that the loops turn, until it is cancelled. Does nothing where no watchdog waits for it.</summary>
    internal async Task WatchAsync(ProxyServer server, CancellationToken stopping)
    {
        if (_watchdog is not { } interval) return;
        // Half of it, as sd_watchdog_enabled(3) has it. A loop that hangs never answers, and nothing is told.
        using var timer = new PeriodicTimer(interval / 2, _time);
        try
        {
            do
            {
                await server.WhenLoopsTurnAsync().WaitAsync(stopping);
                Tell("WATCHDOG=1");
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Tell(string state)
    {
        try
        {
            _socket.SendTo(Encoding.ASCII.GetBytes(state), _endPoint);
        }
        catch (SocketException e)
        {
            _logger.CannotNotify(e.Message);
        }
    }

    private static TimeSpan? WatchdogOf(Func<string, string?> environment)
    {
        if (!long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) || microseconds is 0 or > long.MaxValue / 10) return null;
        // Meant for one process, which need not be this one.
        bool isOther = environment("WATCHDOG_PID") is { } process && process != Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isOther ? null : TimeSpan.FromMicroseconds(microseconds);
    }
}
