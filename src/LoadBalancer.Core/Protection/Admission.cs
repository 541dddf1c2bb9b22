using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Protection;

/// <summary>
/// What a connection was let in with: goes with it from stage to stage.
/// </summary>
/// <param name="GuardVersion">The <see cref="SourceGuard.Version"/> by which its address was looked at.</param>
/// <param name="DryRunReason">Why it would have been kept out; none where it would not.</param>
/// <param name="DryRunPolicy">By what.</param>
/// <param name="Sources">Where it is counted by its source; null for nowhere.</param>
/// <param name="Ticket">As what.</param>
internal readonly record struct Admission(int GuardVersion, EndReason DryRunReason, string? DryRunPolicy, SourceLimits? Sources, int Ticket)
{
    /// <summary>Lets a connection in whose client is known; else ends it, the cheapest way for us, with a record.</summary>
    internal static bool TryAdmit(LoopContext context, ListenerSnapshot listener, TransportConnection transport, out Admission admission)
    {
        SourceGuard guard = context.Server.Guard;
        int version = guard.Version; // before the look: what changes meanwhile is looked at again
        admission = new Admission(version, EndReason.None, null, null, 0);
        // Who comes through a trusted proxy is seen with each request.
        if (!guard.IsUsed(listener) && listener.Sources is null || listener.Trusted is { } trusted && trusted.Contains(transport.Remote)) return true;
        CompletionRecord record = context.BeginConnectionRecord(listener, transport.Remote);
        EndReason reason = guard.Refuse(record, listener, transport.Remote);
        int ticket = 0;
        if (reason == EndReason.None && listener.Sources is { } sources) reason = Count(context, sources, record, out ticket);
        if (reason == EndReason.None)
        {
            admission = new Admission(version, record.DryRunReason, record.DryRunPolicy, listener.Sources, ticket);
            return true;
        }
        record.Reason = reason;
        context.Tell(record);
        transport.Abort();
        transport.Close();
        return false;
    }

    private static EndReason Count(LoopContext context, SourceLimits sources, CompletionRecord record, out int ticket)
    {
        EndReason reason = sources.TryEnter(record.Client, record.StartTimestamp, out ticket);
        if (reason == EndReason.None) return reason;
        context.Server.Refusals.Note(record, reason, SourceLimits.Policy, sources.IsDryRun);
        return sources.IsDryRun ? EndReason.None : reason;
    }

    /// <summary>The connection has ended. Called once.</summary>
    internal void Release() => Sources?.Leave(Ticket);

    /// <summary>Tells of a dry run in the record of the connection, or of one of its requests.</summary>
    internal void NoteIn(CompletionRecord record)
    {
        if (DryRunReason != EndReason.None && record.DryRunReason == EndReason.None) (record.DryRunReason, record.DryRunPolicy) = (DryRunReason, DryRunPolicy);
    }
}
