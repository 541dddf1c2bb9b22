using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;

namespace LoadBalancer.Testing;

/// <summary>Programs of the system that tests run; a test is skipped by the program's name where it is missing.</summary>
public static class SystemProgram
{
    public static string Require(string name)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin"))
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) return path;
        }
        Assert.Ignore($"{name} is not installed");
        return "";
    }

    public static async Task<(int ExitCode, string Output)> RunAsync(string path, CancellationToken token, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync(token);
        string output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return (process.ExitCode, output + await error);
    }

    private static readonly HashSet<int> GivenPorts = [];

    /// <summary>
    /// A port that was free a moment ago, for programs that cannot tell which one they took. Each is given once: of two tests at the same time, one would else talk to the other's program.
    /// None that the system gives to whoever asks for any (Linux: from 32768 on), as to each connection that is made meanwhile.
    /// </summary>
    public static int FreePort()
    {
        lock (GivenPorts)
        {
            while (true)
            {
                int port = Random.Shared.Next(10_000, 32_000);
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                }
                catch (SocketException)
                {
                    continue;
                }
                if (GivenPorts.Add(port)) return port;
            }
        }
    }

    /// <summary>Starts a server that stays in the foreground, and waits until its port accepts.</summary>
    public static async Task<RunningProgram> StartAsync(string path, int port, CancellationToken token, params string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var program = new RunningProgram(process);
        try
        {
            while (true)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, port, token);
                    return program;
                }
                catch (SocketException) when (!process.HasExited)
                {
                    await Task.Delay(20, token); // another program gives no event to wait for
                }
            }
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }
}

/// <summary>A server process; ended with the test.</summary>
public sealed class RunningProgram(Process process) : IAsyncDisposable
{
    private readonly Task<string> _error = process.StandardError.ReadToEndAsync();
    private readonly Task<string> _output = process.StandardOutput.ReadToEndAsync();

    /// <summary>Sends it a signal: STOP, CONT.</summary>
    public async Task SignalAsync(string name, CancellationToken token) =>
        await SystemProgram.RunAsync(SystemProgram.Require("kill"), token, $"-{name}", $"{process.Id}");

    /// <summary>Ends it without a word (SIGKILL).</summary>
    public async Task KillAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await Task.WhenAll(_error, _output);
        process.Dispose();
    }
}
