using System.Diagnostics;
using System.Globalization;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Tracing;

/// <summary>
/// The spans of one request: one for the request, a child of the client's where its traceparent can be believed, and one for each attempt. Only where somebody listens to the source; then it allocates. Loop's
/// thread only: no span is ever the current one of a thread, as many requests take turns on it.
/// </summary>
internal sealed class RequestTrace
{
    /// <summary>Name of the source.</summary>
    internal const string SourceName = "LoadBalancer";

    private const int TraceStateBytesMax = 512; // W3C Trace Context §3.3.1.5: at least so much should be passed on
    private const int TextBytesMax = 1024; // of what a client sends; spans wait in memory until they are sent
    private const string OtherName = "HTTP";

    internal static readonly ActivitySource Source = new(SourceName);
    private static readonly string[] Reasons = Enum.GetNames<EndReason>(), Causes = Enum.GetNames<AttemptCause>();

    private readonly Activity _request;
    private readonly byte _moreFlags;

    private RequestTrace(Activity request, bool isContinued, byte moreFlags)
    {
        _request = request;
        IsContinued = isContinued;
        _moreFlags = moreFlags;
    }

    /// <summary>Whether it goes on with the trace that the client has sent: then the client's tracestate goes on too.</summary>
    internal bool IsContinued { get; }

    /// <summary>The attempt under way; null before the first.</summary>
    internal Activity? Attempt { get; set; }

    /// <summary>Begins the trace of a request whose head is there; null where nobody wants one.</summary>
    internal static RequestTrace? Begin(Exchange exchange, bool hasHead)
    {
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        ReadOnlySpan<byte> given = hasHead ? TraceParent.Of(exchange.Request, bytes) : default;
        ActivityContext parent = default;
        byte moreFlags = 0;
        if (!given.IsEmpty)
        {
            byte flags = TraceParent.FlagsOf(given);
            moreFlags = (byte)(flags & TraceParent.RandomFlag);
            parent = new ActivityContext(
                ActivityTraceId.CreateFromUtf8String(given.Slice(TraceParent.TraceIdStart, TraceParent.TraceIdLength)),
                ActivitySpanId.CreateFromUtf8String(given.Slice(TraceParent.SpanIdStart, TraceParent.SpanIdLength)),
                (ActivityTraceFlags)(flags & 1), TraceStateOf(exchange.Request, bytes), isRemote: true);
        }
        // Without a parent of its own the source would take the current activity of whoever runs this thread: there is none, but for an embedder's mistake.
        Activity.Current = null;
        Activity? request = Source.StartActivity(hasHead ? NameOf(exchange) : OtherName, ActivityKind.Server, parent, startTime: exchange.Context.Loop.Time.GetUtcNow());
        Activity.Current = null;
        if (request is null) return null;
        Span<byte> id = stackalloc byte[16], text = stackalloc byte[32];
        request.TraceId.CopyTo(id);
        Convert.TryToHexStringLower(id, text, out _);
        exchange.Record.SetTraceId(text);
        return new RequestTrace(request, !given.IsEmpty, moreFlags);
    }

    /// <summary>Begins the span of an attempt, which becomes the destination's parent.</summary>
    internal Activity? BeginAttempt(Exchange exchange, string destination, AttemptCause cause, int number)
    {
        Activity? attempt = Source.StartActivity(_request.DisplayName, ActivityKind.Client, _request.Context, startTime: exchange.Context.Loop.Time.GetUtcNow());
        Activity.Current = null;
        if (attempt is { IsAllDataRequested: true })
        {
            attempt.SetTag("http.request.method", MethodOf(_request.DisplayName));
            attempt.SetTag("lb.cluster", exchange.Cluster!.Name);
            attempt.SetTag("lb.destination", destination);
            attempt.SetTag("lb.attempt.cause", Causes[(int)cause]);
            if (number > 0) attempt.SetTag("http.request.resend_count", number);
        }
        return attempt;
    }

    /// <summary>Ends the span of an attempt.</summary>
    internal static void EndAttempt(Activity? attempt, EndReason reason, int status, bool reused, in PickOutcome outcome, DateTimeOffset now)
    {
        if (attempt is null) return;
        if (attempt.IsAllDataRequested)
        {
            if (status != 0) attempt.SetTag("http.response.status_code", status);
            attempt.SetTag("lb.connection.reused", reused);
            SetEnd(attempt, reason, status, isServer: false);
        }
        Stop(attempt, now);
    }

    /// <summary>Writes the line for the destination.</summary>
    internal void Append(ref HeadBuffer head) => TraceParent.Append(ref head, Attempt ?? _request, _moreFlags);

    /// <summary>Ends the request's span with what its record says.</summary>
    internal void End(Exchange exchange)
    {
        CompletionRecord record = exchange.Record;
        if (_request.IsAllDataRequested)
        {
            string method = _request.DisplayName;
            _request.SetTag("http.request.method", MethodOf(method));
            _request.SetTag("url.scheme", exchange.Client.IsEncrypted ? "https" : "http");
            RequestHead request = exchange.Request;
            if (request.Length > 0 && record.HttpMinorVersion >= 0)
            {
                // Not the query: it may have secrets.
                ReadOnlySpan<byte> path = exchange.Path;
                _request.SetTag("url.path", Encoding.Latin1.GetString(path.Length > TextBytesMax ? path[..TextBytesMax] : path));
                _request.SetTag("network.protocol.version", record.HttpMinorVersion == 0 ? "1.0" : "1.1");
            }
            if (record.UserAgent.Length is > 0 and <= TextBytesMax) _request.SetTag("user_agent.original", Encoding.Latin1.GetString(record.UserAgent.Span));
            _request.SetTag("client.address", (record.ForwardedClient != default ? record.ForwardedClient : record.Client).ToString());
            if (exchange.Route is { } route)
            {
                _request.SetTag("http.route", route.Config.Path);
                _request.SetTag("lb.route", route.Name);
                _request.DisplayName = $"{method} {route.Config.Path}";
            }
            if (record.Cluster is not null) _request.SetTag("lb.cluster", record.Cluster);
            _request.SetTag("lb.listener", record.Listener);
            if (!record.RequestId.IsEmpty) _request.SetTag("lb.request.id", Encoding.ASCII.GetString(record.RequestId.Span));
            if (record.Status != 0) _request.SetTag("http.response.status_code", record.Status);
            SetEnd(_request, record.Reason, record.Status, isServer: true);
        }
        Stop(_request, exchange.Context.Loop.Time.GetUtcNow());
    }

    // Semantic conventions for HTTP: of a server's span 4xx are its client's doing, of a client's span they are errors.
    private static void SetEnd(Activity span, EndReason reason, int status, bool isServer)
    {
        span.SetTag("lb.end", reason == EndReason.None ? "Cancelled" : Reasons[(int)reason]);
        bool isInOrder = reason is EndReason.None or EndReason.Completed or EndReason.Cached or EndReason.Responded or EndReason.TunnelClosed or EndReason.TunnelIdle;
        if (isInOrder ? status < (isServer ? 500 : 400) : isServer && status is >= 400 and < 500) return;
        span.SetTag("error.type", isInOrder ? status.ToString(CultureInfo.InvariantCulture) : Reasons[(int)reason]);
        span.SetStatus(ActivityStatusCode.Error);
    }

    private static void Stop(Activity span, DateTimeOffset now)
    {
        span.SetEndTime(now.UtcDateTime);
        span.Stop();
        Activity.Current = null;
    }

    // A method that nobody knows would make a name of its own each time. The conventions have "HTTP" for it in names, and "_OTHER" as the method.
    private static string NameOf(Exchange exchange) => exchange.Request.Method == RequestMethod.Other ? OtherName
        : Policies.MethodNames.Get(exchange.Head.Span.Slice(exchange.Request.MethodStart, exchange.Request.MethodLength));

    private static string MethodOf(string name) => name == OtherName ? "_OTHER" : name;

    // Several lines are one list (§3.3.1). One that is too long is left out where it is looked at; it is passed on all the same.
    private static string? TraceStateOf(RequestHead request, ReadOnlySpan<byte> bytes)
    {
        string? state = null;
        for (int i = request.IndexOf(KnownField.TraceState); i >= 0 && i < request.FieldCount; i++)
        {
            if (request.Fields[i].Known != KnownField.TraceState) continue;
            string text = Encoding.Latin1.GetString(request.ValueOf(i, bytes));
            state = state is null ? text : $"{state},{text}";
            if (state.Length > TraceStateBytesMax) return null;
        }
        return state;
    }
}
