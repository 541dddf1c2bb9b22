using System.Diagnostics;
using System.Globalization;
using System.Net;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>A real lb in a folder of its own, with an admin socket, that another follows.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), NonParallelizable, CancelAfter(180_000)]
public abstract class UpgradeFixture : IDisposable
{
    private readonly List<int> _processes = []; // that took over: nobody's children

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("lb-upgrade-").FullName;

    private protected int Port { get; } = SystemProgram.FreePort();

    private protected string AdminPath => $"{Folder}/admin.sock";

    private protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("sockets are handed over on Linux");
    }

    public void Dispose()
    {
        foreach (int process in _processes)
        {
            try
            {
                using Process running = Process.GetProcessById(process);
                running.Kill();
                running.WaitForExit(); // nothing is written to its folder any more
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException) // it has ended
            {
            }
        }
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes the configuration.</summary>
    /// <param name="rest">Routes, clusters and more; null for a route that answers "x".</param>
    /// <param name="listeners">Beside the one at <see cref="Port"/>.</param>
    /// <param name="admin">Address of the admin listener; null for <see cref="AdminPath"/>.</param>
    private protected void Write(string? rest = null, string? listeners = null, string? admin = null) => File.WriteAllText(Path.Combine(Folder, "lb.json"),
        $$"""
        { "listeners": { "web": { "address": "127.0.0.1:{{Port.ToString(CultureInfo.InvariantCulture)}}" }, {{listeners}} }, "drainTimeout": "5s",
          {{rest ?? "\"routes\": { \"all\": { \"respond\": { \"status\": 200, \"body\": \"x\" } } },"}}
          "admin": { "address": "{{admin ?? $"unix:{AdminPath}"}}" } }
        """);

    private protected async Task<LbProcess> StartAsync()
    {
        LbProcess lb = LbProcess.Start(Folder, "run");
        await lb.LineAsync("Ready.", Token);
        return lb;
    }

    private protected Task<LbResult> TryUpgradeAsync() => LbProcess.RunAsync(Folder, Token, "upgrade", "--admin", $"unix:{AdminPath}");

    private protected async Task<int> UpgradeAsync(LbProcess? lb = null)
    {
        LbResult result = await TryUpgradeAsync();
        Assert.That(result.ExitCode, Is.Zero, $"{result.Error}{lb?.ErrorSoFar}");
        int process = int.Parse(result.Output.Split(' ')[1], CultureInfo.InvariantCulture);
        _processes.Add(process);
        return process;
    }

    private protected async Task<HttpStatusCode> GetAsync(string path)
    {
        using var client = new HttpClient();
        using HttpResponseMessage response = await client.GetAsync($"http://127.0.0.1:{Port}{path}", Token);
        return response.StatusCode;
    }

    private protected async Task<string> AskAsync(string path)
    {
        using HttpClient admin = UnixHttp.Client(AdminPath);
        return await admin.GetStringAsync($"http://lb{path}", Token);
    }

    private protected async Task<HttpStatusCode> TellAsync(HttpMethod method, string path, string? body = null)
    {
        using HttpClient admin = UnixHttp.Client(AdminPath);
        using HttpResponseMessage answer = await admin.SendAsync(new HttpRequestMessage(method, $"http://lb{path}") { Content = body is null ? null : new StringContent(body) }, Token);
        return answer.StatusCode;
    }

    /// <summary>Ends a process that took over, as an operator would.</summary>
    private protected static async Task StopAsync(int process)
    {
        using Process running = Process.GetProcessById(process);
        using Process kill = Process.Start("kill", ["-TERM", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Token);
        await running.WaitForExitAsync(Token);
    }
}
