using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Timers;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>
/// A policy's own request to a cluster. Its timer guards the whole of it. Tried again once where a kept connection turns out to be closed, and nothing had come on it. On one
/// loop's thread.
/// </summary>
internal sealed class ClusterCall(LoopContext context) : LoopTimer
{
    private const int HeadBytesMore = 512;

    // On the loop's thread whoever waits goes on at once.
    private readonly TaskCompletionSource<ClusterResponse> _result = new();
    private ClusterSnapshot _cluster = null!;
    private ClusterRequest _request = null!;
    private Http1Connection _client = null!;
    private Attempt? _attempt;

    internal bool IsOver => _result.Task.IsCompleted;

    internal ValueTask<ClusterResponse> SendAsync(ClusterSnapshot cluster, ClusterRequest request, Http1Connection client)
    {
        Check(request);
        (_cluster, _request, _client) = (cluster, request, client);
        context.Loop.Timers.Set(this, context.Loop.NowMilliseconds + (long)request.Timeout.TotalMilliseconds);
        Start(isFresh: false);
        return new(_result.Task);
    }

    /// <summary>Nobody waits for it any more.</summary>
    internal void Cut(EndReason reason)
    {
        if (!IsOver) _attempt?.Cut(reason);
    }

    protected internal override void OnTimeout() => Cut(EndReason.DeadlineExceeded);

    private static void Check(ClusterRequest request)
    {
        if (!HttpSyntax.IsToken(request.Method) || request.Method is "CONNECT" or "TRACE") throw new ArgumentException($"{CharacterText.Quote(request.Method)} is no method that a policy can send");
        byte[] target = Encoding.UTF8.GetBytes(request.Target);
        if (target.Length == 0 || target[0] != '/' || target.AsSpan().ContainsAnyExcept(Syntax.Target)) throw new ArgumentException($"{CharacterText.Quote(request.Target)} is no target; expected \"/\", a path and perhaps a query");
        if (request.Timeout <= TimeSpan.Zero) throw new ArgumentException("the time-out must be above 0");
    }

    private void Start(bool isFresh)
    {
        PickLease lease = _cluster.Scheduler.Pick(new PickContext(context.Loop.Time.GetTimestamp(), 0, 0));
        if (!lease.IsActive)
        {
            End(new(_cluster.HasDestination ? EndReason.UpstreamOverloaded : EndReason.NoDestination));
            return;
        }
        _attempt = new Attempt(this, context, isFresh);
        _attempt.Send(lease);
    }

    private void End(ClusterResponse response)
    {
        context.Loop.Timers.Remove(this);
        _attempt = null;
        _result.TrySetResult(response);
    }

    /// <summary>One try.</summary>
    private sealed class Attempt : DetachedRequest
    {
        private readonly ClusterCall _call;
        private readonly CollectingWriter _body;
        private HeaderFields? _fields;

        internal Attempt(ClusterCall call, LoopContext context, bool isFresh)
            : base(context)
        {
            _call = call;
            _body = new CollectingWriter(context.Server.BodyMemory);
            NeedsFreshConnection = isFresh;
        }

        private protected override long BodyBytesMax => long.MaxValue; // the writer has its own

        private protected override Transport.TransportWriter Sink => _body;

        private protected override ReadOnlyMemory<byte> Tail => _call._request.Body;

        internal void Send(PickLease lease)
        {
            ClusterRequest request = _call._request;
            _body.Begin(request.ResponseBytesMax);
            int sizeMax = request.Method.Length + Encoding.UTF8.GetByteCount(request.Target) + request.Fields.WrittenBytesMax + (_call._cluster.HostOverride?.Length ?? 0) + HeadBytesMore;
            RequestMethod method = request.Method switch { "GET" => RequestMethod.Get, "HEAD" => RequestMethod.Head, _ => RequestMethod.Post };
            if (!TryBeginFill(_call._cluster, lease, _call._client, method, sizeMax, out Span<byte> output))
            {
                _call.End(new(EndReason.PolicyFailed));
                return;
            }
            EndFill(Write(request, output));
            Context.Detached.Add(this);
            Run();
        }

        private int Write(ClusterRequest request, Span<byte> output)
        {
            var head = new HeadBuffer(output);
            head.Advance(Encoding.ASCII.GetBytes(request.Method, head.Free));
            head.Append((byte)' ');
            head.Advance(Encoding.UTF8.GetBytes(request.Target, head.Free));
            head.Append(" HTTP/1.1\r\n"u8);
            if (request.Fields.IndexOf("host"u8) < 0)
            {
                head.Append("Host: "u8);
                head.Append(_call._cluster.HostOverride ?? Destination.HostValue);
                head.Append("\r\n"u8);
            }
            head.Advance(request.Fields.Write(head.Free));
            if (request.Body.Length > 0 || request.Method is "POST" or "PUT" or "PATCH")
            {
                head.Append("Content-Length: "u8);
                head.AppendNumber(request.Body.Length);
                head.Append("\r\n"u8);
            }
            head.Append("\r\n"u8);
            return head.Length;
        }

        private protected override bool OnHead()
        {
            if (Response.Framing == MessageFraming.ContentLength && Response.ContentLength > _call._request.ResponseBytesMax) return Failed(EndReason.BadResponseBody);
            _fields = new HeaderFields();
            _fields.Load(Response, Upstream!.Transport.Input.Bytes.Span, PolicyWire.FramingFields);
            return true;
        }

        private protected override void OnEnded(bool isComplete)
        {
            bool isRepeated = !isComplete && !NeedsFreshConnection && WasReused && FirstByteTicks < 0 && Reason is EndReason.UpstreamClosed && _call._request.Method is "GET" or "HEAD" or "PUT" or "DELETE" or "OPTIONS";
            if (isRepeated) _call.Start(isFresh: true);
            else
            {
                ClusterResponse response = isComplete ? new(Response.Status, _fields!, _body.Written.ToArray()) : new(Reason == EndReason.None ? EndReason.UpstreamClosed : Reason);
                _body.Clear();
                _call.End(response);
                return;
            }
            _body.Clear();
        }
    }
}
