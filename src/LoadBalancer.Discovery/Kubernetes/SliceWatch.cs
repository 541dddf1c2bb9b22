using System.Globalization;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Kubernetes;

/// <summary>
/// A copy of the EndpointSlices of one service that follows them: listed, then watched from the version of the list on, and again from the last version known when a watch
/// ends. Where the API server no longer knows that version (410 Gone) they are listed again. Used by one task.
/// </summary>
internal sealed class SliceWatch : IDisposable
{
    /// <summary>Most slices that are kept.</summary>
    internal const int SlicesMax = 1000;

    private const int SlicesAtOnce = 100, AnswerBytesMax = 32 * 1024 * 1024, LineBytesMax = 4 * 1024 * 1024, Gone = 410;

    // How long a watch may take, by chance within these, so that the watches of many do not all begin anew at once. As client-go has it.
    private const int WatchSecondsMin = 300, WatchSecondsMax = 600;
    private static readonly TimeSpan WatchEndMargin = TimeSpan.FromSeconds(30);

    private readonly KubernetesConfig _config;
    private readonly PodEnvironment _pod;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private Dictionary<string, EndpointSlice> _slices = [];
    private ApiClient? _client;
    private JsonLines? _watch;
    private CancellationTokenSource? _watchEnd;
    private string? _version; // null: to be listed
    private bool _isLost; // the last call failed

    internal SliceWatch(KubernetesConfig config, PodEnvironment pod, TimeProvider time, Random random) => (_config, _pod, _time, _random) = (config, pod, time, random);

    /// <summary>By name. Valid until the next <see cref="NextAsync"/>.</summary>
    internal IReadOnlyDictionary<string, EndpointSlice> Slices => _slices;

    /// <summary>Namespace that was asked last.</summary>
    internal string Namespace { get; private set; } = "";

    /// <summary>Ends with true when the slices may be others than before; with false when a watch has ended in order. The next call begins another.</summary>
    /// <exception cref="ApiException">The API server does not tell; the slices stay as they were. The next call tries again.</exception>
    internal async Task<bool> NextAsync(CancellationToken token)
    {
        bool isNew = false;
        try
        {
            if (_watch is null)
            {
                bool isList = _version is null, wasLost = _isLost;
                await (isList ? ListAsync(token) : BeginAsync(token)).ConfigureAwait(false);
                _isLost = false;
                if (isList || wasLost) return true; // that it is well again is news too
            }
            while (!isNew)
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(token, _watchEnd!.Token);
                IReadOnlyList<byte[]> lines;
                try
                {
                    lines = await _watch!.ReadAsync(either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!token.IsCancellationRequested)
                {
                    lines = []; // it should have ended by itself
                }
                if (lines.Count == 0)
                {
                    Close();
                    return false;
                }
                foreach (byte[] line in lines) isNew |= Apply(line);
            }
            return true;
        }
        catch (ApiException e)
        {
            Close();
            // After a lost connection it goes on from the version known; after any other answer nothing is known for sure.
            if (e.Status != 0) _version = null;
            if (isNew) return true; // what came before it is told first; the next call finds out about it
            if (e.Status != Gone)
            {
                _isLost = true;
                throw;
            }
            await ListAsync(token).ConfigureAwait(false);
            return true;
        }
    }

    private async Task ListAsync(CancellationToken token)
    {
        Close();
        (string path, KubernetesAccess access) = Open();
        try
        {
            var slices = new Dictionary<string, EndpointSlice>(StringComparer.Ordinal);
            string? version = null, next = null;
            do
            {
                string page = next is null ? "" : $"&continue={Uri.EscapeDataString(next)}";
                using JsonDocument answer = JsonFields.Parse(await _client!.AskAsync(HttpMethod.Get, $"{path}&limit={SlicesAtOnce}{page}", null, access.Authorization(), AnswerBytesMax, token).ConfigureAwait(false));
                JsonElement metadata = answer.RootElement.Member("metadata") ?? default;
                version = metadata.Text("resourceVersion") ?? throw new ApiException("answered without a resourceVersion; is it the API server of Kubernetes?");
                foreach (JsonElement item in answer.RootElement.Items("items"))
                {
                    if (slices.Count == SlicesMax) throw new ApiException($"the service has more than {SlicesMax} EndpointSlices");
                    if (EndpointSlice.Read(item) is { } slice) slices[slice.Name] = slice;
                }
                next = metadata.Text("continue") is { Length: > 0 } more ? more : null;
            }
            while (next is not null);
            (_slices, _version) = (slices, version);
        }
        finally
        {
            Close();
        }
    }

    private async Task BeginAsync(CancellationToken token)
    {
        (string path, KubernetesAccess access) = Open();
        int seconds = _random.Next(WatchSecondsMin, WatchSecondsMax);
        string query = string.Create(CultureInfo.InvariantCulture, $"{path}&watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={Uri.EscapeDataString(_version!)}");
        _watch = await _client!.WatchAsync(HttpMethod.Get, query, null, access.Authorization(), LineBytesMax, token).ConfigureAwait(false);
        _watchEnd = new CancellationTokenSource(TimeSpan.FromSeconds(seconds) + WatchEndMargin, _time);
    }

    // With the certificates and the token as they are now.
    private (string Path, KubernetesAccess Access) Open()
    {
        KubernetesAccess access = KubernetesAccess.Load(_config, _pod);
        Namespace = _config.Namespace ?? access.Namespace ?? "default";
        _client = new ApiClient(access.Server, access.Tls, _time);
        return ($"apis/discovery.k8s.io/v1/namespaces/{Uri.EscapeDataString(Namespace)}/endpointslices?labelSelector={Uri.EscapeDataString($"kubernetes.io/service-name={_config.Service}")}", access);
    }

    // True when a slice has come, changed or gone.
    private bool Apply(byte[] line)
    {
        using JsonDocument document = JsonFields.Parse(line);
        string? type = document.RootElement.Text("type");
        JsonElement item = document.RootElement.Member("object") ?? throw new ApiException("sent an event without an object");
        if (type == "ERROR") throw new ApiException(ApiException.Short($"the watch ended: {item.Text("message") ?? "no reason given"}"), (int?)item.Number("code") is { } code and > 0 ? code : 500);
        if (item.Member("metadata")?.Text("resourceVersion") is { } version) _version = version;
        if (type is not ("ADDED" or "MODIFIED" or "DELETED")) return false; // BOOKMARK: the version alone
        if (EndpointSlice.Read(item) is not { } slice) return false;
        if (type == "DELETED") return _slices.Remove(slice.Name);
        if (_slices.Count >= SlicesMax && !_slices.ContainsKey(slice.Name)) throw new ApiException($"the service has more than {SlicesMax} EndpointSlices", status: 500); // to be listed again
        _slices[slice.Name] = slice;
        return true;
    }

    private void Close()
    {
        _watch?.Dispose();
        _watch = null;
        _watchEnd?.Dispose();
        _watchEnd = null;
        _client?.Dispose();
        _client = null;
    }

    public void Dispose() => Close();
}
