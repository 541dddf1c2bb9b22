using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>One response as the route's policies see it: above the wire, like <see cref="RequestContext"/>. One thread at a time.</summary>
public sealed class ResponseContext
{
    private readonly PolicyRun _run;
    private int _status;

    internal ResponseContext(PolicyRun run) => _run = run;

    /// <summary>The request that is answered, as it was sent on.</summary>
    public RequestContext Request => _run.Request;

    /// <summary>Status, 200 to 599. Content does not come or go with it: 204 and 304 cannot be set, nor changed.</summary>
    /// <exception cref="ArgumentException">It cannot be set.</exception>
    public int Status
    {
        get => _status;
        set
        {
            if (value == _status) return;
            if (value is < 200 or > 599) throw new ArgumentException($"{value} is no status of an answer; expected 200 to 599", nameof(value));
            if (IsBodiless(value) || IsBodiless(_status)) throw new ArgumentException("204, 205 and 304 are answers without content: they can be neither set nor changed", nameof(value));
            _status = value;
            IsStatusChanged = true;
        }
    }

    /// <summary>Header fields, without those of framing and connection.</summary>
    public HeaderFields Fields { get; } = new();

    /// <summary>Whether content follows: not for HEAD, 204, 205 and 304.</summary>
    public bool HasBody => _run.HasResponseBody;

    /// <summary>Length of the content where its head says it; of a HEAD or a 304 what a GET would get. -1 where it does not.</summary>
    public long ContentLength => _run.ResponseContentLength;

    /// <summary>The content where a policy has read or set it; null where it streams by.</summary>
    public ReadOnlyMemory<byte>? Body => _run.ResponseBody;

    /// <summary>Whether it is from the cache, and not from a destination.</summary>
    public bool IsFromCache { get; internal set; }

    internal bool IsStatusChanged { get; private set; }

    /// <summary>The whole content, as it was sent where it is compressed. Waits until it has come.</summary>
    /// <param name="bytesMax">Longest content; a longer one ends the request with 500.</param>
    /// <returns>The content, valid until the request is done with. Null where it cannot be had: the request has failed already, whatever the policy does.</returns>
    public ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(int bytesMax) => _run.ReadResponseBodyAsync(bytesMax);

    /// <summary>Gives the response that content, if it has any: a HEAD, 204, 205 or 304 gets none. The bytes must stay as they are until the request is done with.</summary>
    public void SetBody(ReadOnlyMemory<byte> body) => _run.SetResponseBody(body);

    /// <summary>The length of the content that is not there, for a HEAD or a 304, is not known any more: no length is told.</summary>
    public void ForgetContentLength() => _run.ForgetsContentLength = true;

    internal void Begin(ResponseHead head, ReadOnlySpan<byte> bytes, bool isFromCache)
    {
        _status = head.Status;
        IsStatusChanged = false;
        IsFromCache = isFromCache;
        Fields.Load(head, bytes, PolicyWire.FramingFields);
    }

    internal static bool IsBodiless(int status) => status is 204 or 205 or 304;
}
