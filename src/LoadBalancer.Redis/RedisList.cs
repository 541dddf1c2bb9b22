using System.Text;
using StackExchange.Redis;

namespace LoadBalancer.Redis;

/// <summary>Reads a set of Redis as lines, in their order: a list that several balancers follow, such as what is revoked. One caller at a time.</summary>
/// <param name="options">Where Redis is.</param>
/// <param name="key">Name of the set.</param>
/// <param name="bytesMax">Most bytes of all members.</param>
/// <param name="time">The clock.</param>
public sealed class RedisList(RedisOptions options, string key, int bytesMax, TimeProvider time) : IAsyncDisposable
{
    private const int PageSize = 1000;
    private static readonly TimeSpan ConnectLook = TimeSpan.FromMilliseconds(20);

    private readonly RedisLink _link = new(options, time);

    /// <summary>Reads it; a set that is not there is empty.</summary>
    /// <exception cref="IOException">Redis cannot be had, or the set is too large, or the key is of something else.</exception>
    public async Task<byte[]> FetchAsync(CancellationToken token)
    {
        IDatabase? database;
        while ((database = _link.Find(out string? problem)) is null)
        {
            if (problem is not null) throw new IOException(problem);
            await Task.Delay(ConnectLook, token).ConfigureAwait(false); // the network's time, not the clock's
        }
        try
        {
            var lines = new List<string>();
            long length = 0;
            await foreach (RedisValue member in database.SetScanAsync(key, pageSize: PageSize).WithCancellation(token).ConfigureAwait(false))
            {
                string line = member.ToString();
                length += line.Length + 1;
                if (length > bytesMax) throw new IOException($"the set is larger than {bytesMax} bytes");
                lines.Add(line);
            }
            // While it is scanned a set may show a member twice, and shows them in any order.
            lines.Sort(StringComparer.Ordinal);
            return Encoding.UTF8.GetBytes(string.Join('\n', lines.Distinct(StringComparer.Ordinal)));
        }
        catch (Exception e) when (e is RedisException or RedisTimeoutException)
        {
            throw new IOException(RedisLink.ProblemOf(e), e);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _link.DisposeAsync();
}
