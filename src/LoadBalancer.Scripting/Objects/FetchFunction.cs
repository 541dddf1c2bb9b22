using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>fetch("cluster:name/path", …)</c>: through the proxy's own balancing and pools, to the clusters that the policy names, and to nothing else.</summary>
internal static class FetchFunction
{
    private const string Scheme = "cluster:";

    internal static JsValue Call(ScriptEngine engine, JsValue[] arguments)
    {
        try
        {
            return Start(engine, arguments);
        }
        catch (JavaScriptException e)
        {
            return engine.Promised<JsValue>(static (_, error) => throw new JavaScriptException(error), e.Error); // as an async function's
        }
    }

    private static JsValue Start(ScriptEngine engine, JsValue[] arguments)
    {
        if (engine.Call is not { Exchange: { } exchange } call) throw engine.Failure("fetch can be called while a request is dealt with, not while the script is loaded");
        string url = ScriptObject.TextAt(arguments, 0);
        if (!url.StartsWith(Scheme, StringComparison.Ordinal)) throw engine.Failure($"fetch takes \"cluster:name/path\", and no other URL; this one is \"{Shown(url)}\"");
        int end = url.AsSpan(Scheme.Length).IndexOfAny('/', '?');
        string cluster = end < 0 ? url[Scheme.Length..] : url.Substring(Scheme.Length, end), target = end < 0 ? "/" : url[(Scheme.Length + end)..];
        if (target[0] == '?') target = "/" + target;
        int hash = target.IndexOf('#');
        if (hash >= 0) target = target[..hash];
        if (!engine.Host.Clusters.Contains(cluster)) throw engine.Failure($"the script may not fetch from \"{Shown(cluster)}\"; add it to the policy's clusters");
        if (!call.TryCountFetch()) throw engine.Failure($"fetch was called more than {engine.Limits.FetchesMax} times for one request; see fetchesMax");
        var request = Request(engine, call, target, ScriptObject.At(arguments, 1));
        ValueTask<ClusterResponse> sending = default;
        ScriptObject.Try(engine, 0, _ => sending = exchange.SendAsync(cluster, request));
        return call.Promise(sending, isBody: false, Convert);
    }

    private static ClusterRequest Request(ScriptEngine engine, ScriptCall call, string target, JsValue init)
    {
        string method = "GET";
        HeaderFields fields = HeaderFields.Empty;
        byte[] body = [];
        if (init is ObjectInstance options)
        {
            JsValue given = options.Get("method");
            if (given.Type != Types.Undefined) method = TypeConverter.ToString(given).ToUpperInvariant();
            fields = HeadersObject.Read(engine, options.Get("headers"));
            body = BodyContent.Read(engine, options.Get("body"), out string? type);
            if (type is not null && fields.Get("content-type") is null) fields.Set("Content-Type", type);
            if (body.Length > 0 && method is "GET" or "HEAD") throw engine.Failure($"a request with {method} has no body");
        }
        TimeSpan left = call.TimeLeft;
        return new ClusterRequest
        {
            Method = method,
            Target = target,
            Fields = fields,
            Body = body,
            Timeout = left <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : left < engine.Limits.FetchTimeout ? left : engine.Limits.FetchTimeout,
            ResponseBytesMax = engine.Limits.FetchBytesMax,
        };
    }

    private static JsValue Convert(ScriptEngine engine, ClusterResponse response) => response.Failure == EndReason.None
        ? new ResponseObject(engine, engine.Realm.Response, response.Status, response.Fields, response.Body)
        : throw engine.Failure($"fetch has failed: {response.Failure}");

    private static string Shown(string text) => text.Length > 100 ? text[..100] : text;
}
