using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.AccessLog.Tests;

/// <summary>Records and lines for tests.</summary>
internal static class Records
{
    internal static FakeTimeProvider Clock() => new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

    internal static CompletionRecord Make(byte[]? target = null, int status = 200, string? subject = null)
    {
        var record = new CompletionRecord();
        record.Reset();
        (record.Listener, record.Route, record.Cluster, record.Destination) = ("web", "all", "app", "a");
        record.Client = PeerAddress.FromBytes([192, 0, 2, 1], 4711);
        (record.Method, record.Target) = ("GET"u8.ToArray(), target ?? "/x"u8.ToArray());
        (record.Status, record.Reason, record.Attempts, record.ResponseBodyBytes, record.Subject) = (status, EndReason.Completed, 1, 42, subject);
        record.HttpMinorVersion = 1;
        record.TotalTicks = TimeSpan.FromMilliseconds(3).Ticks;
        return record;
    }

    internal static string Line(AccessLogConfig config, CompletionRecord record)
    {
        byte[] buffer = new byte[64 << 10];
        var line = new LineWriter(buffer);
        new LineFormatter(config, Clock()).Write(ref line, record);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(buffer, 0, line.Length);
    }
}
