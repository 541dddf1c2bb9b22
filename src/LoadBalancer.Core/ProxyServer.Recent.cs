using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core;

// The requests that have just ended. Any thread.
public sealed partial class ProxyServer
{
    private const int RecentMax = 500; // for each loop and question: the loop stands still meanwhile, for about a microsecond each
    private static readonly TimeSpan RecentPatience = TimeSpan.FromSeconds(2);

    /// <summary>Makes lines as the access log has them, without its secrets.</summary>
    internal LineFormatter RecentFormatter => Snapshot.RecentFormatter(_time);

    /// <summary>Whether requests that have ended are kept.</summary>
    internal bool KeepsRecent => Snapshot.Config.RecentRequests > 0;

    /// <summary>The requests that have ended last, the newest first; of a loop that hangs none. Thread-safe.</summary>
    /// <param name="cluster">Of one cluster; null for all, and those that came to none.</param>
    /// <param name="id">With that request id or trace id; null for any.</param>
    /// <param name="countMax">At most so many of each loop, up to 500.</param>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public async Task<IReadOnlyList<RecentRequest>> DescribeRecentAsync(string? cluster = null, string? id = null, int countMax = RecentMax)
    {
        ClusterSnapshot? only = cluster is null ? null : Cluster(cluster);
        byte[]? wanted = id is null ? null : Encoding.UTF8.GetBytes(id);
        countMax = Math.Clamp(countMax, 0, RecentMax);
        Task<List<RecentRequest>>[] asked = AskLoops(Volatile.Read(ref _contexts), context => Recent(context, only, wanted, countMax));
        try
        {
            await Task.WhenAll(asked).WaitAsync(RecentPatience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What the others have is told.
        }
        return [.. asked.Where(task => task.IsCompletedSuccessfully).SelectMany(task => task.Result).OrderByDescending(request => request.At)];
    }

    private List<RecentRequest> Recent(LoopContext context, ClusterSnapshot? only, byte[]? id, int countMax)
    {
        var newest = new RecentSelection(countMax, id is null ? null : record => record.RequestId.Span.SequenceEqual(id) || record.TraceId.Span.SequenceEqual(id));
        foreach (ClusterSnapshot one in only is null ? Snapshot.Clusters : [only]) newest.Add(one.Recent[context.Loop.Index]);
        if (only is null) newest.Add(context.RecentUnrouted);
        return newest.Write(RecentFormatter, _time);
    }

    // Each loop answers in turn with what else it does; one that hangs does not.
    private static Task<T>[] AskLoops<T>(LoopContext[] contexts, Func<LoopContext, T> question) => Array.ConvertAll(contexts, context =>
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        context.Loop.Post(new LoopAction(() =>
        {
            try
            {
                answer.SetResult(question(context));
            }
            catch (Exception e)
            {
                answer.SetException(e);
                throw; // the loop tells of it
            }
        }));
        return answer.Task;
    });
}
