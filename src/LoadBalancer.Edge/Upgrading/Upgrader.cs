using System.Diagnostics;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Events;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>Starts the program anew, as it lies on disk by now, with the same arguments: it takes over from this process.</summary>
internal sealed class Upgrader(ProxyServer server, AdminServer admin, HandoverServer handover, ILogger logger) : IUpgradeHandler
{
    internal const string TakeOverOption = "--take-over";

    // Asked before the file may be replaced: the kernel then calls it "… (deleted)".
    private static readonly string? Program = ProgramPath.Find();
    private int _isUnderWay;

    /// <summary>Has the program's path known from the start on.</summary>
    internal static void Prepare() => _ = Program;

    public async Task<UpgradeReport> UpgradeAsync(string who)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) != 0) return new(null, "an upgrade is under way");
        admin.BeginHandingOver(); // from before the other reads the configuration
        bool isTaken = false;
        try
        {
            UpgradeReport report = await RunAsync();
            isTaken = report.ProcessId is not null;
            string text = report.ProcessId is { } process ? $"process {process} has taken over{(report.Version is { } version ? $", version {version}" : "")}" : report.Problem!;
            server.Events.Add(ServerEventKind.Upgraded, "", text, who);
            logger.Upgraded(who, text);
            return report;
        }
        finally
        {
            if (!isTaken) admin.EndHandingOver();
            Volatile.Write(ref _isUnderWay, 0);
        }
    }

    private async Task<UpgradeReport> RunAsync()
    {
        if (Program is not { } path) return new(null, "where the program lies is not known");
        string[] arguments = Environment.GetCommandLineArgs();
        var start = new ProcessStartInfo(path) { UseShellExecute = false };
        // Under the SDK's host the first argument is the library to run.
        foreach (string argument in WithoutTakeOver(Path.GetFileNameWithoutExtension(path) == "dotnet" ? arguments : arguments[1..])) start.ArgumentList.Add(argument);
        start.ArgumentList.Add($"{TakeOverOption}={handover.Path}"); // its configuration may say another address by now
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
            handover.TryGiveUp(0); // whom the last attempt gave up has ended, and its number may be this one's
            Task ended = successor.WaitForExitAsync();
            await Task.WhenAny(handover.Taken, ended, Task.Delay(HandoverSocket.StartMax));
            if (handover.Taken.IsCompletedSuccessfully || !handover.TryGiveUp(successor.Id))
            {
                Successor taken = await handover.Taken;
                return new(taken.ProcessId, null) { Version = taken.Version };
            }
            if (ended.IsCompleted) return new(null, $"{path} has ended with code {successor.ExitCode} before it served; this process goes on");
            successor.Kill();
            return new(null, $"{path} did not serve within {HandoverSocket.StartMax.TotalSeconds} s; this process goes on");
        }
    }

    /// <summary>Without the option by which this process took over itself.</summary>
    internal static IEnumerable<string> WithoutTakeOver(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == TakeOverOption)
            {
                if (i + 1 < arguments.Count && Path.IsPathRooted(arguments[i + 1])) i++; // its value
            }
            else if (!arguments[i].StartsWith(TakeOverOption + "=", StringComparison.Ordinal) && !arguments[i].StartsWith(TakeOverOption + ":", StringComparison.Ordinal)) yield return arguments[i];
        }
    }
}
