using System.Text;
using System.Text.Json;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Etcd;

/// <summary>
/// A copy of a range of etcd's keys that follows them: read whole at one revision, then watched from the next on. Whatever ends the watch (the connection, a compaction, a
/// server that is silent) leads to reading whole again, from the next server if need be: what was missed cannot be missing then. Used by one task.
/// </summary>
internal sealed class EtcdRange : IDisposable
{
    private readonly EtcdAccess _access;
    private readonly byte[] _key;
    private readonly byte[]? _end;
    private readonly EtcdBounds _bounds;
    private readonly TimeSpan _silenceMax;
    private readonly TimeProvider _time;
    private Dictionary<string, byte[]?> _keys = [];
    private EtcdSession? _session;
    private JsonLines? _watch;
    private IReadOnlyList<byte[]> _pending = []; // lines of the watch that came with its first
    private int _endpoint;

    /// <param name="access">Where etcd is.</param>
    /// <param name="key">The key, or what the keys begin with.</param>
    /// <param name="isPrefix">Whether all that begin so.</param>
    /// <param name="bounds">How much is kept.</param>
    /// <param name="silenceMax">After so long without a word everything is read again: a server that is cut off from the others tells of no change, and of nothing wrong either.</param>
    /// <param name="time">Of that, and of the time-outs.</param>
    internal EtcdRange(EtcdAccess access, string key, bool isPrefix, EtcdBounds bounds, TimeSpan silenceMax, TimeProvider time)
    {
        (_access, _bounds, _silenceMax, _time) = (access, bounds, silenceMax, time);
        _key = Encoding.UTF8.GetBytes(key);
        if (!isPrefix) return;
        _end = [.. _key];
        _end[^1]++; // UTF-8 has no byte 255
    }

    /// <summary>Values by key, each byte of it a character; null for those that are too large. Valid until the next <see cref="NextAsync"/>.</summary>
    internal IReadOnlyDictionary<string, byte[]?> Keys => _keys;

    /// <summary>A key as it stands in <see cref="Keys"/>.</summary>
    internal static string Text(string key) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether there may be more keys than are kept.</summary>
    internal bool IsFull => _keys.Count >= _bounds.KeysMax;

    /// <summary>Ends when the keys may be others than before; at first when they have been read.</summary>
    /// <exception cref="ApiException">No server of etcd tells; the keys stay as they were. The next call tries again.</exception>
    internal async Task NextAsync(CancellationToken token)
    {
        if (_watch is null)
        {
            await OpenAsync(token).ConfigureAwait(false);
            return;
        }
        try
        {
            while (true)
            {
                IReadOnlyList<byte[]> lines = _pending;
                _pending = [];
                using var silence = new CancellationTokenSource(_silenceMax, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(token, silence.Token);
                try
                {
                    if (lines.Count == 0) lines = await _watch.ReadAsync(either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!token.IsCancellationRequested)
                {
                    await OpenAsync(token).ConfigureAwait(false);
                    return;
                }
                WatchNews news = Apply(lines);
                if (news == WatchNews.Compacted) await OpenAsync(token).ConfigureAwait(false);
                if (news != WatchNews.None) return;
            }
        }
        catch (ApiException e)
        {
            if (_watch is not null) // else every server was asked
            {
                Close();
                string problem = $"{Name(_endpoint)}: the watch ended: {e.Message}";
                _endpoint = (_endpoint + 1) % _access.Endpoints.Count;
                throw new ApiException(problem, inner: e);
            }
            throw;
        }
    }

    private enum WatchNews
    {
        None,
        Changed,
        /// <summary>The watch cannot say what has changed.</summary>
        Compacted,
    }

    private async Task OpenAsync(CancellationToken token)
    {
        Close();
        var problems = new List<string>();
        for (int i = 0; i < _access.Endpoints.Count; i++)
        {
            try
            {
                _session = new EtcdSession(_access, _endpoint, _bounds, _time);
                await _session.AuthenticateAsync(token).ConfigureAwait(false);
                var keys = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
                long revision = await _session.ReadAsync(_key, _end, keys, token).ConfigureAwait(false);
                JsonLines watch = _watch = await _session.WatchAsync(_key, _end, revision + 1, token).ConfigureAwait(false);
                await ExpectAsync(watch, token).ConfigureAwait(false);
                _keys = keys;
                return;
            }
            catch (ApiException e)
            {
                const int ProblemsMax = 3;
                if (problems.Count < ProblemsMax) problems.Add($"{Name(_endpoint)}: {e.Message}");
                Close();
                _endpoint = (_endpoint + 1) % _access.Endpoints.Count;
            }
            catch
            {
                Close();
                throw;
            }
        }
        throw new ApiException(string.Join("; ", problems));
    }

    // A watch that may not be is said to be created and cancelled: nothing is to count as read before that is known.
    private async Task ExpectAsync(JsonLines watch, CancellationToken token)
    {
        using var silence = new CancellationTokenSource(TimeSpan.FromSeconds(10), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, silence.Token);
        try
        {
            IReadOnlyList<byte[]> lines = await watch.ReadAsync(either.Token).ConfigureAwait(false);
            if (lines.Count == 0) throw new ApiException("the watch ended before it began");
            using JsonDocument first = JsonFields.Parse(lines[0]);
            JsonElement result = Result(first.RootElement);
            if (result.Flag("canceled") == true) throw new ApiException(ApiException.Short(result.Text("cancel_reason") ?? "the watch was cancelled"));
            if (result.Flag("created") != true) throw new ApiException("answered a watch with something else");
            _pending = [.. lines.Skip(1)];
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new ApiException("the watch does not begin");
        }
    }

    private WatchNews Apply(IReadOnlyList<byte[]> lines)
    {
        if (lines.Count == 0) throw new ApiException("the connection was closed");
        WatchNews news = WatchNews.None;
        foreach (byte[] line in lines)
        {
            using JsonDocument document = JsonFields.Parse(line);
            JsonElement result = Result(document.RootElement);
            if (result.Flag("canceled") == true)
            {
                // What happened between our revision and that one cannot be told any more.
                if (result.Number("compact_revision") > 0) return WatchNews.Compacted;
                throw new ApiException(ApiException.Short(result.Text("cancel_reason") ?? "it was cancelled"));
            }
            foreach (JsonElement change in result.Items("events"))
            {
                if (change.Member("kv") is not { } entry || entry.Bytes("key") is not { } bytes) throw new ApiException("sent a change without a key");
                string key = Encoding.Latin1.GetString(bytes);
                news = WatchNews.Changed;
                if (change.Text("type") == "DELETE")
                {
                    bool wasFull = IsFull;
                    if (_keys.Remove(key) && wasFull) return WatchNews.Compacted; // there is room for one that was left out: read again
                }
                else if (_keys.ContainsKey(key) || !IsFull) _keys[key] = _session!.ValueOf(entry);
            }
        }
        return news;
    }

    private static JsonElement Result(JsonElement line) =>
        line.Member("result") ?? throw new ApiException(ApiException.Short(line.Member("error")?.Text("message") ?? "sent a line that is no answer to a watch"));

    private string Name(int endpoint) => _access.Endpoints[endpoint].Authority;

    private void Close()
    {
        _watch?.Dispose();
        _watch = null;
        _pending = [];
        _session?.Dispose();
        _session = null;
    }

    public void Dispose() => Close();
}
