using System.Text.Json;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb cache</c>, as an operator runs it.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class CacheTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private readonly int _port = SystemProgram.FreePort();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private Task<LbResult> CacheAsync(params string[] arguments) => LbProcess.RunAsync(_directory, TestContext.CurrentContext.CancellationToken, ["cache", .. arguments, "--admin", $"unix:{_directory}/admin.sock"]);

    private async Task<string> GetAsync(HttpClient client, string path, CancellationToken token)
    {
        using HttpResponseMessage response = await client.GetAsync(new Uri($"http://127.0.0.1:{_port}{path}"), token);
        await response.Content.ReadAsByteArrayAsync(token);
        return response.Headers.TryGetValues("Cache-Status", out IEnumerable<string>? values) ? values.Single() : "";
    }

    [Test, CancelAfter(60_000)]
    public async Task ARunningBalancerTellsWhatItHoldsAndForgetsIt(CancellationToken cancellationToken)
    {
        await using ScriptedOrigin origin = new(async (connection, _, token) =>
        {
            while (true)
            {
                string head = await connection.ReadUntilAsync("\r\n\r\n", token);
                string control = head.StartsWith("GET /private", StringComparison.Ordinal) ? "private" : "max-age=600";
                int length = head.StartsWith("GET /large", StringComparison.Ordinal) ? 300_000 : 3;
                await connection.SendAsync($"HTTP/1.1 200 OK\r\nCache-Control: {control}\r\nSurrogate-Key: one two\r\nContent-Length: {length}\r\n\r\n{new string('x', length)}", token);
            }
        });
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "listeners": { "web": { "address": "127.0.0.1:{{_port}}" } },
              "caches": { "main": { "objectBytesMax": "64KiB", "disk": "cache" } },
              "routes": { "all": { "cluster": "app", "cache": {} } },
              "clusters": { "app": { "destinations": { "a": "{{origin.Address}}" } } },
              "admin": "unix:{{_directory}}/admin.sock"
            }
            """, cancellationToken);
        using var client = new HttpClient();
        using (LbProcess lb = LbProcess.Start(_directory, "run"))
        {
            await lb.LineAsync("Ready.", cancellationToken);
            foreach (string path in new[] { "/a", "/a", "/b", "/private", "/large" }) await GetAsync(client, path, cancellationToken);
            while (!(await GetAsync(client, "/large", cancellationToken)).Contains("hit", StringComparison.Ordinal)) cancellationToken.ThrowIfCancellationRequested();

            Assert.That((await CacheAsync("show")).Output, Does.Match("(?m)^CACHE +PLACE +OBJECTS .*\nmain +memory +2 .*\nmain +disk +1 "));
            LbResult why = await CacheAsync("why", $"http://127.0.0.1:{_port}/a");
            Assert.That((why.ExitCode, why.Error), Is.EqualTo((0, "")));
            Assert.That(why.Output, Does.StartWith("Route all, cache main.\n").And.Match("(?m)^memory +200 +3 .* MaxAge +- +- +one,two"));
            LbResult unstored = await CacheAsync("why", $"http://127.0.0.1:{_port}/private");
            Assert.That(unstored.ExitCode, Is.EqualTo(1));
            Assert.That(unstored.Output, Does.Contain(": Private.\nNothing is stored.\n"));

            Assert.That((await CacheAsync("purge", $"http://127.0.0.1:{_port}/a")).Output, Is.EqualTo("1 purged\n"));
            Assert.That(await GetAsync(client, "/a", cancellationToken), Does.Contain("fwd=uri-miss"));
            LbResult json = await CacheAsync("purge", "--tag", "two", "--soft", "--json");
            using (JsonDocument document = JsonDocument.Parse(json.Output)) Assert.That(document.RootElement.GetProperty("purged").GetInt32(), Is.EqualTo(3));
            Assert.That(await GetAsync(client, "/b", cancellationToken), Does.Contain("fwd=stale"));
            Assert.That((await CacheAsync("purge", $"http://127.0.0.1:{_port}/*", "--cache", "main")).Output, Is.EqualTo("3 purged\n"));
            LbResult unknown = await CacheAsync("purge", "--all", "--cache", "mian");
            Assert.That((unknown.ExitCode, unknown.Error), Is.EqualTo((1, "lb: there is no cache \"mian\"; did you mean \"main\"?\n")));
            Assert.That((await CacheAsync("purge", "here")).Error, Does.StartWith("lb: \"here\" is not what can be purged: A URL with scheme and host"));
            Assert.That((await CacheAsync("purge")).ExitCode, Is.EqualTo(2));
            await GetAsync(client, "/large", cancellationToken);
            while (!(await GetAsync(client, "/large", cancellationToken)).Contains("hit", StringComparison.Ordinal)) cancellationToken.ThrowIfCancellationRequested();
        }
        // What lies on disk outlives the process.
        using LbProcess again = LbProcess.Start(_directory, "run");
        await again.LineAsync("Ready.", cancellationToken);
        LbResult shown;
        do shown = await CacheAsync("show");
        while (!System.Text.RegularExpressions.Regex.IsMatch(shown.Output, "(?m)^main +disk +1 ") && !cancellationToken.IsCancellationRequested);
        Assert.That(await GetAsync(client, "/large", cancellationToken), Does.Contain("hit"));
    }
}
