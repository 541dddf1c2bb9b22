using LoadBalancer.Redis;
using StackExchange.Redis;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>Looks permissions up in Redis, by one connection for all. What is asked while it is away is not asked later. Thread-safe.</summary>
public sealed class RedisPermissions : IPermissionSource, IAsyncDisposable
{
    private readonly RedisLink _link;
    private readonly Lock _finding = new();

    /// <param name="options">Checked here. Only where Redis is counts, and who asks.</param>
    /// <param name="time">By which a connection is tried again. Null for the system's.</param>
    public RedisPermissions(RedisOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _link = new(options, time ?? TimeProvider.System);
    }

    /// <summary>Begins to connect. Does not wait for Redis.</summary>
    public void Start() => Find(out _);

    /// <inheritdoc/>
    public async ValueTask<PermissionAnswer> AskAsync(PermissionQuestion question, CancellationToken token)
    {
        try
        {
            IDatabase? database = Find(out string? problem);
            if (database is null && problem is null)
            {
                await _link.WhenTriedAsync().WaitAsync(token).ConfigureAwait(false);
                database = Find(out problem);
            }
            if (database is null) return new(false, $"Redis: {problem ?? "no connection yet"}");
            return new(await AskAsync(database, question).WaitAsync(token).ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            return new(false, $"Redis: {RedisLink.ProblemOf(e)}");
        }
    }

    private static async Task<bool> AskAsync(IDatabase database, PermissionQuestion question)
    {
        if (question.Member is { } member) return await database.SetContainsAsync(question.Key, member).ConfigureAwait(false);
        if (question.Values.Count == 0) return await database.KeyExistsAsync(question.Key).ConfigureAwait(false);
        string? value = await database.StringGetAsync(question.Key).ConfigureAwait(false);
        return value is not null && question.Values.Contains(value);
    }

    private IDatabase? Find(out string? problem)
    {
        lock (_finding) return _link.Find(out problem);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _link.DisposeAsync();
}
