using System.Text;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>Response</c> of Fetch: what a script answers with, or has fetched. Its content is there as a whole.</summary>
internal sealed class ResponseObject : ScriptObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("status", static (target, _) => JsNumber.Create(This<ResponseObject>(target).Status))
        .Accessor("ok", static (target, _) => This<ResponseObject>(target).Status is >= 200 and <= 299 ? JsBoolean.True : JsBoolean.False)
        .Accessor("headers", static (target, _) => This<ResponseObject>(target).Headers)
        .Method("text", static (target, _) => This<ResponseObject>(target).Promise(BodyContent.ToText))
        .Method("json", static (target, _) => This<ResponseObject>(target).Promise(BodyContent.ToJson))
        .Method("bytes", static (target, _) => This<ResponseObject>(target).Promise(BodyContent.ToBytes))
        .ToStringTag("Response")
        .Build();

    private HeadersObject? _headers;

    internal ResponseObject(ScriptEngine owner, ObjectInstance prototype, int status, HeaderFields fields, ReadOnlyMemory<byte> body) : base(owner, prototype)
    {
        Status = status;
        Fields = fields;
        Body = body;
    }

    internal int Status { get; }

    internal HeaderFields Fields { get; }

    internal ReadOnlyMemory<byte> Body { get; }

    private HeadersObject Headers => _headers ??= new HeadersObject(Owner, Owner.Realm.Headers, Fields);

    internal static HostConstructor CreateConstructor(ScriptEngine engine, ObjectInstance prototype)
    {
        var constructor = new HostConstructor(engine, "Response", prototype, static (engine, prototype, arguments) => Make(engine, prototype, BodyContent.Read(engine, At(arguments, 0), out string? type), type, At(arguments, 1)));
        constructor.AddStatic("json", (_, arguments) => Json(engine, At(arguments, 0), At(arguments, 1)), 1);
        constructor.AddStatic("redirect", (_, arguments) => Redirect(engine, arguments), 1);
        return constructor;
    }

    private JsValue Promise(Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> convert) => Owner.Promised(convert, Body);

    private static ResponseObject Json(ScriptEngine engine, JsValue data, JsValue init)
    {
        JsValue text = ScriptEngine.Invoke(engine.Js.Global.Get("JSON").Get("stringify"), JsValue.Undefined, [data]);
        if (text is not JsString) throw engine.Failure("what Response.json is given has no JSON");
        return Make(engine, engine.Realm.Response, BodyContent.Read(engine, text, out _), "application/json", init);
    }

    private static ResponseObject Redirect(ScriptEngine engine, JsValue[] arguments)
    {
        JsValue given = At(arguments, 1);
        int status = given.IsUndefined() ? 302 : TypeConverter.ToInt32(given);
        if (status is not (301 or 302 or 303 or 307 or 308)) throw engine.Failure($"{status} is no status of a redirect; expected 301, 302, 303, 307 or 308");
        var fields = new HeaderFields();
        Try(engine, (fields, location: TextAt(arguments, 0)), static state => state.fields.Set("Location", state.location));
        return new ResponseObject(engine, engine.Realm.Response, status, fields, default);
    }

    private static ResponseObject Make(ScriptEngine engine, ObjectInstance prototype, byte[] body, string? contentType, JsValue init)
    {
        int status = 200;
        HeaderFields fields;
        if (init is ObjectInstance options)
        {
            JsValue given = options.Get("status");
            if (!given.IsUndefined()) status = TypeConverter.ToInt32(given);
            fields = HeadersObject.Read(engine, options.Get("headers"));
        }
        else fields = new HeaderFields();
        if (status is < 200 or > 599) throw engine.Failure($"{status} is no status of an answer; expected 200 to 599");
        if (body.Length > 0 && status is 204 or 205 or 304) throw engine.Failure($"an answer with {status} has no content");
        if (contentType is not null && fields.Get("content-type") is null) fields.Set("Content-Type", contentType);
        return new ResponseObject(engine, prototype, status, fields, body);
    }
}
