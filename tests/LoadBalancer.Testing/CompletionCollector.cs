using System.Text;
using System.Threading.Channels;
using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Testing;

/// <summary>What a test wants to know of a completion record, copied out of it.</summary>
public sealed record Completion(EndReason Reason, int Status, string Method, string Target, string? Route, string? Destination, int Attempts, bool Reused, long RequestBytes, long ResponseBytes)
{
    public string Client { get; init; } = "";

    public string? RefusedBy { get; init; }

    public string? Detail { get; init; }

    public string? Subject { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>>? Fields { get; init; }

    public EndReason DryRunReason { get; init; }

    public string? DryRunPolicy { get; init; }

    public bool IsRetryDenied { get; init; }

    public long QueuedTicks { get; init; }

    public bool IsHedged { get; init; }

    public bool HasHedgeWon { get; init; }

    public string? HedgeLoser { get; init; }

    public CacheOutcome Cache { get; init; }

    public string RequestId { get; init; } = "";

    public string TraceId { get; init; } = "";

    public string Referer { get; init; } = "";

    public string UserAgent { get; init; } = "";

    public int HttpMinorVersion { get; init; }

    public string? Balance { get; init; }

    public LimitOutcome Limit { get; init; }

    public TlsSummary? Tls { get; init; }

    public IReadOnlyList<string>? Policies { get; init; }

    public IReadOnlyList<AttemptRecord> Tries { get; init; } = [];
}

/// <summary>Hands completion records to the test in the order they were written.</summary>
public sealed class CompletionCollector : ICompletionObserver
{
    private readonly Channel<Completion> _records = Channel.CreateUnbounded<Completion>();

    public void OnCompleted(CompletionRecord record) => _records.Writer.TryWrite(new(
        record.Reason, record.Status, Encoding.Latin1.GetString(record.Method.Span), Encoding.Latin1.GetString(record.Target.Span),
        record.Route, record.Destination, record.Attempts, record.ConnectionReused, record.RequestBodyBytes, record.ResponseBodyBytes)
    {
        Client = record.Client.ToString(),
        RefusedBy = record.RefusedBy, Detail = record.Detail, Subject = record.Subject, Fields = record.Fields is { } fields ? [.. fields] : null,
        DryRunReason = record.DryRunReason,
        DryRunPolicy = record.DryRunPolicy,
        IsRetryDenied = record.IsRetryDenied,
        QueuedTicks = record.QueuedTicks,
        IsHedged = record.IsHedged,
        HasHedgeWon = record.HasHedgeWon,
        HedgeLoser = record.HedgeLoser,
        Cache = record.Cache,
        RequestId = Encoding.Latin1.GetString(record.RequestId.Span),
        TraceId = Encoding.Latin1.GetString(record.TraceId.Span),
        Referer = Encoding.Latin1.GetString(record.Referer.Span),
        UserAgent = Encoding.Latin1.GetString(record.UserAgent.Span),
        HttpMinorVersion = record.HttpMinorVersion,
        Balance = record.Balance,
        Limit = record.Limit,
        Tls = record.Tls,
        Policies = record.Policies,
        Tries = [.. record.AttemptRecords],
    });

    public async Task<Completion> NextAsync(CancellationToken token) => await _records.Reader.ReadAsync(token);

    public bool IsEmpty => !_records.Reader.TryPeek(out _);
}
