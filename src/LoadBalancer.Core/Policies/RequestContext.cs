using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>
/// One request as its policies see it: above the wire, so without framing, connection and version of HTTP. What they change is what rules, cache, balancing and the destination
/// see. One thread at a time; used again for other requests once the policies and their answers are done with.
/// </summary>
public sealed class RequestContext
{
    private const int LogFieldsMax = 32, LogValueMax = 1024;
    private const int TargetBytesMax = 32 * 1024;

    private readonly PolicyRun _run;
    private byte[] _path = [], _query = [];
    private int _pathLength, _queryLength;
    private string _method = "";
    private string? _pathText;
    private object?[] _states = [];
    private List<KeyValuePair<string, string>>? _logFields;
    private List<(int Policy, EndReason Reason)>? _dryRuns;
    private CancellationTokenSource? _aborted;

    internal RequestContext(PolicyRun run) => _run = run;

    /// <summary>Method, case-sensitive. Setting it: a token other than CONNECT; a HEAD stays what it is, since its answer has no content.</summary>
    /// <exception cref="ArgumentException">It is no method that can be sent.</exception>
    public string Method
    {
        get => _method;
        set
        {
            if (!HttpSyntax.IsToken(value) || value.Length > 32 || value == "CONNECT") throw new ArgumentException($"{CharacterText.Quote(value)} is no method that can be sent", nameof(value));
            if (value == _method) return;
            if (_method == "HEAD" || value == "HEAD") throw new ArgumentException("the method HEAD can be neither set nor changed: what follows its answer depends on it", nameof(value));
            _method = value;
            IsTargetChanged = true;
        }
    }

    /// <summary>
    /// The path in normal form (RFC 3986 §6.2.2), percent-encoded: what routes have matched, and what is forwarded. "/" where there is none, "*" of the server as a whole.
    /// </summary>
    public ReadOnlySpan<byte> Path => _path.AsSpan(0, _pathLength);

    /// <summary><see cref="Path"/> as text.</summary>
    public string PathText => _pathText ??= Encoding.ASCII.GetString(Path);

    /// <summary>The query without its "?", as it was sent; empty where there is none.</summary>
    public ReadOnlySpan<byte> Query => _query.AsSpan(0, _queryLength);

    /// <summary><see cref="Query"/> as text.</summary>
    public string QueryText => Encoding.ASCII.GetString(Query);

    /// <summary>Header fields, without those of framing and connection. "Host" is among them.</summary>
    public HeaderFields Fields { get; } = new();

    /// <summary>Host with port as the client has sent it; empty for an HTTP/1.0 request without.</summary>
    public string Host => Fields.Get("host") ?? "";

    /// <summary>Whether the client's connection is encrypted.</summary>
    public bool IsEncrypted => _run.Client.IsEncrypted;

    /// <summary>Who the request is from, behind trusted proxies too.</summary>
    public PeerAddress ClientAddress => _run.ClientAddress;

    /// <summary>The certificate by which the client has proved who it is; null for none. Valid while the request is.</summary>
    public X509Certificate2? ClientCertificate => _run.ClientCertificate;

    /// <summary>Name of the listener.</summary>
    public string Listener => _run.Client.Listener.Name;

    /// <summary>Name of the route.</summary>
    public string Route => _run.Route.Name;

    /// <summary>Who the request is from, as an earlier policy has verified; null for nobody known. Later policies, keys of limits ("claim:sub") and the log see it.</summary>
    public IClientIdentity? Identity { get; set; }

    /// <summary>
    /// Whether what the destination is sent says who the request is from, though <see cref="Identity"/> is not known: a cache then takes its answer for that client's (RFC 9111 §3.5), as of requests with
    /// Authorization or an identity. Default false.
    /// </summary>
    public bool IsPersonal { get; set; }

    /// <summary>What the policy that runs keeps of this request, from its request hook to its response hook. Null at first.</summary>
    public object? State
    {
        get => _states[_run.Current];
        set => _states[_run.Current] = value;
    }

    /// <summary>Whether the request has content, or may have: none is known to have come yet.</summary>
    public bool HasBody => _run.HasBody;

    /// <summary>Length of the content where it is known before it has come; -1 where it is not.</summary>
    public long ContentLength => _run.ContentLength;

    /// <summary>The content where a policy has read or set it; null where it streams by.</summary>
    public ReadOnlyMemory<byte>? Body => _run.Body;

    /// <summary>Index of the event loop, from 0: what is kept for each loop needs no lock.</summary>
    public int LoopIndex => _run.Loop.Index;

    /// <summary>The clock.</summary>
    public TimeProvider Time => _run.Loop.Time;

    /// <summary>Cancelled when nobody waits for an answer any more: the client has gone, or it took too long. What is asked of others should be given up.</summary>
    public CancellationToken Aborted => (_aborted ??= new()).Token;

    /// <summary>Whether method, path or query were changed.</summary>
    internal bool IsTargetChanged { get; private set; }

    /// <summary>Whether the path is not the one that the route has matched.</summary>
    internal bool IsPathChanged { get; private set; }

    internal IReadOnlyList<KeyValuePair<string, string>>? LogFields => _logFields;

    /// <summary>Sets path and query. The path is brought into normal form.</summary>
    /// <param name="path">Begins with "/"; percent-encoded.</param>
    /// <param name="query">Without "?"; empty for none.</param>
    /// <exception cref="ArgumentException">They are malformed, or too long; nothing has changed.</exception>
    public void SetTarget(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        if (path.IsEmpty || path[0] != '/' || path.ContainsAnyExcept(Syntax.Target) || path.Contains((byte)'?')) throw new ArgumentException($"{Shown(path)} is no path; expected \"/\", and what is no path character percent-encoded", nameof(path));
        if (query.ContainsAnyExcept(Syntax.Target)) throw new ArgumentException($"{Shown(query)} is no query; expected what is no query character percent-encoded", nameof(query));
        if (path.Length + query.Length > TargetBytesMax) throw new ArgumentException($"path and query have at most {TargetBytesMax} bytes", nameof(path));
        byte[] normal = new byte[Math.Max(path.Length, 256)];
        int length = PathNormalizer.Normalize(path, normal);
        if (length < 0) throw new ArgumentException($"{Shown(path)} has a \"%\" that encodes nothing, or NUL", nameof(path));
        if (_query.Length < query.Length) _query = new byte[query.Length];
        query.CopyTo(_query);
        IsPathChanged |= !normal.AsSpan(0, length).SequenceEqual(Path);
        (_path, _pathLength, _queryLength, _pathText) = (normal, length, query.Length, null);
        IsTargetChanged = true;
    }

    /// <inheritdoc cref="SetTarget(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void SetTarget(string path, string query = "")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(query);
        SetTarget(Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes(query));
    }

    /// <summary>
    /// What stands in the path for a variable of the route's template, "id" of "/users/{id}", decoded. Null where the template has no such variable, or the path was changed,
    /// or the value decodes to something with a slash, a backslash or a control character, or to no UTF-8: to the destination that may be another path.
    /// </summary>
    public string? GetPathVariable(string name) => _run.Route.PathVariables.Find(name, _run.RoutedPath);

    /// <summary>Names of the variables of the route's template.</summary>
    public IReadOnlyList<string> PathVariables => _run.Route.PathVariables.Names;

    /// <summary>Sends the request to another cluster than the route says. False when there is no cluster of that name.</summary>
    public bool TryChooseCluster(string cluster) => _run.TryChooseCluster(cluster);

    /// <summary>
    /// The whole content. Waits until it has come; what is longer than may be is refused with 413.
    /// </summary>
    /// <param name="bytesMax">Longest content.</param>
    /// <returns>The content, valid until the request is done with. Null where it cannot be had: the request is refused already, whatever the policy returns.</returns>
    public ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(int bytesMax) => _run.ReadRequestBodyAsync(bytesMax);

    /// <summary>Gives the request that content. The bytes must stay as they are until the request is done with. What the client sends is read to its end and thrown away.</summary>
    public void SetBody(ReadOnlyMemory<byte> body) => _run.SetRequestBody(body);

    /// <summary>Makes a request of its own to a cluster, through its balancing, pools and limits; not repeated, not cached, no policies. Any thread.</summary>
    /// <param name="cluster">Name of the cluster.</param>
    /// <param name="request">The request.</param>
    /// <returns>What became of it; failures are no exceptions.</returns>
    /// <exception cref="ArgumentException">There is no such cluster, or the request is malformed.</exception>
    public ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest request) => _run.SendAsync(cluster, request);

    /// <summary>Notes something for the log: at most 32 fields of 1,024 characters; what is longer is cut, what is more is left out.</summary>
    public void AddLogField(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _logFields ??= [];
        int index = _logFields.FindIndex(field => field.Key == name);
        var added = new KeyValuePair<string, string>(name, value.Length > LogValueMax ? value[..LogValueMax] : value);
        if (index >= 0) _logFields[index] = added;
        else if (_logFields.Count < LogFieldsMax) _logFields.Add(added);
    }

    /// <summary>
    /// Notes that the policy that runs would have refused the request, and lets it go on: it stands in the record and on the meter as of limits with "dryRun". At most
    /// once for each policy.
    /// </summary>
    /// <param name="reason">How it would have ended.</param>
    /// <param name="detail">What the log says of it, as the field "dryRun" with the policy's name; null for nothing.</param>
    public void NoteDryRun(EndReason reason, string? detail = null)
    {
        (_dryRuns ??= []).Add((_run.Current, reason));
        if (detail is not null) AddLogField($"dryRun.{_run.CurrentName}", detail);
    }

    /// <summary>Index of the policy and how the request would have ended, for each that would have refused it; null for none.</summary>
    internal List<(int Policy, EndReason Reason)>? DryRuns => _dryRuns;

    internal void Begin(int policies)
    {
        _dryRuns?.Clear();
        Forwarding.Exchange exchange = _run.Exchange;
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        if (_states.Length < policies) _states = new object?[policies];
        else Array.Clear(_states);
        _logFields?.Clear();
        _aborted = null;
        Identity = null;
        IsPersonal = false;
        IsTargetChanged = IsPathChanged = false;
        _method = MethodNames.Get(bytes.Slice(request.MethodStart, request.MethodLength));
        ReadOnlySpan<byte> path = exchange.Path;
        if (_path.Length < path.Length) _path = new byte[Math.Max(path.Length, 256)];
        path.CopyTo(_path);
        (_pathLength, _pathText) = (path.Length, null);
        ReadOnlySpan<byte> query = request.QueryLength > 0 ? bytes.Slice(request.QueryStart + 1, request.QueryLength - 1) : default;
        if (_query.Length < query.Length) _query = new byte[Math.Max(query.Length, 256)];
        query.CopyTo(_query);
        _queryLength = query.Length;
        // RFC 9112 §3.2.2: the authority of an absolute target goes before Host.
        bool isAbsolute = request.TargetForm == TargetForm.Absolute;
        Fields.Load(request, bytes, PolicyWire.FramingFields | (isAbsolute ? 1u << (int)KnownField.Host : 0));
        if (isAbsolute) Fields.AddLoaded("Host"u8, bytes.Slice(request.AuthorityStart, request.AuthorityLength));
    }

    internal void Abort() => _ = _aborted?.CancelAsync();

    private static string Shown(ReadOnlySpan<byte> text) => CharacterText.Quote(Encoding.Latin1.GetString(text));
}
