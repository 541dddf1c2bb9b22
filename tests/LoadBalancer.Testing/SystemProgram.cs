using System.Diagnostics;
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
}
