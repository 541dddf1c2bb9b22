using System.Globalization;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>A balancer in a control group that has less memory than its configuration may take.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MemoryLimitTests : IDisposable
{
    private const int LimitMiB = 384, ObjectBytes = 512 << 10, Objects = 1200; // 600 MiB of them

    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private readonly int _port = SystemProgram.FreePort();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(120_000)]
    public async Task ACacheThatMayTakeMoreThanThereIsStaysWithinIt(CancellationToken cancellationToken)
    {
        using var group = new ControlGroup(LimitMiB);
        string body = new('x', ObjectBytes);
        await using ScriptedOrigin origin = new(async (connection, _, token) =>
        {
            while (true)
            {
                await connection.ReadUntilAsync("\r\n\r\n", token);
                await connection.SendAsync($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {ObjectBytes}\r\n\r\n{body}", token);
            }
        });
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "listeners": { "web": { "address": "127.0.0.1:{{_port}}" } },
              "caches": { "main": { "memoryBytesMax": "8GiB" } },
              "routes": { "all": { "cluster": "app", "cache": {} } },
              "clusters": { "app": { "destinations": { "a": "{{origin.Address}}" } } }
            }
            """, cancellationToken);
        using LbProcess lb = LbProcess.StartInGroup(_directory, group.Path, "run");
        await lb.ErrorLineAsync("Bounds are lower than configured", cancellationToken);
        await lb.LineAsync("Ready.", cancellationToken);
        using var client = new HttpClient();
        for (int i = 0; i < Objects; i++)
            Assert.That(await client.GetByteArrayAsync(new Uri($"http://127.0.0.1:{_port}/{i}"), cancellationToken), Has.Length.EqualTo(ObjectBytes));
        using HttpResponseMessage last = await client.GetAsync(new Uri($"http://127.0.0.1:{_port}/{Objects - 1}"), cancellationToken);
        Assert.That(last.Headers.GetValues("Cache-Status").Single(), Does.Contain("hit"), "what came last is there");
        TestContext.Out.WriteLine($"peak memory: {lb.PeakMemoryBytes() >> 20} MiB of {LimitMiB}");
        Assert.That(lb.PeakMemoryBytes(), Is.LessThan((long)LimitMiB << 20));
    }

    /// <summary>One of version 1 or 2, whichever the system has; without swap where that can be said.</summary>
    private sealed class ControlGroup : IDisposable
    {
        private const string Root = "/sys/fs/cgroup";

        internal ControlGroup(int mebibytes)
        {
            bool isSecond = File.Exists($"{Root}/cgroup.controllers");
            Path = $"{Root}{(isSecond ? "" : "/memory")}/lb-test-{Environment.ProcessId}";
            try
            {
                if (isSecond && !File.ReadAllText($"{Root}/cgroup.subtree_control").Contains("memory", StringComparison.Ordinal)) File.WriteAllText($"{Root}/cgroup.subtree_control", "+memory");
                Directory.CreateDirectory(Path);
                File.WriteAllText($"{Path}/{(isSecond ? "memory.max" : "memory.limit_in_bytes")}", ((long)mebibytes << 20).ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (Directory.Exists(Path)) Directory.Delete(Path);
                Assert.Ignore($"no control group can be made here: {e.Message}");
            }
        }

        internal string Path { get; }

        // Once nobody is in it: the process was ended before.
        public void Dispose()
        {
            while (File.ReadAllText($"{Path}/cgroup.procs").Length > 0) Thread.Yield();
            Directory.Delete(Path);
        }
    }
}
