using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tracing;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>W3C Trace Context: what is passed on, and the spans. Who listens to a source listens to the whole process, so no other test runs meanwhile.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[NonParallelizable]
[CancelAfter(20_000)]
public sealed partial class TraceContextTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736", SpanId = "00f067aa0ba902b7";

    private static string Request(string lines) => $"GET /a?token=x HTTP/1.1\r\nHost: h\r\n{lines}\r\n";

    [GeneratedRegex("(?mi)^(traceparent|tracestate): ([^\r]*)\r$")]
    private static partial Regex Line();

    private static string[] LinesIn(string head) => [.. Line().Matches(head).Select(match => $"{match.Groups[1].Value.ToLowerInvariant()}: {match.Groups[2].Value}")];

    [TestCase($"traceparent: 00-{TraceId}-{SpanId}-01\r\ntracestate: a=1,b=2\r\n")]
    [TestCase("TraceParent: nonsense\r\ntracestate: a=1\r\ntracestate: b=2\r\n")]
    public async Task NobodyTraces_WhatCameGoesOn(string lines)
    {
        string head = await ForwardedAsync(Request(lines));
        Assert.That(head, Does.Contain($"\r\n{lines}"));
        Assert.That(LinesIn(head), Has.Length.EqualTo(LinesIn(lines).Length));
    }

    [Test]
    public async Task NobodyTraces_TheRecordKnowsTheTrace()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request($"traceparent: 00-{TraceId}-{SpanId}-01\r\n") + Request("traceparent: 00-x\r\n"), Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).TraceId, Is.EqualTo(TraceId));
        Assert.That((await proxy.Completions.NextAsync(Token)).TraceId, Is.Empty);
    }

    [TestCase("01", true)]
    [TestCase("03", true, Description = "level 2: the id is random, which is passed on")]
    [TestCase("00", false)]
    public async Task AValidParentIsContinued_AndItsFlagHeeded(string flags, bool isRecorded)
    {
        using var spans = new Spans();
        string[] lines = LinesIn(await ForwardedAsync(Request($"traceparent: 00-{TraceId}-{SpanId}-{flags}\r\ntracestate: a=1\r\ntracestate: b=2\r\n")));
        Assert.That(lines, Has.Length.EqualTo(3));
        Assert.That(lines[..2], Is.EqualTo(new[] { "tracestate: a=1", "tracestate: b=2" }), "the order stays, and nothing is added");
        Match parent = Regex.Match(lines[2], $"^traceparent: 00-{TraceId}-([0-9a-f]{{16}})-{flags}$");
        Assert.That(parent.Success, Is.True, lines[2]);
        Activity request = await spans.NextAsync(ActivityKind.Server), attempt = await spans.NextAsync(ActivityKind.Client);
        Assert.That((request.ParentSpanId.ToHexString(), request.Recorded), Is.EqualTo((SpanId, isRecorded)));
        Assert.That((attempt.ParentSpanId, attempt.SpanId.ToHexString(), attempt.TraceId), Is.EqualTo((request.SpanId, parent.Groups[1].Value, request.TraceId)));
        Assert.That(request.TraceStateString, Is.EqualTo("a=1,b=2"));
    }

    [TestCase("")]
    [TestCase("traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n")]
    [TestCase("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01\r\n")]
    [TestCase("traceparent: ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")]
    [TestCase("traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\r\n")]
    [TestCase("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x\r\n")]
    [TestCase("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")]
    public async Task WithoutAParentThatCanBeReadATraceBegins_AndNoStateGoesOn(string parent)
    {
        using var spans = new Spans();
        string[] lines = LinesIn(await ForwardedAsync(Request($"{parent}tracestate: a=1\r\n")));
        Assert.That(lines, Has.Length.EqualTo(1));
        Assert.That(lines[0], Does.Match("^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01$").And.Not.Contain(TraceId));
        Assert.That((await spans.NextAsync(ActivityKind.Server)).ParentSpanId, Is.EqualTo(default(ActivitySpanId)));
    }

    [Test]
    public async Task ARequestThatIsNotSampled_IsKnownByTheTraceThatItBrings()
    {
        using var spans = new Spans(ActivitySamplingResult.None);
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request($"traceparent: 00-{TraceId}-{SpanId}-00\r\n"), Token);
        Assert.That(LinesIn(await client.ReadResponseAsync(Token)), Is.EqualTo(new[] { $"traceparent: 00-{TraceId}-{SpanId}-00" }));
        Assert.That((await proxy.Completions.NextAsync(Token)).TraceId, Is.EqualTo(TraceId));
    }

    // OpenTelemetry's conventions for HTTP: what nobody knows is _OTHER, and "HTTP" in names.
    [Test]
    public async Task WhatAClientMakesUpIsBounded()
    {
        using var spans = new Spans();
        string path = "/" + new string('p', 4000);
        await ForwardedAsync($"BREW {path}?token=x HTTP/1.1\r\nHost: h\r\n\r\n");
        Activity request = await spans.NextAsync(ActivityKind.Server), attempt = await spans.NextAsync(ActivityKind.Client);
        Assert.That((request.DisplayName, request.GetTagItem("http.request.method")), Is.EqualTo(("HTTP /**", "_OTHER")));
        Assert.That((attempt.DisplayName, attempt.GetTagItem("http.request.method")), Is.EqualTo(("HTTP", "_OTHER")));
        Assert.That(request.GetTagItem("url.path"), Is.EqualTo(path[..1024]));
    }

    [Test]
    public async Task OfALaterVersionWhatIsKnownCounts()
    {
        using var spans = new Spans();
        Assert.That(LinesIn(await ForwardedAsync(Request($"traceparent: cc-{TraceId}-{SpanId}-01-more\r\n"))).Single(), Does.StartWith($"traceparent: 00-{TraceId}-"));
    }

    [Test]
    public async Task ARetryHasASpanOfItsOwn()
    {
        using var spans = new Spans();
        var heads = new ConcurrentQueue<string>();
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            heads.Enqueue(await c.ReadUntilAsync("\r\n\r\n", t));
            if (number == 1) return;
            await c.SendAsync("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request(""), Token);
        await client.ReadResponseAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Activity first = await spans.NextAsync(ActivityKind.Client), second = await spans.NextAsync(ActivityKind.Client), request = await spans.NextAsync(ActivityKind.Server);
        Assert.That(heads.Select(head => LinesIn(head).Single().Split('-')[2]), Is.EqualTo(new[] { first.SpanId.ToHexString(), second.SpanId.ToHexString() }));
        Assert.That((first.ParentSpanId, second.ParentSpanId), Is.EqualTo((request.SpanId, request.SpanId)));
        Assert.That((first.GetTagItem("error.type"), second.GetTagItem("error.type"), second.GetTagItem("http.request.resend_count"), second.GetTagItem("lb.attempt.cause")), Is.EqualTo(("UpstreamClosed", "503", 1, "Retry")));
        Assert.That((request.DisplayName, request.GetTagItem("url.path"), request.GetTagItem("http.response.status_code"), request.Status), Is.EqualTo(("GET /**", "/a", 503, ActivityStatusCode.Error)));
        Assert.That(request.TagObjects.Select(tag => $"{tag.Value}"), Has.None.Contains("token"), "a query may have secrets");
        Assert.That((completion.TraceId, request.GetTagItem("lb.request.id")), Is.EqualTo((request.TraceId.ToHexString(), completion.RequestId)));
        Assert.That(Activity.Current, Is.Null);
    }

    [Test]
    public async Task EachDestinationOfAHedgeHasItsOwnParent()
    {
        using var spans = new Spans();
        var time = new FakeTimeProvider();
        await using HeldOrigin first = new(), second = new();
        ProxyConfig config = ProxyFixture.Config(Transport, first.Address, second.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "first", Hedge = new() { After = "200ms", PercentMax = 100 } } },
        }, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request(""), Token);
        string one = await first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromMilliseconds(250));
        string two = await second.ArrivedAsync(Token);
        second.Answer(HeldOrigin.Ok("x"));
        await client.ReadResponseAsync(Token);
        await proxy.Completions.NextAsync(Token);
        Activity loser = await spans.NextAsync(ActivityKind.Client), winner = await spans.NextAsync(ActivityKind.Client), request = await spans.NextAsync(ActivityKind.Server);
        Assert.That((LinesIn(one).Single().Split('-')[2], LinesIn(two).Single().Split('-')[2]), Is.EqualTo((loser.SpanId.ToHexString(), winner.SpanId.ToHexString())));
        Assert.That((loser.GetTagItem("lb.end"), winner.GetTagItem("lb.end"), winner.GetTagItem("lb.attempt.cause")), Is.EqualTo(("Cancelled", "Completed", "Hedge")));
        Assert.That((loser.ParentSpanId, winner.ParentSpanId), Is.EqualTo((request.SpanId, request.SpanId)));
    }

    /// <summary>Listens as an SDK with a parent-based sampler does.</summary>
    private sealed class Spans : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly System.Threading.Channels.Channel<Activity> _requests = System.Threading.Channels.Channel.CreateUnbounded<Activity>(), _attempts = System.Threading.Channels.Channel.CreateUnbounded<Activity>();

        /// <param name="otherwise">What becomes of a request whose parent is not recorded.</param>
        internal Spans(ActivitySamplingResult otherwise = ActivitySamplingResult.PropagationData)
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == RequestTrace.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> options) => options.Parent != default && !options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
                    ? otherwise : ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity => (activity.Kind == ActivityKind.Server ? _requests : _attempts).Writer.TryWrite(activity),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        internal async Task<Activity> NextAsync(ActivityKind kind) => await (kind == ActivityKind.Server ? _requests : _attempts).Reader.ReadAsync(Token);

        public void Dispose() => _listener.Dispose();
    }
}
