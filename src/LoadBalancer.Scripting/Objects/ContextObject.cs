using System.Text;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.Object;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>What there is about a request beside itself: second argument of both hooks.</summary>
internal sealed class ContextObject : ExchangeObject
{
    internal const int StateBytesMax = 64 * 1024;

    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("request", static (target, _) => This<ContextObject>(target).Request)
        .Accessor("cluster", static (target, _) => This<ContextObject>(target)._cluster ?? Undefined, static (target, arguments) => This<ContextObject>(target).ChooseCluster(TextAt(arguments, 0)))
        .Accessor("route", static (target, _) => JsString.Create(This<ContextObject>(target).Exchange.Route))
        .Accessor("listener", static (target, _) => JsString.Create(This<ContextObject>(target).Exchange.Listener))
        .Accessor("identity", static (target, _) => This<ContextObject>(target).Identity)
        .Accessor("params", static (target, _) => This<ContextObject>(target).Params)
        .Accessor("client", static (target, _) => This<ContextObject>(target).Client)
        .Accessor("env", static (target, _) => This<ContextObject>(target).Owner.Realm.Env)
        .Accessor("log", static (target, _) => This<ContextObject>(target).Log)
        .Accessor("state", static (target, _) => This<ContextObject>(target).State, static (target, arguments) =>
        {
            This<ContextObject>(target)._state = At(arguments, 0);
            return Undefined;
        })
        .Build();

    private RequestObject? _request;
    private JsValue? _cluster, _identity, _params, _client, _state;
    private LogObject? _log;

    internal ContextObject(ScriptCall call, RequestObject? request) : base(call, call.Engine.Realm.Context) => _request = request;

    internal RequestObject Request => _request ??= new RequestObject(Call);

    private LogObject Log => _log ??= new LogObject(Call);

    private JsValue Identity => _identity ??= Exchange.Identity is { } identity ? Describe(identity) : Null;

    private JsValue Params
    {
        get
        {
            if (_params is not null) return _params;
            IScriptExchange exchange = Exchange;
            var result = new JsObject(Owner.Js);
            foreach (string name in exchange.PathVariables)
                if (exchange.GetPathVariable(name) is { } value) result.FastSetDataProperty(name, JsString.Create(value));
            return _params = result;
        }
    }

    private JsValue Client
    {
        get
        {
            if (_client is not null) return _client;
            IScriptExchange exchange = Exchange;
            var result = new JsObject(Owner.Js);
            result.FastSetDataProperty("address", JsString.Create(exchange.ClientAddress));
            result.FastSetDataProperty("port", JsNumber.Create(exchange.ClientPort));
            result.FastSetDataProperty("encrypted", exchange.IsEncrypted ? JsBoolean.True : JsBoolean.False);
            return _client = result;
        }
    }

    private JsValue State => _state ??= Exchange.State is { } json ? new JsonParser(Owner.Js).Parse(json) : Undefined;

    /// <summary>Keeps what onRequest has left in <c>context.state</c> for onResponse, as JSON: that may be called by another engine. Within the call's budget.</summary>
    internal void KeepState()
    {
        if (_state is null || _state.IsUndefined()) return;
        JsValue state = _state, json = ScriptEngine.Invoke(Owner.Js.Global.Get("JSON").Get("stringify"), Undefined, [state]);
        if (json is not JsString text) throw Owner.Failure("context.state has no JSON");
        if (text.Length > StateBytesMax) throw Owner.Failure($"context.state has {text.Length} characters of JSON; at most {StateBytesMax}");
        Exchange.State = text.ToString();
    }

    /// <summary>The path is about to change.</summary>
    internal void KeepParams()
    {
        if (Exchange.PathVariables.Count > 0) _ = Params;
    }

    private JsValue ChooseCluster(string name)
    {
        if (!Changeable.TryChooseCluster(name)) throw Owner.Failure($"there is no cluster \"{name}\"");
        _cluster = JsString.Create(name);
        return Undefined;
    }

    private JsObject Describe(IClientIdentity identity)
    {
        var result = new JsObject(Owner.Js);
        result.FastSetDataProperty("scheme", JsString.Create(identity.Scheme));
        result.FastSetDataProperty("subject", identity.Subject is { } subject ? JsString.Create(subject) : Null);
        result.FastSetDataProperty("claims", identity.Json.IsEmpty ? new JsObject(Owner.Js) : new JsonParser(Owner.Js).Parse(Encoding.UTF8.GetString(identity.Json.Span)));
        return result;
    }
}
