using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Events;

namespace LoadBalancer.Core.Protection;

/// <summary>
/// Where everything that keeps clients out (block lists, limits) says so: in the record of the request or connection, and on the meter "LoadBalancer". Tags are the
/// configuration's names, so their number is bounded by it. Thread-safe; allocates nothing.
/// </summary>
internal sealed class Refusals : IDisposable
{
    private static readonly string[] Names = Enum.GetNames<EndReason>();
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _count;

    internal Refusals(RefusalTally tally)
    {
        Tally = tally;
        _count = _meter.CreateCounter<long>("lb.refusals", "{refusal}", "Requests and connections that a list or limit has refused, or would have without dryRun.");
    }

    /// <summary>What was refused, for people.</summary>
    internal RefusalTally Tally { get; }

    /// <summary>Is told of refusals; null where nobody is banned for them.</summary>
    internal AutoBan? AutoBan { get; set; }

    /// <summary>Notes a refusal.</summary>
    /// <param name="record">Of the request or connection; its listener is noted already.</param>
    /// <param name="reason">How it ends, or would.</param>
    /// <param name="policy">The list or limit, by name.</param>
    /// <param name="isDryRun">Whether it goes on all the same. Of several that would have refused, the record names the first.</param>
    internal void Note(CompletionRecord record, EndReason reason, string policy, bool isDryRun)
    {
        if (!isDryRun)
        {
            record.RefusedBy = policy;
            if (reason != EndReason.SourceBanned) AutoBan?.OnRefused(record, reason, policy);
        }
        else if (record.DryRunReason == EndReason.None) (record.DryRunReason, record.DryRunPolicy) = (reason, policy);
        Tally.Note(record, reason, policy, isDryRun);
        if (!_count.Enabled) return;
        var tags = new TagList { { "listener", record.Listener }, { "reason", NameOf(reason) }, { "policy", policy }, { "dry_run", isDryRun ? "true" : "false" } };
        _count.Add(1, tags);
    }

    public void Dispose()
    {
        _meter.Dispose();
        Tally.Dispose();
    }

    private static string NameOf(EndReason reason) => Names[(int)reason]; // the values are consecutive
}
