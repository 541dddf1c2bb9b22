using System.Globalization;
using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>Asks an HTTP service.</summary>
internal sealed class ServiceLookup : ILookup
{
    // What of an answer is for the client; the rest is between the service and us.
    private static readonly byte[][] AnswerFields =
        [.. new[] { "WWW-Authenticate", "Location", "Set-Cookie", "Content-Type", "Content-Encoding", "Content-Language", "Cache-Control", "Retry-After" }.Select(Encoding.ASCII.GetBytes)];

    private static readonly TimeSpan CacheControlMax = TimeSpan.FromHours(1);
    private const int KeptBodyBytesMax = 16 * 1024;

    private readonly AuthorizationServiceConfig _config;
    private readonly DecisionKeyPart[] _key;
    private readonly byte[][] _requestFields, _responseFields;

    internal ServiceLookup(AuthorizationServiceConfig config)
    {
        _config = config;
        _requestFields = [.. config.RequestHeaders.Select(Encoding.ASCII.GetBytes)];
        _responseFields = [.. config.ResponseHeaders.Select(Encoding.ASCII.GetBytes)];
        _key = config.Cache is null ? [] : [.. config.Cache.Key.Count == 0 ? DecisionKeyPart.AllOf(config.RequestHeaders) : config.Cache.Key.Select(text => DecisionKeyPart.TryParse(text, out DecisionKeyPart? part) ? part : throw new ArgumentException($"\"{text}\" is no part of a key"))];
    }

    public PolicyAnswer? WriteKey(DecisionKey key, RequestContext context)
    {
        foreach (DecisionKeyPart part in _key) part.Add(key, context);
        return null;
    }

    public async ValueTask<LookupOutcome> AskAsync(RequestContext context)
    {
        ClusterResponse response = await context.SendAsync(_config.Cluster, Request(context)).ConfigureAwait(false);
        if (response.Failure != EndReason.None)
            return new(null, $"the service does not answer ({response.Failure})") { IsGivenUp = response.Failure == EndReason.ClientAborted };
        return response.Status switch
        {
            >= 200 and < 300 => new(Permission(response), null),
            // 304 is of a cache that we have not asked for (RFC 9110 §15.4.5).
            (>= 300 and < 500) and not 304 => new(Refusal(response), null),
            _ => new(null, $"the service answers {response.Status}"),
        };
    }

    private ClusterRequest Request(RequestContext context)
    {
        var fields = new HeaderFields();
        foreach (byte[] name in _requestFields)
            for (int i = context.Fields.IndexOf(name); i >= 0; i = context.Fields.IndexOf(name, i + 1)) fields.Append(name, context.Fields.ValueAt(i));
        fields.Set("X-Forwarded-Method", context.Method);
        fields.Set("X-Forwarded-Proto", context.IsEncrypted ? "https" : "http");
        if (context.Fields.TryGet("host"u8, out ReadOnlySpan<byte> host)) fields.Set("X-Forwarded-Host"u8, host);
        ReadOnlySpan<byte> uri = context.Query.IsEmpty ? context.Path : [.. context.Path, (byte)'?', .. context.Query];
        fields.Set("X-Forwarded-Uri"u8, uri);
        Span<byte> address = stackalloc byte[64];
        int length = context.ClientAddress.FormatAddress(address);
        if (length > 0) fields.Set("X-Forwarded-For"u8, address[..length]);
        return new ClusterRequest { Method = _config.Method, Target = _config.Path, Fields = fields, Timeout = _config.Timeout, ResponseBytesMax = _config.BodyBytesMax };
    }

    private Decision Permission(ClusterResponse response)
    {
        var fields = new List<(byte[], byte[])>();
        foreach (byte[] name in _responseFields)
            for (int i = response.Fields.IndexOf(name); i >= 0; i = response.Fields.IndexOf(name, i + 1)) fields.Add((name, response.Fields.ValueAt(i).ToArray()));
        return new Decision { Fields = [.. fields], Lifetime = Lifetime(response, _config.Cache?.For) };
    }

    private Decision Refusal(ClusterResponse response)
    {
        var fields = new HeaderFields();
        foreach (byte[] name in AnswerFields)
            for (int i = response.Fields.IndexOf(name); i >= 0; i = response.Fields.IndexOf(name, i + 1)) fields.Append(name, response.Fields.ValueAt(i));
        // A redirect, to a login mostly, keeps nobody out.
        EndReason reason = response.Status < 400 ? EndReason.Responded : response.Status == 401 ? EndReason.Unauthenticated : EndReason.Forbidden;
        var answer = new PolicyAnswer(response.Status, reason)
        {
            Fields = fields, Body = response.Body, Detail = string.Create(CultureInfo.InvariantCulture, $"the service in cluster {_config.Cluster} answers {response.Status}"),
        };
        // A cookie is for one client; 408, 425 and 429 are of the moment.
        bool isKept = response.Body.Length <= KeptBodyBytesMax && response.Status is not (408 or 425 or 429) && response.Fields.IndexOf("set-cookie"u8) < 0;
        return new Decision { Refusal = answer, Lifetime = isKept ? Lifetime(response, _config.Cache?.DeniedFor) : TimeSpan.Zero };
    }

    private TimeSpan Lifetime(ClusterResponse response, TimeSpan? usual)
    {
        if (usual is not { } lifetime || _config.Cache is not { UseCacheControl: true }) return usual ?? TimeSpan.Zero;
        var control = new CacheControl();
        for (int i = response.Fields.IndexOf("cache-control"u8); i >= 0; i = response.Fields.IndexOf("cache-control"u8, i + 1)) control.Add(response.Fields.ValueAt(i));
        if (control.Has(CacheDirectives.NoStore | CacheDirectives.NoCache)) return TimeSpan.Zero;
        if (control.MaxAge < 0) return lifetime;
        var told = TimeSpan.FromSeconds(control.MaxAge);
        return told < CacheControlMax ? told : CacheControlMax;
    }
}
