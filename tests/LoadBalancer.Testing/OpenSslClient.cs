using System.Diagnostics;
using System.Net;

namespace LoadBalancer.Testing;

/// <summary>openssl's own client, <c>openssl s_client</c>.</summary>
public static class OpenSslClient
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    /// <summary>Sends one request; returns all that the program says, on both its outputs.</summary>
    public static Task<string> AskAsync(string openssl, EndPoint server, CancellationToken token, params string[] options) =>
        RunAsync(openssl, server, ["-ign_eof", .. options], [Request], token);

    /// <summary>Gives it a command of a letter ("K", "k", "R"), then the request.</summary>
    public static Task<string> CommandAsync(string openssl, EndPoint server, string command, CancellationToken token, params string[] options) =>
        RunAsync(openssl, server, options, [$"{command}\n", Request], token);

    private static async Task<string> RunAsync(string openssl, EndPoint server, string[] options, string[] inputs, CancellationToken token)
    {
        string[] arguments = ["s_client", "-connect", $"127.0.0.1:{((IPEndPoint)server).Port}", .. options];
        using Process process = Process.Start(new ProcessStartInfo(openssl, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = new Transcript();
        Task reading = Task.WhenAll(said.AppendAsync(process.StandardOutput, token), said.AppendAsync(process.StandardError, token));
        // It takes each read of its input for a command or for data: one is written when it has taken the one before.
        string taken = "";
        foreach (string input in inputs)
        {
            await said.WaitForAsync(taken, token);
            taken = input[0] switch { 'K' or 'k' => "KEYUPDATE", 'R' => "RENEGOTIATING", _ => "" };
            try
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), token);
                await process.StandardInput.FlushAsync(token);
            }
            catch (IOException)
            {
                break; // it has given up
            }
        }
        await reading;
        await process.WaitForExitAsync(token);
        return said.ToString();
    }
}
