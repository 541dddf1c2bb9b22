using System.Diagnostics;

namespace LoadBalancer.Testing;

/// <summary>openssl's own server, <c>openssl s_server</c>, which a test speaks through: for one connection, what is said goes to its client.</summary>
public sealed class OpenSslServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Transcript _said = new();
    private readonly Task _reading;

    private OpenSslServer(Process process, int port, CancellationToken token)
    {
        _process = process;
        Port = port;
        _reading = Task.WhenAll(_said.AppendAsync(process.StandardOutput, token), _said.AppendAsync(process.StandardError, token));
    }

    public int Port { get; }

    public static async Task<OpenSslServer> StartAsync(string openssl, CancellationToken token, params string[] options)
    {
        int port = SystemProgram.FreePort();
        // What it says of commands stays in its buffer otherwise.
        string[] arguments = ["-oL", openssl, "s_server", "-accept", $"127.0.0.1:{port}", .. options];
        var server = new OpenSslServer(
            Process.Start(new ProcessStartInfo(SystemProgram.Require("stdbuf"), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!, port, token);
        await server.SaysAsync("ACCEPT", token);
        return server;
    }

    /// <summary>Ends when it has said so, what its clients send included.</summary>
    public Task SaysAsync(string mark, CancellationToken token, int times = 1) => _said.WaitForAsync(mark, token, times);

    /// <summary>Text for the client, or a command of a letter and a line end ("K", "k"): each is taken by one read.</summary>
    public async Task SayAsync(string text, CancellationToken token)
    {
        await _process.StandardInput.WriteAsync(text.AsMemory(), token);
        await _process.StandardInput.FlushAsync(token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a test that takes too long says so itself
        _process.Dispose();
    }
}
