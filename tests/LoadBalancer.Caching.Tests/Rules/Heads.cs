using System.Globalization;
using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>Parsed heads with their bytes, out of lines of text ('|' separates lines).</summary>
internal sealed class Heads
{
    /// <summary>Sun, 06 Nov 1994 08:49:37 GMT: when tests take place.</summary>
    internal const long Now = 784_111_777_000;

    internal const string NowText = "Sun, 06 Nov 1994 08:49:37 GMT";

    internal RequestHead Request { get; } = new();

    internal byte[] RequestBytes { get; }

    internal ResponseHead Response { get; } = new();

    internal byte[] ResponseBytes { get; }

    internal CachePolicy Policy { get; }

    internal RequestFacts RequestFacts => RequestFacts.Of(Request, RequestBytes);

    internal ResponseFacts ResponseFacts => ResponseFacts.Of(Response, ResponseBytes, Policy);

    internal Heads(string responseLines = "", string requestLines = "", int status = 200, string method = "GET", CachePolicy? policy = null, string target = "/a/b?c=d", string? framing = null)
    {
        Policy = policy ?? CachePolicy.Default;
        RequestBytes = Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: h\r\n{Lines(requestLines)}\r\n");
        framing ??= status is 204 or < 200 ? "" : "Content-Length: 5";
        ResponseBytes = Encoding.Latin1.GetBytes($"HTTP/1.1 {status} Reason\r\n{Lines(framing)}{Lines(responseLines)}\r\n");
        Assert.That(Request.Parse(RequestBytes, HeadLimits.Default), Is.EqualTo(ParseStatus.Complete), $"request: {Request.Rejection}");
        Assert.That(Response.Parse(ResponseBytes, HeadLimits.Default, Request.Method), Is.EqualTo(ParseStatus.Complete), $"response: {Response.Rejection}");
    }

    internal StoreVerdict Verdict => Storability.Decide(RequestFacts, ResponseFacts, Policy);

    internal StoredHead Stored(long requestTime = Now, long responseTime = Now)
    {
        Assert.That(Verdict, Is.EqualTo(StoreVerdict.Storable));
        StoreVerdict verdict = StoredHeadBuilder.Build(Request, RequestBytes, Response, ResponseBytes, ResponseFacts, Policy, requestTime, responseTime, 0, out StoredHead? head);
        Assert.That(verdict, Is.EqualTo(StoreVerdict.Storable));
        return head!;
    }

    internal StoredTimes Times(long requestTime = Now, long responseTime = Now) => StoredTimes.Of(ResponseFacts, Policy, requestTime, responseTime);

    internal static string Date(long offsetSeconds) => DateTimeOffset.FromUnixTimeMilliseconds(Now + offsetSeconds * 1000).ToString("R", CultureInfo.InvariantCulture);

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static string Lines(string lines) => lines.Length == 0 ? "" : lines.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n";
}
