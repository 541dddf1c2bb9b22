using Jint.Native;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>The request: first argument of onRequest, and <c>context.request</c>.</summary>
internal sealed class RequestObject : ExchangeObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("method", static (target, _) => JsString.Create(This<RequestObject>(target).Exchange.Method), static (target, arguments) =>
        {
            var request = This<RequestObject>(target);
            Try(request.Owner, (request.Changeable, method: TextAt(arguments, 0)), static state => state.Changeable.Method = state.method);
            return Undefined;
        })
        .Accessor("url", static (target, _) => JsString.Create(This<RequestObject>(target).Url))
        .Accessor("host", static (target, _) => JsString.Create(This<RequestObject>(target).Exchange.RequestFields.Get("host") ?? ""))
        .Accessor("path", static (target, _) => JsString.Create(This<RequestObject>(target).Exchange.Path), static (target, arguments) => This<RequestObject>(target).SetPath(TextAt(arguments, 0)))
        .Accessor("query", static (target, _) => This<RequestObject>(target).Query, static (target, arguments) => This<RequestObject>(target).SetQuery(At(arguments, 0)))
        .Accessor("headers", static (target, _) => This<RequestObject>(target).Headers)
        .Method("text", static (target, _) => This<RequestObject>(target).ReadBody(BodyContent.ToText))
        .Method("json", static (target, _) => This<RequestObject>(target).ReadBody(BodyContent.ToJson))
        .Method("bytes", static (target, _) => This<RequestObject>(target).ReadBody(BodyContent.ToBytes))
        .Method("setBody", static (target, arguments) => This<RequestObject>(target).SetBody(At(arguments, 0)), 1)
        .ToStringTag("Request")
        .Build();

    private HeadersObject? _headers;
    private SearchParamsObject? _query;

    internal RequestObject(ScriptCall call) : base(call, call.Engine.Realm.Request)
    {
    }

    private string Url
    {
        get
        {
            IScriptExchange exchange = Exchange;
            string query = exchange.Query;
            return $"{(exchange.IsEncrypted ? "https" : "http")}://{exchange.RequestFields.Get("host")}{exchange.Path}{(query.Length > 0 ? "?" : "")}{query}";
        }
    }

    private HeadersObject Headers => _headers ??= new HeadersObject(Owner, Owner.Realm.Headers, Exchange.RequestFields, Call, isRequest: true);

    // What is changed of it changes the request's query.
    private SearchParamsObject Query => _query ??= new SearchParamsObject(Owner, Owner.Realm.SearchParams, Exchange.Query, this);

    internal void TakeQuery(string query) => SetTarget(Exchange.Path, query);

    private JsValue SetPath(string path)
    {
        SetTarget(path, Exchange.Query);
        return Undefined;
    }

    private JsValue SetQuery(JsValue value)
    {
        string query = value is SearchParamsObject parameters ? parameters.Text : Jint.Runtime.TypeConverter.ToString(value);
        SetTarget(Exchange.Path, query.StartsWith('?') ? query[1..] : query);
        _query = null;
        return Undefined;
    }

    private void SetTarget(string path, string query)
    {
        Call.Context?.KeepParams(); // they are read off the path that the route has matched
        Try(Owner, (Changeable, path, query), static state => state.Changeable.SetTarget(state.path, state.query));
    }

    private JsValue ReadBody(Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> convert) =>
        Call.Promise((Call.IsResponse ? Changeable : Exchange).ReadRequestBodyAsync(Owner.Limits.BodyBytesMax), isBody: true, convert);

    private JsValue SetBody(JsValue body)
    {
        IScriptExchange exchange = Changeable;
        exchange.SetRequestBody(BodyContent.Read(Owner, body, out string? type));
        if (type is not null && exchange.RequestFields.Get("content-type") is null) exchange.RequestFields.Set("Content-Type", type);
        return Undefined;
    }
}
