using System.Diagnostics;
using LoadBalancer.Caching.Storage.Disk;
using static LoadBalancer.Caching.Tests.Storage.DiskFixture;

namespace LoadBalancer.Caching.Tests.Storage;

/// <summary>A process that writes is killed, again and again, in the middle of it: whatever is served then is whole.</summary>
public sealed class DiskKillTests
{
    private const int Rounds = 12;

    [Test, CancelAfter(120_000)]
    public async Task WhatAKilledProcessLeftIsServedWholeOrNotAtAll(CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("lb-kill-").FullName;
        int served = 0, unfinished = 0;
        for (int round = 0; round < Rounds; round++)
        {
            await WriteAndKillAsync(folder, round, cancellation);
            unfinished += Unfinished(folder).Length;
            using DiskStore<TestHead> store = await OpenAsync(Options(folder, bytesMax: 16 * 1024 * 1024));
            for (int key = 0; key < 60; key++)
            {
                if (await store.ReadAsync($"/{key}") is not null) served++;
            }
            await store.DeletedAsync();
            Assert.That(Unfinished(folder), Is.Empty);
            Assert.That(store.GetStatistics().Bytes, Is.LessThanOrEqualTo(16 * 1024 * 1024));
            Assert.That(store.Faults, Is.Zero, "what has its name is whole");
        }
        TestContext.Out.WriteLine($"{served} objects served whole, {unfinished} were unfinished");
        Assert.That(served, Is.GreaterThan(Rounds * 5));
        Directory.Delete(folder, recursive: true);
    }

    private static async Task WriteAndKillAsync(string folder, int round, CancellationToken cancellation)
    {
        using Process child = Process.Start(new ProcessStartInfo("dotnet", [typeof(DiskKillTests).Assembly.Location, "write", folder, $"{round}"]) { RedirectStandardOutput = true })!;
        try
        {
            // Killed after a number of lines of its own, at whatever it is at then: the rest of a round, or the middle of a write.
            for (int line = 0; line < 3 + round * 3; line++) Assert.That(await child.StandardOutput.ReadLineAsync(cancellation), Is.EqualTo("written"));
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync(CancellationToken.None);
        }
    }
}
