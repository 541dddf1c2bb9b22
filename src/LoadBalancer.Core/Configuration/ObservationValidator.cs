
namespace LoadBalancer.Core.Configuration;

/// <summary>What <see cref="RequestIdConfig"/>, <see cref="TracingConfig"/> and <see cref="BodyLogConfig"/> must hold.</summary>
internal static class ObservationValidator
{
    private const int NameLengthMax = 64, HeadersMax = 32, ServiceNameLengthMax = 128;

    // What is written by us, or decides how a message is read, cannot be the field of an id.
    private static readonly string[] Taken =
    [
        "authorization", "connection", "content-length", "content-type", "cookie", "date", "expect", "forwarded", "host", "keep-alive", "set-cookie", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "upgrade", "via",
    ];

    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        if (config.RequestId is { } id) RequestId(id, problems);
        if (config.Tracing is { } tracing) Tracing(tracing, problems);
        problems.Range("", "recentRequests", config.RecentRequests, ConfigRanges.RecentRequests);
        foreach ((string name, RouteConfig route) in config.Routes)
        {
            if (route.LogBody is not { } body) continue;
            string path = $"{ConfigPath.Member("routes", name)}.logBody";
            problems.Range(path, "requestBytes", body.RequestBytes, ConfigRanges.LoggedBodyBytes);
            problems.Range(path, "responseBytes", body.ResponseBytes, ConfigRanges.LoggedBodyBytes);
            if (!route.Log) problems.Add(path, "has no effect where \"log\" is false");
            else if (config.AccessLog is null) problems.Add(path, "has no effect without an \"accessLog\"");
            else if (config.AccessLog.Format != AccessLogFormat.Json) problems.Add(path, "has no effect but with the \"json\" format of \"accessLog\"");
            if (route.Cluster is null && route.Split.Count == 0) problems.Add(path, "has no effect on a route that answers itself");
        }
    }

    private static void RequestId(RequestIdConfig id, ProblemList problems)
    {
        if (!HttpSyntax.IsToken(id.Header) || id.Header.Length > NameLengthMax)
            problems.Add("requestId.header", $"{CharacterText.Quote(id.Header)} is no name of a header field; expected one such as \"X-Request-Id\"");
        else if (Taken.Contains(id.Header, StringComparer.OrdinalIgnoreCase) || id.Header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || id.Header.StartsWith("Client-Cert", StringComparison.OrdinalIgnoreCase))
            problems.Add("requestId.header", $"{CharacterText.Quote(id.Header)} has a meaning of its own; expected a name such as \"X-Request-Id\"");
        if (!Enum.IsDefined(id.Accept)) problems.Add("requestId.accept", $"{(int)id.Accept} is none of the choices");
    }

    private static void Tracing(TracingConfig tracing, ProblemList problems)
    {
        if (!Uri.TryCreate(tracing.Endpoint, UriKind.Absolute, out Uri? uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
            problems.Add("tracing.endpoint", $"{CharacterText.Quote(tracing.Endpoint)} is no URL; expected one such as \"http://127.0.0.1:4318/v1/traces\"");
        if (!(tracing.SampleRatio >= 0 && tracing.SampleRatio <= 1)) problems.Add("tracing.sampleRatio", "is out of range; expected 0 to 1");
        if (tracing.ServiceName.Length is 0 or > ServiceNameLengthMax) problems.Add("tracing.serviceName", $"has {tracing.ServiceName.Length} characters; expected 1 to {ServiceNameLengthMax}");
        if (tracing.Headers.Count > HeadersMax) problems.Add("tracing.headers", $"has {tracing.Headers.Count} fields; expected at most {HeadersMax}");
        foreach ((string name, string value) in tracing.Headers)
        {
            string path = ConfigPath.Member("tracing.headers", name);
            if (!HttpSyntax.IsToken(name)) problems.Add(path, $"{CharacterText.Quote(name)} is no name of a header field");
            // A comma would end the field for the exporter, which takes them as one list. The value is a secret: it is not repeated.
            if (HttpSyntax.FieldValueError(value) is { } error) problems.Add(path, $"the value {error}");
            else if (value.Contains(',', StringComparison.Ordinal)) problems.Add(path, "the value has a comma, which the exporter cannot send");
        }
    }
}
