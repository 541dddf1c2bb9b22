using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>The built <c>lb</c> as a process. LB_BINARY in the environment names another one, such as the NativeAOT binary.</summary>
internal sealed class LbProcess : IDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _errorLines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _errorSoFar = new();
    private readonly Task<string> _error;

    private LbProcess(Process process)
    {
        _process = process;
        _error = ReadErrorAsync();
    }

    internal static LbProcess Start(string directory, params string[] args) => StartIn(directory, [], args);

    internal static LbProcess StartIn(string directory, IReadOnlyCollection<KeyValuePair<string, string>> environment, params string[] args) =>
        Start(directory, environment, Command(args));

    /// <summary>Starts it in a control group (Linux), by whose limits it lives from its first instruction on.</summary>
    internal static LbProcess StartInGroup(string directory, string group, params string[] args) =>
        Start(directory, [], ["sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", Path.Combine(group, "cgroup.procs"), .. Command(args)]);

    private static string[] Command(string[] args) =>
        Environment.GetEnvironmentVariable("LB_BINARY") is { } binary ? [binary, .. args] : ["dotnet", Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll"), .. args];

    private static LbProcess Start(string directory, IReadOnlyCollection<KeyValuePair<string, string>> environment, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new LbProcess(Process.Start(start)!);
    }

    /// <summary>Runs to the end.</summary>
    internal static async Task<LbResult> RunAsync(string directory, CancellationToken cancellationToken, params string[] args)
    {
        using LbProcess lb = Start(directory, args);
        return await lb.EndAsync(cancellationToken);
    }

    /// <summary>Reads standard output up to the line that starts with a text.</summary>
    internal async Task<string> LineAsync(string start, CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            if (line.TrimStart().StartsWith(start, StringComparison.Ordinal)) return line;
        throw new AssertionException($"no line starts with '{start}'; standard error: {await _error.WaitAsync(cancellationToken)}");
    }

    /// <summary>Waits for a line of standard error that contains a text.</summary>
    internal async Task ErrorLineAsync(string text, CancellationToken cancellationToken)
    {
        await foreach (string line in _errorLines.Reader.ReadAllAsync(cancellationToken))
            if (line.Contains(text, StringComparison.Ordinal)) return;
        throw new AssertionException($"no line of standard error contains '{text}'");
    }

    /// <summary>The most physical memory it has had so far, in bytes (Linux: proc(5), VmHWM).</summary>
    internal long PeakMemoryBytes()
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    internal async Task SignalAsync(string name, CancellationToken cancellationToken)
    {
        using Process kill = Process.Start("kill", ["-" + name, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Its exit code, once it has ended; another process may have its output still.</summary>
    internal async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    internal async Task<LbResult> EndAsync(CancellationToken cancellationToken)
    {
        string output = await _process.StandardOutput.ReadToEndAsync(cancellationToken);
        string error = await _error.WaitAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return new LbResult(_process.ExitCode, output, error);
    }

    /// <summary>What it, and those that took over from it, have written to standard error by now.</summary>
    internal string ErrorSoFar
    {
        get
        {
            lock (_errorSoFar) return _errorSoFar.ToString();
        }
    }

    private async Task<string> ReadErrorAsync()
    {
        StringBuilder all = _errorSoFar;
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (all) all.Append(line).Append('\n');
            _errorLines.Writer.TryWrite(line);
        }
        _errorLines.Writer.Complete();
        return all.ToString();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}

internal sealed record LbResult(int ExitCode, string Output, string Error);
