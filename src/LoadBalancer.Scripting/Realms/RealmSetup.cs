using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Descriptors;
using Jint.Runtime.Interop;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Realms;

/// <summary>Makes the global object what scripts are promised: the language without what reaches beyond a call, and the objects of the gateway.</summary>
internal static class RealmSetup
{
    // What is there of the language. The rest is left out: what runs text (eval), what outlives a call or waits (WeakRef, FinalizationRegistry, Atomics, SharedArrayBuffer),
    // what makes other realms (ShadowRealm), and what would cost each engine much (Intl, Temporal).
    internal static readonly string[] LanguageGlobals =
    [
        "AggregateError", "Array", "ArrayBuffer", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean", "DataView", "Date", "Error", "EvalError", "Float32Array", "Float64Array", "Function",
        "Infinity", "Int16Array", "Int32Array", "Int8Array", "Iterator", "JSON", "Map", "Math", "NaN", "Number", "Object", "Promise", "Proxy", "RangeError", "ReferenceError", "Reflect", "RegExp",
        "Set", "String", "Symbol", "SyntaxError", "TypeError", "URIError", "Uint16Array", "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakSet", "decodeURI",
        "decodeURIComponent", "encodeURI", "encodeURIComponent", "globalThis", "isFinite", "isNaN", "parseFloat", "parseInt", "undefined",
    ];

    /// <summary>What the gateway adds: as in lb.d.ts.</summary>
    internal static readonly string[] GatewayGlobals =
        ["Headers", "Response", "TextDecoder", "TextEncoder", "URL", "URLSearchParams", "atob", "btoa", "console", "crypto", "fetch", "kv"];

    private static readonly HashSet<string> Kept = [.. LanguageGlobals];

    internal static void Install(ScriptEngine engine)
    {
        ObjectInstance global = engine.Js.Global;
        foreach (JsValue key in global.GetOwnPropertyKeys(Types.String | Types.Symbol))
            if (!Kept.Contains(key.ToString())) global.Delete(key);
        if (!engine.Host.IsIsolated) RemoveSharedState(global);
        BuiltinGuards.Install(engine);
        RealmObjects realm = engine.Realm;
        Add(global, "Headers", realm.HeadersConstructor);
        Add(global, "Response", realm.ResponseConstructor);
        Add(global, "URL", realm.UrlConstructor);
        Add(global, "URLSearchParams", realm.SearchParamsConstructor);
        Add(global, "TextEncoder", realm.TextEncoderConstructor);
        Add(global, "TextDecoder", realm.TextDecoderConstructor);
        Add(global, "atob", new ClrFunction(engine.Js, "atob", (_, arguments) => Base64Text.Decode(engine, arguments), 1));
        Add(global, "btoa", new ClrFunction(engine.Js, "btoa", (_, arguments) => Base64Text.Encode(engine, arguments), 1));
        Add(global, "fetch", new ClrFunction(engine.Js, "fetch", (_, arguments) => FetchFunction.Call(engine, arguments), 1));
        Add(global, "console", ConsoleObject.Create(engine));
        Add(global, "crypto", CryptoObject.Create(engine));
        Add(global, "kv", KeyValueObject.Create(engine));
    }

    // RegExp.$1 and the like would tell a call what another has looked for; the rest leads to objects that are left out.
    private static void RemoveSharedState(ObjectInstance global)
    {
        var regex = (ObjectInstance)global.Get("RegExp");
        foreach (string name in (string[])["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "input", "$_", "lastMatch", "$&", "lastParen", "$+", "leftContext", "$`", "rightContext", "$'"])
            regex.Delete(name);
        ((ObjectInstance)global.Get("Date").Get("prototype")).Delete("toTemporalInstant");
    }

    private static void Add(ObjectInstance global, string name, JsValue value) =>
        global.FastSetProperty(name, new PropertyDescriptor(value, PropertyFlag.NonEnumerable));
}
