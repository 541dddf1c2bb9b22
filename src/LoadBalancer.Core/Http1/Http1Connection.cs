using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Tracing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Http1;

/// <summary>
/// A client's connection: reads request after request, has each answered, and ends in the way that tells the client the truth.
/// Lives on its loop's thread. Its timer guards the reading direction; answering is guarded by <see cref="Exchange"/>.
/// </summary>
internal sealed class Http1Connection : ClientConnection, IConnectionObserver
{
    private enum Phase : byte { None, Idle, Head, Body, UpstreamWrite, Linger }

    private const long LingerMilliseconds = 2_000;
    private const long LingerBytesMax = 1 << 20;
    private const long NewConnectionDrainMilliseconds = 500;
    private const int NotGuarded = -1;

    private readonly double _jitter; // ±10 %, so that clients that came together do not reconnect together
    private readonly long _startedAt;
    private long _requestsMax;
    private long _closeAt;
    private Phase _phase;
    private long _requests;
    private Exchange? _exchange;
    private byte[]? _forwardedLines;
    private int _guardVersion; // by which the client's address was looked at last
    private bool _isLeaving; // takes no further request, but for the first where it may still come

    /// <summary>Kept connections to destinations that are this client's alone.</summary>
    internal ClientUpstreams Upstreams;

    internal Http1Connection(LoopContext context, ListenerSnapshot listener, TransportConnection transport) : base(context, listener, transport)
    {
        Remote = transport.Remote;
        _jitter = 0.9 + 0.2 * context.Random.NextDouble();
        _startedAt = context.Loop.NowMilliseconds;
        GoBy(listener);
    }

    internal PeerAddress Remote { get; }

    internal bool IsEncrypted => Transport.IsEncrypted;

    /// <summary>Whether the peer's forwarding fields are believed.</summary>
    internal bool IsTrusted { get; private set; }

    /// <summary>Whether what the peer itself says about certificates of clients is dropped.</summary>
    internal bool OwnsCertificateFields { get; private set; }

    /// <summary>The lines about the client's verified certificate; empty for none.</summary>
    internal byte[] CertificateLines { get; private set; } = [];

    /// <summary>Whether it ends with the request it has.</summary>
    internal bool IsDraining => _isLeaving || Context.IsDraining;

    // One that has just connected may have its request under way: it gets a moment, and its answer.
    private bool IsFirstAwaited => _requests == 0 && (!_isLeaving || IsHolding);

    /// <summary>The lines about the client that are the same for all its requests.</summary>
    internal byte[] ForwardedLines => _forwardedLines ??= RequestHeadWriter.BuildForwardedLines(this);

    internal override void Start()
    {
        base.Start();
        _guardVersion = Admission.GuardVersion;
        Transport.Observer = this;
        FollowListener(); // which may have been replaced since the connection was accepted
        _ = RunAsync(); // ends with the connection; catches everything itself
    }

    private void GoBy(ListenerSnapshot listener)
    {
        Listener = listener;
        IsTrusted = listener.Trusted is { } trusted && trusted.Contains(Remote);
        CertificateLines = Transport.ClientCertificate is { } certificate && listener.Config.Tls?.ClientCertificates is { } clients ? ClientCertificateLines.Build(certificate, clients.Forward) : [];
        OwnsCertificateFields = listener.IsClientCertificateKnown && (!IsTrusted || Transport.ClientCertificate is not null);
        _forwardedLines = null;
        _guardVersion = NotGuarded; // other rules may keep out who it is
        ListenerLimitsConfig limits = listener.Config.Limits;
        _requestsMax = limits.RequestsPerConnectionMax == 0 ? long.MaxValue : Math.Max(1, (long)(limits.RequestsPerConnectionMax * _jitter));
        _closeAt = limits.ConnectionAgeMax == TimeSpan.Zero ? long.MaxValue : _startedAt + (long)(limits.ConnectionAgeMax.TotalMilliseconds * _jitter);
    }

    // A listener that is gone, or for something else by now, is none for this connection: it gets its first answer by the one that there was.
    private void FollowListener()
    {
        ListenerSnapshot? current = Listener.State.Current;
        if (current == Listener || _isLeaving) return;
        if (current is not null && current.Tcp is null && IsSecuredAlike(current.Tls?.Config, Listener.Tls?.Config))
        {
            GoBy(current);
            return;
        }
        _isLeaving = true;
        if (_requests == 0 && current is null) TryHold();
    }

    // What was asked of the client when it connected is what is asked of clients now.
    private static bool IsSecuredAlike(TlsConfig? one, TlsConfig? other) =>
        one is null == other is null && one?.ClientCertificates == other?.ClientCertificates && one?.Policy == other?.Policy;

    internal override void OnListenersReplaced()
    {
        if (_exchange is not null) return; // looks for itself when it comes to the next request
        bool wasLeaving = _isLeaving;
        FollowListener();
        if (_isLeaving && !wasLeaving) EndIdle();
    }

    internal override ConnectionView Describe()
    {
        if (_exchange is not { } exchange)
            return Describe(_phase == Phase.Linger ? ConnectionState.Closing : ConnectionState.Idle) with { Requests = _requests };
        if (exchange.Record.Target.IsEmpty) return Describe(ConnectionState.ReadingHead) with { Requests = _requests };
        return Describe(StateOf(exchange.Phase)) with
        {
            Requests = _requests,
            Method = Encoding.Latin1.GetString(exchange.Record.Method.Span),
            Target = ShownTarget(exchange.Record.Target.Span),
            Route = exchange.Record.Route,
            Cluster = exchange.Record.Cluster,
            Destination = exchange.Lease.IsActive ? exchange.Destination.Name : exchange.Record.Destination,
            BytesReceived = exchange.Record.RequestBodyBytes,
            BytesSent = exchange.Record.ResponseBodyBytes,
        };
    }

    // Without the query, where tokens are to be found.
    private static string ShownTarget(ReadOnlySpan<byte> target)
    {
        const int LengthMax = 256;
        int end = target.IndexOf((byte)'?');
        if (end >= 0) target = target[..end];
        return target.Length <= LengthMax ? Encoding.Latin1.GetString(target) : $"{Encoding.Latin1.GetString(target[..(LengthMax - 1)])}…";
    }

    private async Task RunAsync()
    {
        bool linger = false;
        TransportReader input = Transport.Input;
        try
        {
            // A request on a connection that was kept alive is not awaited once it is to end.
            while (!IsDraining || IsFirstAwaited)
            {
                Arm(Phase.Idle, _isLeaving ? NewConnectionDrainMilliseconds : Listener.KeepAliveMilliseconds);
                if (await input.FillAsync() || input.IsEmpty)
                {
                    // Idle for too long, draining, or gone: nobody is owed an answer.
                    linger = !input.IsEmpty;
                    break;
                }
                Exchange exchange = Context.LeaseExchange();
                _exchange = exchange;
                exchange.Begin(this);
                LetGo(); // it holds the configuration by itself
                bool isCanceled = false;
                ParseStatus status = exchange.Request.Parse(input.Bytes.Span, Listener.HeadLimits);
                if (status == ParseStatus.NeedMore)
                {
                    Arm(Phase.Head, Listener.HeadMilliseconds);
                    while (status == ParseStatus.NeedMore && !input.IsEnded)
                    {
                        input.Consume(0, needsMore: true);
                        isCanceled = await input.FillAsync();
                        if (isCanceled) break;
                        status = exchange.Request.Parse(input.Bytes.Span, Listener.HeadLimits);
                    }
                }
                TimerWheel.Cancel(this);
                exchange.Head = input.Bytes;
                exchange.Record.StartTimestamp = Context.Loop.Time.GetTimestamp();
                Listener.RequestIds.Assign(exchange, hasHead: status == ParseStatus.Complete);
                if (RequestTrace.Source.HasListeners()) exchange.Trace = RequestTrace.Begin(exchange, hasHead: status == ParseStatus.Complete);
                if (exchange.Trace is null && status == ParseStatus.Complete && exchange.Request.HasKnown(KnownField.TraceParent)) NoteTrace(exchange);

                bool keepAlive = false;
                if (status == ParseStatus.Complete)
                {
                    _requests++;
                    if (!TryAnswer(exchange, out ValueTask answer))
                    {
                        // The common case waits here and nowhere below: one wait for a request, one for its answer.
                        if (Forwarder.TrySend(exchange))
                        {
                            exchange.Route!.Mirror?.Copy(exchange);
                            await exchange.Upstream!.Transport.Input.FillAsync();
                            answer = Forwarder.AnswerAsync(exchange);
                        }
                        else
                        {
                            answer = Forwarder.ForwardAsync(exchange);
                            exchange.Route!.Mirror?.Copy(exchange);
                        }
                    }
                    if (answer.IsCompletedSuccessfully) answer.GetAwaiter().GetResult();
                    else await answer.ConfigureAwait(false);
                    keepAlive = Finish(exchange);
                }
                else if (status == ParseStatus.Rejected)
                {
                    await Responses.RejectAsync(exchange, EndReason.BadRequest, exchange.Request.Rejection).ConfigureAwait(false);
                }
                else if (isCanceled && exchange.FailReason == EndReason.None)
                {
                    await Responses.ErrorAsync(exchange, 408, EndReason.RequestHeadTimeout).ConfigureAwait(false);
                }
                else
                {
                    exchange.Record.Reason = exchange.FailReason == EndReason.None ? EndReason.ClientAborted : exchange.FailReason;
                }

                if (!keepAlive)
                {
                    // Closing with bytes unread makes the kernel send a reset, which can overtake the answer. Only a client that announced the
                    // end itself has certainly sent nothing more.
                    linger = exchange.Record.Status != 0 && Transport.Fault == TransportFault.None
                        && (!input.IsEmpty || exchange.Request.KeepAlive || !(exchange.IsUploadDone && exchange.Record.Reason is EndReason.Completed or EndReason.TunnelClosed));
                    Complete(exchange);
                    input.Consume(input.Bytes.Length);
                    break;
                }
                Complete(exchange);
                FollowListener();
                linger = IsDraining; // the next request may be under way
            }
            if (linger) await LingerAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            Transport.Abort(); // what was written so far, and whether more is under way, nobody knows now
            if (_exchange is { } exchange)
            {
                await Forwarder.AbandonAsync(exchange).ConfigureAwait(false);
                exchange.Record.Reason = EndReason.InternalError;
                Complete(exchange);
            }
        }
        Upstreams.Close();
        Transport.Close();
        Leave();
    }

    /// <summary>Routes one complete request head. False when it is to be forwarded to the cluster now noted; else the answer is ours, and under way.</summary>
    private bool TryAnswer(Exchange exchange, out ValueTask answer)
    {
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        exchange.NoteRequestLine();
        exchange.Record.HttpMinorVersion = request.MinorVersion;
        exchange.WireHeadLength = request.Length;
        exchange.KeepClientAlive = request.KeepAlive && !IsDraining && _requests < _requestsMax && Context.Loop.NowMilliseconds < _closeAt;

        ReadOnlySpan<byte> rest = bytes[request.Length..];
        if (!request.HasBody) exchange.IsUploadDone = true;
        else if (request.Framing == MessageFraming.ContentLength && request.ContentLength <= rest.Length)
        {
            exchange.IsUploadDone = true;
            exchange.BufferedBody = exchange.Head.Slice(request.Length, (int)request.ContentLength);
            exchange.WireBodyLength = (int)request.ContentLength;
            exchange.Record.RequestBodyBytes = request.ContentLength;
        }

        if (request.Method == RequestMethod.Connect) return Answered(Responses.ConnectRefusedAsync(exchange), out answer);

        // RFC 9110 §7.4. A trusted proxy may have ended the client's TLS.
        if (request.IsHttpsTarget && !IsTrusted && !IsEncrypted) return Answered(Responses.RejectAsync(exchange, EndReason.BadRequest, RejectionReason.UnsecuredHttps), out answer);

        ReadOnlySpan<byte> path = request.PathLength == 0
            ? request.IsServerWide ? "*"u8 : "/"u8
            : bytes.Slice(request.PathStart, request.PathLength);
        if (PathNormalizer.NeedsNormalizing(path))
        {
            exchange.NormalizedLength = PathNormalizer.Normalize(path, exchange.PathBuffer(path.Length + 1));
            if (exchange.NormalizedLength < 0)
                return Answered(Responses.RejectAsync(exchange, EndReason.BadRequest, RejectionReason.BadTarget), out answer);
            path = exchange.NormalizedPath;
        }

        // Before any redirect or route: a redirect for all would lead an authority away from the answer.
        if (Context.Server.Challenges.HasHttp && request.Method is RequestMethod.Get or RequestMethod.Head && Context.Server.Challenges.FindHttp(path) is { } challenge)
            return Answered(Responses.ChallengeAsync(exchange, challenge), out answer);
        if (IsKeptOut(exchange)) return Answered(Responses.ErrorAsync(exchange, 403, exchange.Record.Reason), out answer);
        if (Listener.Rules is { } rules && rules.Find(exchange, path, IsTrusted ? exchange.Record.ForwardedClient : Remote) is { } rule)
            return Answered(Responses.ErrorAsync(exchange, rule.Status, EndReason.RequestBlocked), out answer);
        if (Listener.RedirectsTo is { } secure) return Answered(Responses.ToHttpsAsync(exchange, secure, path), out answer);

        var fields = new RequestFieldLookup(request, bytes);
        RouteSnapshot? route = Listener.Routes.Find(
            bytes.Slice(request.AuthorityStart, request.AuthorityLength), path, bytes.Slice(request.MethodStart, request.MethodLength), ref fields);
        if (route is null) return Answered(Responses.ErrorAsync(exchange, 404, EndReason.NoRoute), out answer);
        exchange.Route = route;
        exchange.Record.Route = route.Name;
        exchange.Record.Policies = route.Config.Policies;
        if (route.BodyLog is { } bodies) exchange.BeginBodyLog(bodies);

        long bodyMax = route.RequestBodyBytesMax >= 0 ? route.RequestBodyBytesMax : Listener.Config.Limits.RequestBodyBytesMax ?? -1;
        exchange.RequestBodyMax = bodyMax;
        if (bodyMax >= 0 && request.Framing == MessageFraming.ContentLength && request.ContentLength > bodyMax)
            return Answered(Responses.ErrorAsync(exchange, 413, EndReason.RequestBodyTooLarge), out answer);

        if (request.Length > route.RequestHeadBytesMax || request.FieldCount > route.RequestHeaderCountMax)
        {
            exchange.Record.Rejection = request.FieldCount > route.RequestHeaderCountMax ? RejectionReason.TooManyFields : RejectionReason.HeadTooLarge;
            return Answered(Responses.ErrorAsync(exchange, 431, EndReason.BadRequest), out answer);
        }
        if (route.RequestBodyMilliseconds > 0) exchange.BodyEndAt = Context.Loop.NowMilliseconds + route.RequestBodyMilliseconds;
        if (route.DeadlineMilliseconds > 0) exchange.DeadlineAt = Context.Loop.NowMilliseconds + route.DeadlineMilliseconds;
        if (route.Limits is { } limits && !limits.TryEnter(exchange, out answer)) return true;
        if (route.Policies is { } policies && exchange.BeginPolicies().TryAnswer(policies, out answer)) return true;
        return TryAnswerRouted(exchange, out answer);
    }

    /// <summary>The same, once the policies of the route have seen the request.</summary>
    internal bool TryAnswerRouted(Exchange exchange, out ValueTask answer)
    {
        RequestHead request = exchange.Request;
        RouteSnapshot route = exchange.Route!;
        if (route.IdentityLimits is { } limits && !limits.TryEnter(exchange, out answer)) return true;

        // RFC 9110 §7.6.2: at zero the recipient answers itself.
        if (request.MaxForwards == 0 && (request.Method is RequestMethod.Trace or RequestMethod.Options))
            return Answered(Responses.FinalRecipientAsync(exchange), out answer);

        ClusterSnapshot? cluster = exchange.Policies?.ChosenCluster ?? route.ClusterFor(Context.Random);
        if (cluster is null)
            return Answered(Responses.RouteAnswerAsync(exchange, exchange.Path), out answer);

        exchange.Cluster = cluster;
        exchange.Record.Cluster = cluster.Name;
        exchange.Record.Balance = cluster.Config.Balance;
        // First: what is stored costs the cluster nothing.
        if (route.Cache is { } cache && exchange.BeginCache().TryAnswer(cache, exchange.Path, out answer)) return true;
        answer = default;
        return cluster.Shedding is { } shedding && !shedding.TryEnter(exchange, route.Config.Priority, out answer);
    }

    /// <summary>Whether the client is kept out by its address; the record says why. A client itself is looked at again where it may have been banned since.</summary>
    private bool IsKeptOut(Exchange exchange)
    {
        SourceGuard guard = Context.Server.Guard;
        PeerAddress client = Remote;
        if (IsTrusted)
        {
            exchange.Record.ForwardedClient = client = exchange.ClientAddress;
            if (!guard.IsUsed(Listener)) return false;
        }
        else
        {
            int version = guard.Version;
            if (version == _guardVersion) return false;
            _guardVersion = version;
        }
        exchange.Record.Reason = guard.Refuse(exchange.Record, Listener, client);
        if (exchange.Record.Reason == EndReason.None) return false;
        exchange.KeepClientAlive &= IsTrusted; // others come through a proxy's connection
        return true;
    }

    private static bool Answered(ValueTask answering, out ValueTask answer)
    {
        answer = answering;
        return true;
    }

    /// <summary>After the answer: writes the record and takes the request out of the buffer. True when the connection goes on.</summary>
    private bool Finish(Exchange exchange)
    {
        // Written first: the record may point into these bytes.
        WriteRecord(exchange);
        // What follows is the next request, which nobody has looked at. Who reads the body has taken the request out before.
        if (!exchange.IsHeadKept) Transport.Input.Consume(exchange.WireHeadLength + exchange.WireBodyLength);
        return exchange.KeepClientAlive && exchange.IsUploadDone && Transport.Fault == TransportFault.None;
    }

    private void WriteRecord(Exchange exchange)
    {
        if (exchange.IsRecorded) return;
        exchange.IsRecorded = true;
        exchange.Limits?.Leave(); // before anybody hears that the request is over
        CompletionRecord record = exchange.Record;
        // A pick that was completed has just read the clock.
        record.TotalTicks = (exchange.EndTimestamp != 0 ? exchange.EndTimestamp : Context.Loop.Time.GetTimestamp()) - record.StartTimestamp;
        exchange.Shedding?.Leave(exchange, record.StartTimestamp + record.TotalTicks);
        Context.Traffic.Note(Listener, exchange.Route, record);
        Context.Server.TrafficMeter.Note(Listener, exchange.Route, record, Context.Loop.Time);
        exchange.Trace?.End(exchange);
        Context.Tell(record);
        if (Context.Server.KeepsRecent) record.KeepText(); // while the bytes that it points to are there
    }

    // The log can be found by it, also where the balancer itself does not trace, or not this request.
    private static void NoteTrace(Exchange exchange)
    {
        ReadOnlySpan<byte> parent = TraceParent.Of(exchange.Request, exchange.Head.Span);
        if (!parent.IsEmpty) exchange.Record.SetTraceId(parent.Slice(TraceParent.TraceIdStart, TraceParent.TraceIdLength));
    }

    private void Complete(Exchange exchange)
    {
        WriteRecord(exchange);
        _exchange = null;
        exchange.End();
        if (Context.Server.KeepsRecent) exchange.Record = Context.Keep(exchange.Cluster, exchange.Record);
        Context.ReturnExchange(exchange);
    }

    /// <summary>Our FIN first, then what the client still sends is read and thrown away, within bounds, until its own.</summary>
    private async ValueTask LingerAsync()
    {
        Transport.Output.Complete();
        Arm(Phase.Linger, LingerMilliseconds);
        long dropped = 0;
        while (dropped < LingerBytesMax)
        {
            bool isCanceled = await Transport.Input.FillAsync();
            int received = Transport.Input.Bytes.Length;
            dropped += received;
            Transport.Input.Consume(received);
            if (isCanceled || Transport.Input.IsEnded) return;
        }
    }

    private void Arm(Phase phase, long milliseconds)
    {
        _phase = phase;
        Context.Loop.Timers.Set(this, Context.Loop.NowMilliseconds + milliseconds);
    }

    internal void ArmBody() => Arm(Phase.Body, Math.Min(Listener.BodyIdleMilliseconds, _exchange!.BodyEndAt - Context.Loop.NowMilliseconds));

    internal void ArmUpstreamWrite(long milliseconds) => Arm(Phase.UpstreamWrite, milliseconds);

    internal void Disarm()
    {
        _phase = Phase.None;
        TimerWheel.Cancel(this);
    }

    protected internal override void OnTimeout()
    {
        switch (_phase)
        {
            case Phase.Idle or Phase.Head or Phase.Linger:
                Transport.Input.CancelPendingRead();
                break;
            case Phase.Body:
                _exchange?.Fail(EndReason.RequestBodyTimeout);
                Transport.Input.CancelPendingRead();
                break;
            case Phase.UpstreamWrite when _exchange is { Upstream: { } upstream } exchange:
                // Not while it takes some of what was sent at once.
                long left = upstream.Transport.Output.LastSentAt + exchange.Cluster!.IdleMilliseconds - Context.Loop.NowMilliseconds;
                if (left > 0) Arm(Phase.UpstreamWrite, left);
                else exchange.Fail(EndReason.UpstreamIdleTimeout);
                break;
        }
    }

    /// <summary>The client's connection broke, or said more, while its request is being answered.</summary>
    public void OnConnectionEvent(bool readable, bool broken)
    {
        if (broken && _exchange is { } exchange) exchange.Fail(EndReason.ClientAborted);
    }

    internal override void OnDrain()
    {
        if (_exchange is null) EndIdle(); // else it ends with its answer
    }

    private void EndIdle()
    {
        if (_phase != Phase.Idle) return; // has not begun, or has got its answer
        if (IsFirstAwaited) Arm(Phase.Idle, NewConnectionDrainMilliseconds);
        else Transport.Input.CancelPendingRead();
    }

    internal override void Fail(EndReason reason)
    {
        _exchange?.Fail(reason);
        Transport.Abort();
    }
}

/// <summary>Header access for routing.</summary>
internal readonly ref struct RequestFieldLookup(RequestHead head, ReadOnlySpan<byte> bytes) : IFieldLookup
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value)
    {
        for (int i = 0; i < head.FieldCount; i++)
        {
            ref FieldLine field = ref head.Fields[i];
            if (field.NameLength != lowerCaseName.Length || !System.Text.Ascii.EqualsIgnoreCase(_bytes.Slice(field.NameStart, field.NameLength), lowerCaseName)) continue;
            value = _bytes.Slice(field.ValueStart, field.ValueLength);
            return true;
        }
        value = default;
        return false;
    }
}
