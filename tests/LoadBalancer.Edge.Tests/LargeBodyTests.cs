using System.Diagnostics;
using System.Globalization;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>Bodies beyond 2 GiB from and to curl: every byte arrives, and the process needs no more memory than for small ones.</summary>
[TestFixture("epoll")]
[TestFixture("sockets")]
[Category("Slow")]
[NonParallelizable]
[CancelAfter(300_000)]
public sealed class LargeBodyTests(string transport)
{
    private const long Length = int.MaxValue + 54_321L; // no int holds it
    private const long GrowthBytesMax = 32 * 1024 * 1024; // buffers are some hundred KiB; the rest is code compiled meanwhile and what the collector leaves

    private string _directory = "";

    [SetUp]
    public void MakeDirectory()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("/proc needs Linux");
        _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;
    }

    [TearDown]
    public void RemoveDirectory()
    {
        if (_directory.Length > 0) Directory.Delete(_directory, recursive: true);
    }

    [TestCase("length")]
    [TestCase("chunked")]
    public async Task ADownloadArrivesWholeInLittleMemory(string framing, CancellationToken cancellationToken)
    {
        string curl = SystemProgram.Require("curl");
        using var origin = new LargeBodyOrigin(Length);
        using LbProcess lb = await StartAsync(origin, cancellationToken);
        string url = await UrlAsync(lb, cancellationToken);
        long before = lb.PeakMemoryBytes();
        using Process process = Start(curl, "--fail", $"{url}/{framing}");
        var check = new LargeBodyCheck();
        byte[] buffer = new byte[256 * 1024];
        while (await process.StandardOutput.BaseStream.ReadAsync(buffer, cancellationToken) is > 0 and var read) check.Add(buffer.AsSpan(0, read));
        await process.WaitForExitAsync(cancellationToken);
        Assert.That(process.ExitCode, Is.Zero, await process.StandardError.ReadToEndAsync(cancellationToken));
        Assert.That((check.Length, check.WrongAt), Is.EqualTo((Length, -1L)));
        AssertGrowth(lb, before);
    }

    [TestCase("length")]
    [TestCase("chunked")]
    public async Task AnUploadArrivesWholeInLittleMemory(string framing, CancellationToken cancellationToken)
    {
        string curl = SystemProgram.Require("curl");
        using var origin = new LargeBodyOrigin(Length);
        using LbProcess lb = await StartAsync(origin, cancellationToken);
        string url = await UrlAsync(lb, cancellationToken);
        long before = lb.PeakMemoryBytes();
        // Without a size of its own curl sends chunks, unless the field is taken away.
        string[] fields = framing == "chunked" ? [] : ["-H", "Transfer-Encoding:", "-H", string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Length}")];
        using Process process = Start(curl, ["--fail", "-T", "-", "-H", "Expect:", .. fields, $"{url}/upload"]);
        Stream input = process.StandardInput.BaseStream;
        for (long at = 0; at < Length;)
        {
            ReadOnlyMemory<byte> part = LargeBody.From(at);
            part = part[..(int)Math.Min(part.Length, Length - at)];
            await input.WriteAsync(part, cancellationToken);
            at += part.Length;
        }
        process.StandardInput.Close();
        string answer = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        Assert.That((process.ExitCode, answer), Is.EqualTo((0, LargeBodyOrigin.Verdict(Length))), await process.StandardError.ReadToEndAsync(cancellationToken));
        AssertGrowth(lb, before);
    }

    private static void AssertGrowth(LbProcess lb, long before)
    {
        long after = lb.PeakMemoryBytes();
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak memory: {before / 1048576.0:f1} MiB before, {after / 1048576.0:f1} MiB after"));
        Assert.That(after - before, Is.LessThan(GrowthBytesMax));
    }

    private async Task<LbProcess> StartAsync(LargeBodyOrigin origin, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "transport": { "kind": "{{transport}}" },
              "listeners": { "web": { "address": "127.0.0.1:0" } },
              "routes": { "all": { "cluster": "o" } },
              "clusters": { "o": { "destinations": { "o": "{{origin.Address}}" } } }
            }
            """, cancellationToken);
        return LbProcess.Start(_directory, "run");
    }

    private static async Task<string> UrlAsync(LbProcess lb, CancellationToken cancellationToken)
    {
        string line = await lb.LineAsync("listening", cancellationToken);
        await lb.LineAsync("Ready.", cancellationToken);
        return line[line.IndexOf("http://", StringComparison.Ordinal)..];
    }

    private static Process Start(string curl, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(curl, ["-sS", .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
}
