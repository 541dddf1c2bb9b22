using Jint.Native;
using Jint.Native.Object;
using Jint.Native.Symbol;
using Jint.Runtime.Descriptors;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>Prototypes and constructors of the gateway's objects in one engine.</summary>
internal sealed class RealmObjects
{
    internal RealmObjects(ScriptEngine engine)
    {
        Headers = Prototype(engine, HeadersObject.Shape, HeadersObject.Entries);
        Response = Prototype(engine, ResponseObject.Shape);
        SearchParams = Prototype(engine, SearchParamsObject.Shape, SearchParamsObject.Entries);
        Url = Prototype(engine, UrlObject.Shape);
        TextEncoder = Prototype(engine, TextEncoderObject.Shape);
        TextDecoder = Prototype(engine, TextDecoderObject.Shape);
        Request = Prototype(engine, RequestObject.Shape);
        Answer = Prototype(engine, AnswerObject.Shape);
        Context = Prototype(engine, ContextObject.Shape);
        Log = Prototype(engine, LogObject.Shape);
        HeadersConstructor = new HostConstructor(engine, "Headers", Headers, HeadersObject.Construct);
        ResponseConstructor = ResponseObject.CreateConstructor(engine, Response);
        SearchParamsConstructor = new HostConstructor(engine, "URLSearchParams", SearchParams, SearchParamsObject.Construct);
        UrlConstructor = UrlObject.CreateConstructor(engine, Url);
        TextEncoderConstructor = new HostConstructor(engine, "TextEncoder", TextEncoder, static (engine, prototype, _) => new TextEncoderObject(engine, prototype));
        TextDecoderConstructor = new HostConstructor(engine, "TextDecoder", TextDecoder, TextDecoderObject.Construct);
        Env = CreateEnv(engine);
    }

    internal ObjectInstance Headers { get; }
    internal ObjectInstance Response { get; }
    internal ObjectInstance SearchParams { get; }
    internal ObjectInstance Url { get; }
    internal ObjectInstance TextEncoder { get; }
    internal ObjectInstance TextDecoder { get; }
    internal ObjectInstance Request { get; }
    internal ObjectInstance Answer { get; }
    internal ObjectInstance Context { get; }
    internal ObjectInstance Log { get; }
    internal HostConstructor HeadersConstructor { get; }
    internal HostConstructor ResponseConstructor { get; }
    internal HostConstructor SearchParamsConstructor { get; }
    internal HostConstructor UrlConstructor { get; }
    internal HostConstructor TextEncoderConstructor { get; }
    internal HostConstructor TextDecoderConstructor { get; }

    /// <summary><c>context.env</c>, frozen.</summary>
    internal ObjectInstance Env { get; }

    /// <summary>What no global name leads to but calls have in common.</summary>
    internal IEnumerable<ObjectInstance> Prototypes => [Headers, Response, SearchParams, Url, TextEncoder, TextDecoder, Request, Answer, Context, Log, Env];

    private static ObjectInstance Prototype(ScriptEngine engine, JsObjectShape shape, Func<JsValue, JsValue[], JsValue>? iterate = null)
    {
        ObjectInstance prototype = shape.Instantiate(engine.Js);
        if (iterate is not null)
            prototype.DefineOwnProperty(GlobalSymbolRegistry.Iterator, new PropertyDescriptor(new Jint.Runtime.Interop.ClrFunction(engine.Js, "[Symbol.iterator]", iterate), PropertyFlag.NonEnumerable));
        return prototype;
    }

    private static JsObject CreateEnv(ScriptEngine engine)
    {
        var env = new JsObject(engine.Js);
        foreach ((string name, string value) in engine.Host.Env) env.FastSetProperty(name, new PropertyDescriptor(JsString.Create(value), PropertyFlag.OnlyEnumerable));
        env.PreventExtensions();
        return env;
    }
}
