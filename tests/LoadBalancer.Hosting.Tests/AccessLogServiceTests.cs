using System.Diagnostics.Metrics;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>The access log when the configuration changes.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), NonParallelizable]
public sealed class AccessLogServiceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, Platform("Linux")]
    public async Task AnotherAccessLog_CountsOnAndKeepsTheLines()
    {
        string path = Path.Combine(_directory, "access.log");
        File.CreateSymbolicLink(path, "/dev/full");
        var first = new ProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:0" } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Respond = new() { Body = "x" } } },
            AccessLog = new() { Path = path, Format = AccessLogFormat.Template, Template = "{method} 1" },
        };
        ProxyConfig second = first with { AccessLog = first.AccessLog with { Template = "{method} 2" } }, without = first with { AccessLog = null };
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(new LoggerFactory());
        services.AddLoadBalancer(first);
        await using ServiceProvider provider = services.BuildServiceProvider();
        var service = provider.GetRequiredService<AccessLogService>();
        IConfigFollower follower = service;

        service.Observer!.OnCompleted(Record()); // nowhere to write it to
        await follower.FollowAsync(first, second);
        Assert.That(Dropped(), Is.EqualTo(1), "what was lost while the first one ended");
        File.Delete(path);
        service.Observer!.OnCompleted(Record());
        await follower.FollowAsync(second, without);
        Assert.That(service.Observer, Is.Null);
        await follower.FollowAsync(without, first);
        Assert.That(Dropped(), Is.EqualTo(1));
        service.Observer!.OnCompleted(Record());
        service.Dispose();
        Assert.That(await File.ReadAllTextAsync(path), Is.EqualTo("GET 2\nGET 1\n"));
    }

    private static CompletionRecord Record()
    {
        var record = new CompletionRecord();
        record.Reset();
        record.Method = "GET"u8.ToArray();
        return record;
    }

    private static long Dropped()
    {
        long dropped = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "lb.access_log.dropped") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => dropped += value);
        listener.Start();
        listener.RecordObservableInstruments();
        return dropped;
    }
}
