using System.Diagnostics;

namespace LoadBalancer.Transport.Tests;

/// <summary>This assembly run as a program, for what would harm the test process: see <see cref="Program"/>.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    internal static ChildProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        // With CoreCLR each new thread of the runtime needs two descriptors, and the process dies when it gets none: see "Limits we know of"
        // in README.md. Without tiers and with completions on the sockets' own thread, none is started once the child has served a connection.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1";
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return new ChildProcess(Process.Start(start)!);
    }

    internal async Task<string> ReadLineAsync(CancellationToken token) =>
        await _process.StandardOutput.ReadLineAsync(token) ?? throw new EndOfStreamException("the child process ended");

    /// <summary>Gives a command and waits for its answer, one line.</summary>
    internal async Task<string> CommandAsync(string command, CancellationToken token)
    {
        await _process.StandardInput.WriteLineAsync(command.AsMemory(), token);
        await _process.StandardInput.FlushAsync(token);
        return await ReadLineAsync(token);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
