using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.AccessLog;

/// <summary>
/// What became of one request, or of one TCP connection: exactly one for each request whose first byte was read, and for each connection of a listener with "tcp". The object is reused:
/// it is valid only during <see cref="ICompletionObserver.OnCompleted"/>. Times are ticks of <see cref="TimeProvider.GetTimestamp"/>.
/// </summary>
public sealed class CompletionRecord
{
    private readonly byte[] _id = new byte[RequestIdRules.BytesMax];
    private readonly byte[] _traceId = new byte[32];
    private byte[]? _text; // made when the record is first kept
    private int _idLength, _traceIdLength;
    private AttemptRecord[] _attempts = new AttemptRecord[2]; // grows to what a request has needed, and is kept

    /// <summary>The most attempts that are told of: the first, every repetition, and a hedge.</summary>
    internal const int AttemptsMax = 16;

    /// <summary>By what the request is found again: the client's id where that is believed, else one made here. Visible ASCII; empty for connections.</summary>
    public ReadOnlyMemory<byte> RequestId => _id.AsMemory(0, _idLength);

    /// <summary>The trace that the request is part of, as 32 hexadecimal digits: its own, or the one that it has brought. Empty for none.</summary>
    public ReadOnlyMemory<byte> TraceId => _traceId.AsMemory(0, _traceIdLength);

    /// <summary>Names of listener, route, cluster and destination; null where the request did not get so far.</summary>
    public string? Listener { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Route { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Cluster { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Destination { get; internal set; }

    /// <summary>The client.</summary>
    public PeerAddress Client { get; internal set; }

    /// <summary>The client of a request by the word of trusted proxies (<see cref="Protection.ClientAddress"/>); the default where no proxy is believed.</summary>
    internal PeerAddress ForwardedClient { get; set; }

    /// <summary>Method as sent; empty when the request line could not be read.</summary>
    public ReadOnlyMemory<byte> Method { get; internal set; }

    /// <summary>Request target as sent (untrusted bytes); empty when it could not be read.</summary>
    public ReadOnlyMemory<byte> Target { get; internal set; }

    /// <summary>Referer and User-Agent as sent (untrusted bytes); empty where there was none.</summary>
    public ReadOnlyMemory<byte> Referer { get; internal set; }

    /// <inheritdoc cref="Referer"/>
    public ReadOnlyMemory<byte> UserAgent { get; internal set; }

    /// <summary>The client's version of HTTP: 0 for 1.0, 1 for 1.1; -1 where no request could be read.</summary>
    public int HttpMinorVersion { get; internal set; }

    /// <summary>What was agreed on with the client by TLS; null for a connection in plain.</summary>
    public TlsSummary? Tls { get; internal set; }

    /// <summary>The balancing policy of <see cref="Cluster"/>.</summary>
    public string? Balance { get; internal set; }

    /// <summary>Names of the policies of <see cref="Route"/>, in their order; null or empty for none.</summary>
    public IReadOnlyList<string>? Policies { get; internal set; }

    /// <summary>What the route's limits have said.</summary>
    public LimitOutcome Limit { get; internal set; }

    /// <summary>Status sent to the client; 0 when none was.</summary>
    public int Status { get; internal set; }

    /// <summary>Why the request ended.</summary>
    public EndReason Reason { get; internal set; }

    /// <summary>The list or limit of the configuration that refused it, by name; null where none did.</summary>
    public string? RefusedBy { get; internal set; }

    /// <summary>How it would have ended at the first list or limit that only says so (dryRun); <see cref="EndReason.None"/> where none would have refused it.</summary>
    public EndReason DryRunReason { get; internal set; }

    /// <summary>The name of that list or limit; null for none.</summary>
    public string? DryRunPolicy { get; internal set; }

    /// <summary>What a policy says of the end, for the log only; null for nothing.</summary>
    public string? Detail { get; internal set; }

    /// <summary>Who the request was from, as a policy has verified; null where nobody is known.</summary>
    public string? Subject { get; internal set; }

    /// <summary>What policies have noted for the log; null for nothing. Names and values are bounded, and not to be trusted.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Fields { get; internal set; }

    /// <summary>What each policy has made of it, in their order; null unless <see cref="ProxyServer.RecordsVerdicts"/>.</summary>
    public IReadOnlyList<Policies.PolicyVerdict>? Verdicts { get; internal set; }

    /// <summary>The parser's finer reason where the request or response was malformed.</summary>
    public Http.RejectionReason Rejection { get; internal set; }

    /// <summary>Body bytes from and to the client, without framing; of a TCP connection all that it carried.</summary>
    public long RequestBodyBytes { get; internal set; }

    /// <inheritdoc cref="RequestBodyBytes"/>
    public long ResponseBodyBytes { get; internal set; }

    /// <summary>Attempts made at destinations, a hedge not counted.</summary>
    public int Attempts { get; internal set; }

    /// <summary>Every attempt in the order of their picks, a hedge too. Empty where no destination was picked.</summary>
    public ReadOnlySpan<AttemptRecord> AttemptRecords => _attempts.AsSpan(0, AttemptRecordCount);

    internal int AttemptRecordCount { get; private set; }

    /// <summary>Whether a further attempt was safe and allowed, but the cluster's retry budget was spent.</summary>
    public bool IsRetryDenied { get; internal set; }

    /// <summary>Whether the request was sent to a second destination while the first was silent.</summary>
    public bool IsHedged { get; internal set; }

    /// <summary>Whether that second destination gave the answer; <see cref="Destination"/> is the one that did.</summary>
    public bool HasHedgeWon { get; internal set; }

    /// <summary>The other of the two destinations; null where the request was not hedged.</summary>
    public string? HedgeLoser { get; internal set; }

    /// <summary>What the route's cache had to do with it.</summary>
    public CacheOutcome Cache { get; internal set; }

    /// <summary>Time spent waiting for a destination that is not at its limit; part of the other times. 0 when it did not wait.</summary>
    public long QueuedTicks { get; internal set; }

    /// <summary>Whether the last attempt used a kept connection.</summary>
    public bool ConnectionReused { get; internal set; }

    /// <summary>When the request head was complete (or given up), or the TCP connection came.</summary>
    public long StartTimestamp { get; internal set; }

    /// <summary>Time to connect in the last attempt; 0 for a kept connection, -1 where it was not reached.</summary>
    public long ConnectTicks { get; internal set; }

    /// <summary>From the start to the first byte of the response, or until a TCP connection stood; -1 where it was not reached.</summary>
    public long FirstByteTicks { get; internal set; }

    /// <summary>From the start to the end.</summary>
    public long TotalTicks { get; internal set; }

    // Hot path: per request. 0 allocations.
    internal void SetId(ReadOnlySpan<byte> id)
    {
        id.CopyTo(_id);
        _idLength = id.Length;
    }

    internal void SetTraceId(ReadOnlySpan<byte> id)
    {
        id.CopyTo(_traceId);
        _traceIdLength = id.Length;
    }

    /// <summary>Whether its route stays out of the access log; whoever else observes is told all the same.</summary>
    public bool IsUnlogged { get; internal set; }

    /// <summary>What of the bodies is to be told; null for nothing.</summary>
    internal BodyLog? Bodies { get; set; }

    /// <summary>The record outlives the request: what it points to is copied, up to a length, or left out.</summary>
    // Hot path: per request. 0 allocations once the record has been kept before.
    internal void KeepText()
    {
        const int MethodMax = 32, TargetMax = 256, OtherMax = 112, FieldsMax = 8;
        _text ??= new byte[MethodMax + TargetMax + 2 * OtherMax];
        int at = 0;
        Method = Keep(Method, MethodMax, ref at);
        Target = Keep(Target, TargetMax, ref at);
        Referer = Keep(Referer, OtherMax, ref at);
        UserAgent = Keep(UserAgent, OtherMax, ref at);
        Bodies = null;
        Verdicts = null;
        if (Fields is { } fields) Fields = [.. fields.Take(FieldsMax)]; // whose list is used again
    }

    private ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> bytes, int lengthMax, ref int at)
    {
        if (bytes.Length > lengthMax) bytes = bytes[..lengthMax];
        bytes.CopyTo(_text.AsMemory(at));
        ReadOnlyMemory<byte> kept = _text.AsMemory(at, bytes.Length);
        at += bytes.Length;
        return kept;
    }

    /// <summary>Room for an id; <see cref="EndId"/> says how much of it was used.</summary>
    internal Span<byte> BeginId() => _id;

    internal void EndId(int length) => _idLength = length;

    /// <summary>Notes an attempt that begins. Its index, or -1 beyond <see cref="AttemptsMax"/>.</summary>
    // Hot path: per attempt. 0 allocations once the list has grown. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    internal int BeginAttempt(string destination, AttemptCause cause, long pickedAt)
    {
        int index = AttemptRecordCount;
        if (index == _attempts.Length)
        {
            if (index == AttemptsMax) return -1;
            Array.Resize(ref _attempts, Math.Min(AttemptsMax, 2 * index));
        }
        AttemptRecordCount++;
        ref AttemptRecord attempt = ref _attempts[index];
        attempt = default;
        attempt.Destination = destination;
        attempt.Cause = cause;
        attempt.StartTicks = pickedAt - StartTimestamp;
        attempt.ConnectTicks = attempt.FirstByteTicks = -1;
        return index;
    }

    /// <summary>Notes how an attempt has ended, the first time only.</summary>
    internal void EndAttempt(int index, EndReason reason, int status, bool reused, in Balancing.PickOutcome outcome)
    {
        if ((uint)index >= (uint)AttemptRecordCount || _attempts[index].TotalTicks != 0) return;
        ref AttemptRecord attempt = ref _attempts[index];
        attempt.Reason = reason;
        attempt.Status = status;
        attempt.ConnectionReused = reused;
        attempt.ConnectTicks = outcome.ConnectTicks;
        attempt.FirstByteTicks = outcome.FirstByteTicks;
        attempt.TotalTicks = Math.Max(1, outcome.TotalTicks);
    }

    internal void Reset()
    {
        _idLength = _traceIdLength = AttemptRecordCount = 0;
        Balance = null;
        IsUnlogged = false;
        Bodies = null;
        Referer = UserAgent = default;
        HttpMinorVersion = -1;
        Tls = null;
        Policies = null;
        Limit = LimitOutcome.None;
        Listener = Route = Cluster = Destination = HedgeLoser = RefusedBy = DryRunPolicy = Detail = Subject = null;
        Fields = null;
        Verdicts = null;
        Method = Target = default;
        ForwardedClient = default;
        Status = 0;
        Reason = DryRunReason = EndReason.None;
        Rejection = Http.RejectionReason.None;
        RequestBodyBytes = ResponseBodyBytes = 0;
        Attempts = 0;
        ConnectionReused = IsRetryDenied = IsHedged = HasHedgeWon = false;
        QueuedTicks = 0;
        Cache = CacheOutcome.None;
        ConnectTicks = FirstByteTicks = -1;
        StartTimestamp = TotalTicks = 0;
    }
}

/// <summary>Receives completion records on the loops' threads: must be thread-safe, quick, and must not keep the record.</summary>
public interface ICompletionObserver
{
    /// <summary>Called once for each request.</summary>
    void OnCompleted(CompletionRecord record);
}
