using System.Diagnostics;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Events;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>Starts the program anew, as it lies on disk by now, with the same arguments: it takes over from this process.</summary>
internal sealed class Upgrader(ProxyServer server, HandoverServer handover, ILogger logger) : IUpgradeHandler
{
    internal const string TakeOverOption = "--take-over";

    // Asked before the file may be replaced: the kernel then calls it "… (deleted)".
    private static readonly string? Program = Environment.ProcessPath;
    private int _isUnderWay;

    /// <summary>Has the program's path known from the start on.</summary>
    internal static void Prepare() => _ = Program;

    public async Task<UpgradeReport> UpgradeAsync(string who)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) != 0) return new(null, "an upgrade is under way");
        try
        {
            UpgradeReport report = await RunAsync();
            string text = report.ProcessId is { } process ? $"process {process} has taken over" : report.Problem!;
            server.Events.Add(ServerEventKind.Upgraded, "", text, who);
            logger.Upgraded(who, text);
            return report;
        }
        finally
        {
            Volatile.Write(ref _isUnderWay, 0);
        }
    }

    private async Task<UpgradeReport> RunAsync()
    {
        if (Program is not { } path) return new(null, "where the program lies is not known");
        string[] arguments = Environment.GetCommandLineArgs();
        var start = new ProcessStartInfo(path) { UseShellExecute = false };
        // Under the SDK's host the first argument is the library to run.
        foreach (string argument in Path.GetFileNameWithoutExtension(path) == "dotnet" ? arguments : arguments.Skip(1))
            if (argument != TakeOverOption) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(TakeOverOption);
        // These are about this process alone.
        foreach (string variable in new[] { "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" }) start.Environment.Remove(variable);
        Process successor;
        try
        {
            successor = Process.Start(start)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return new(null, $"{path} cannot be started: {e.Message}");
        }
        using (successor)
        {
            Task ended = successor.WaitForExitAsync();
            await Task.WhenAny(handover.Taken, ended, Task.Delay(HandoverSocket.StartMax));
            if (handover.Taken.IsCompletedSuccessfully) return new(await handover.Taken, null);
            if (ended.IsCompleted) return new(null, $"{path} has ended with code {successor.ExitCode} before it served; this process goes on");
            successor.Kill();
            return new(null, $"{path} did not serve within {HandoverSocket.StartMax.TotalSeconds} s; this process goes on");
        }
    }
}
