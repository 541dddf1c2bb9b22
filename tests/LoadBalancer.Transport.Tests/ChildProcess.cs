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
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return new ChildProcess(Process.Start(start)!);
    }

    internal async Task<string> ReadLineAsync(CancellationToken token) =>
        await _process.StandardOutput.ReadLineAsync(token) ?? throw new EndOfStreamException("the child process ended");

    internal async Task WriteLineAsync(string line, CancellationToken token)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), token);
        await _process.StandardInput.FlushAsync(token);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
