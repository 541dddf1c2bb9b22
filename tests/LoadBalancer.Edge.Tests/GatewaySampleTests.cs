using System.Globalization;
using System.Text.RegularExpressions;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>The sample gateway does what its README shows, command by command.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed partial class GatewaySampleTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(120_000)]
    public async Task TheTestsOfTheSamplePass(CancellationToken cancellationToken)
    {
        LbResult result = await LbProcess.RunAsync(Repository.Root, cancellationToken, "test", "samples/Gateway/gateway.test.json");
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.ExitCode, Is.Zero);
        Assert.That(result.Output, Does.Match("^[1-9][0-9]+ passed, 0 failed\n$"));
    }

    [Test, CancelAfter(120_000)]
    public async Task EachCommandShowsWhatIsSaidBelowIt(CancellationToken cancellationToken)
    {
        string bash = SystemProgram.Require("bash");
        SystemProgram.Require("curl");
        int servicesPort = SystemProgram.FreePort(), port = SystemProgram.FreePort();
        string services = Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples/Gateway/bin"), "gateway-services.dll", SearchOption.AllDirectories).OrderDescending().First();
        await using RunningProgram running = await SystemProgram.StartAsync("dotnet", servicesPort, cancellationToken, services, servicesPort.ToString(CultureInfo.InvariantCulture));
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples/Gateway"), "*.*"))
            await File.WriteAllTextAsync(Path.Combine(_directory, Path.GetFileName(file)), (await File.ReadAllTextAsync(file, cancellationToken)).Replace("\":8080\"", $"\"127.0.0.1:{port}\"", StringComparison.Ordinal), cancellationToken);
        KeyValuePair<string, string>[] environment = [new("JWKS", $"http://127.0.0.1:{servicesPort}/jwks.json"), new("SERVICES_HOST", $"127.0.0.1:{servicesPort}"), new("XDG_RUNTIME_DIR", _directory)];
        using LbProcess lb = LbProcess.StartIn(_directory, environment, "run", "-c", "lb.json");
        await lb.LineAsync("Ready.", cancellationToken);

        int shown = 0;
        foreach (Match match in Shown().Matches(Repository.Read("samples/Gateway/README.md")))
        {
            string command = match.Groups[1].Value.Replace("localhost:8080", $"127.0.0.1:{port}", StringComparison.Ordinal).Replace("localhost:9000", $"127.0.0.1:{servicesPort}", StringComparison.Ordinal);
            (int exitCode, string output) = await SystemProgram.RunAsync(bash, cancellationToken, "-c", command);
            Assert.That(exitCode, Is.Zero, $"{command}\n{output}");
            Assert.That(output, Does.Contain(match.Groups[2].Value), command);
            shown++;
        }
        Assert.That(shown, Is.EqualTo(8));
    }

    [GeneratedRegex("```sh\n(curl .*)\n```\n\n> (.*)\n")]
    private static partial Regex Shown();
}
