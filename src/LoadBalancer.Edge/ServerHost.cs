using System.Runtime.InteropServices;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Logging;
using LoadBalancer.Edge.Systemd;
using LoadBalancer.Edge.Upgrading;
using LoadBalancer.Hosting;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge;

/// <summary>Runs one configuration in a generic host until a signal, or until the command itself has ended.</summary>
internal static class ServerHost
{
    // What the host may take for stopping beyond the drain itself.
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Starts, hands the started server to <paramref name="whileRunning"/> and stops when its task ends or a signal comes, which also
    /// cancels the token. Everything an operator can cause ends as one line on standard error.
    /// </summary>
    internal static async Task<int> RunAsync(
        ProxyConfig config, LogLevel logLevel, ICompletionObserver? observer, Func<ProxyServer, AdminServer?, CancellationToken, Task> whileRunning, ReloadSource? reload = null, TakeOver? takeOver = null)
    {
        Upgrader.Prepare();
        // The empty builder: no configuration providers, so no file watchers and no JSON of somebody else's to pick up.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddProvider(new LineLoggerProvider(Console.Error, logLevel, TimeProvider.System));
        // The host logs a failed start with its stack trace; we print one line instead.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Logging.SetMinimumLevel(logLevel);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = config.DrainTimeout + StopMargin);
        builder.Services.AddLoadBalancer(options =>
        {
            options.Config = config;
            options.Observer = observer;
        });

        using IHost host = builder.Build();
        ILogger logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("lb");
        using var signals = new StopSignals(logger);
        using ServiceManager? systemd = ServiceManager.Find(Environment.GetEnvironmentVariable, TimeProvider.System, logger);
        ReloadService? reloader = null;
        Succession? begun = null;
        AdminServer? admin;
        try
        {
            begun = Succession.Begin(config, takeOver);
            admin = host.Services.GetService<AdminServer>();
            if (reload is not null)
            {
                reloader = new ReloadService(reload.Location, host.Services.GetRequiredService<ProxyServer>(), host.Services.GetRequiredService<ConfigReloader>(),
                    host.Services.GetRequiredService<ILogger<ReloadService>>(), reload.LoadAsync, reload.Adapt);
                if (admin is not null) admin.Reloader = reloader;
            }
            await begun.ApplyAsync(host.Services.GetRequiredService<ProxyServer>(), admin);
            await host.StartAsync();
        }
        catch (Exception e) when (e is ListenException or ConfigException or IOException or System.Net.Sockets.SocketException or PlatformNotSupportedException)
        {
            begun?.Dispose();
            foreach (string line in e.Message.Split(Environment.NewLine)) Console.Error.WriteLine($"lb: {line}");
            return ExitCode.Problem;
        }

        // As with nginx: whoever has renamed the file says so. The framework has no name for the signal; it takes the system's number.
        const int LinuxUserSignal1 = 10;
        using PosixSignalRegistration? reopen = OperatingSystem.IsLinux() && host.Services.GetRequiredService<AccessLogService>() is { } accessLog
            ? PosixSignalRegistration.Create((PosixSignal)LinuxUserSignal1, context =>
            {
                context.Cancel = true;
                accessLog.Reopen();
            })
            : null;
        using var ending = new CancellationTokenSource();
        var server = host.Services.GetRequiredService<ProxyServer>();
        using Succession succession = begun;
        if (!await succession.TryServeAsync(server, admin, logger))
        {
            logger.NotTakenOver();
            Console.Error.WriteLine("lb: the process before did not wait for this one, and goes on");
            await host.StopAsync(CancellationToken.None);
            return ExitCode.Problem;
        }
        Task running = whileRunning(server, admin, ending.Token);
        systemd?.Ready();
        using ReloadService? reloading = reloader;
        if (reloader is not null)
        {
            signals.Reload = () =>
            {
                if (admin is { IsHandingOver: true })
                {
                    logger.ReloadWhileHandingOver(); // the other process has read it already, and would not know
                    systemd?.Reloading(); // who asked by systemd waits for these
                    systemd?.Ready();
                }
                else _ = ReloadAsync(reloader, systemd);
            };
            reloader.IsHeld = () => admin is { IsHandingOver: true };
        }
        Task following = reloader is null ? Task.CompletedTask : reload!.WatchAsync(reloader, ending.Token);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(signals.Cut);
        Task watching = systemd?.WatchAsync(server, stopped.Token) ?? Task.CompletedTask; // while it drains too
        await Task.WhenAny(running, signals.Stop, succession.Taken);
        signals.Reload = null;
        if (!succession.TryClose())
        {
            int successor = (await succession.Taken).ProcessId;
            systemd?.HandedTo(successor);
            logger.TakenOver(successor);
            using var cut = CancellationTokenSource.CreateLinkedTokenSource(signals.Cut);
            Task leaving = Succession.LeaveAsync(server, admin!, cut.Token);
            if (await Task.WhenAny(leaving, signals.Stop) != leaving) await cut.CancelAsync(); // as short as any other stop
            await leaving;
        }
        else systemd?.Stopping();
        await ending.CancelAsync();
        await following;
        try
        {
            await host.StopAsync(signals.Cut);
        }
        catch (OperationCanceledException) when (signals.Cut.IsCancellationRequested)
        {
        }
        await stopped.CancelAsync();
        await watching;
        try
        {
            await running;
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
        return signals.Cut.IsCancellationRequested ? ExitCode.Problem : ExitCode.Ok;
    }

    // systemd waits for the end of a reload that it has asked for. What comes of it is logged.
    private static async Task ReloadAsync(ReloadService reloader, ServiceManager? systemd)
    {
        systemd?.Reloading();
        await reloader.ReloadAsync(isDryRun: false, "SIGHUP", CancellationToken.None);
        systemd?.Ready();
    }

    /// <summary>Instead of the console's: <see cref="StopSignals"/> decides when to stop.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
