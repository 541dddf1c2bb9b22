using System.Diagnostics;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>A sample as its reader runs it: a process, ended with the test.</summary>
internal sealed class SampleProcess : IDisposable
{
    private readonly Process _process;

    internal SampleProcess(string name, params string[] args)
    {
        // Built as the tests are: bin/Release/net10.0.
        string built = Path.GetRelativePath(Path.Combine(Repository.Root, "tests/LoadBalancer.Hosting.Tests"), TestContext.CurrentContext.TestDirectory);
        string program = Path.Combine(Repository.Root, "samples", name, built, name + ".dll");
        _process = Process.Start(new ProcessStartInfo("dotnet", [program, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    /// <summary>The rest of the next line that begins so.</summary>
    internal async Task<string> LineAsync(string start, CancellationToken token)
    {
        while (await _process.StandardOutput.ReadLineAsync(token) is { } line)
            if (line.StartsWith(start, StringComparison.Ordinal)) return line[start.Length..];
        throw new AssertionException($"no line begins with '{start}'; standard error: {await _process.StandardError.ReadToEndAsync(token)}");
    }

    /// <summary>Waits for its end.</summary>
    internal async Task<(int ExitCode, string Error)> EndAsync(CancellationToken token)
    {
        string error = await _process.StandardError.ReadToEndAsync(token);
        await _process.WaitForExitAsync(token);
        return (_process.ExitCode, error);
    }

    /// <summary>Asks it to stop (SIGTERM).</summary>
    internal void Terminate()
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
