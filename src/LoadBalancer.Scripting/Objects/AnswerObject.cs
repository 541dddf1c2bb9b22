using Jint.Native;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>The answer of a destination or of the cache: first argument of onResponse. Streams by as long as its content is neither read nor set.</summary>
internal sealed class AnswerObject : ExchangeObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("status", static (target, _) => JsNumber.Create(This<AnswerObject>(target).Exchange.Status), static (target, arguments) =>
        {
            var answer = This<AnswerObject>(target);
            Try(answer.Owner, (answer.Exchange, status: TypeConverter.ToInt32(At(arguments, 0))), static state => state.Exchange.Status = state.status);
            return Undefined;
        })
        .Accessor("ok", static (target, _) => This<AnswerObject>(target).Exchange.Status is >= 200 and <= 299 ? JsBoolean.True : JsBoolean.False)
        .Accessor("headers", static (target, _) => This<AnswerObject>(target).Headers)
        .Accessor("fromCache", static (target, _) => This<AnswerObject>(target).Exchange.IsFromCache ? JsBoolean.True : JsBoolean.False)
        .Method("text", static (target, _) => This<AnswerObject>(target).ReadBody(BodyContent.ToText))
        .Method("json", static (target, _) => This<AnswerObject>(target).ReadBody(BodyContent.ToJson))
        .Method("bytes", static (target, _) => This<AnswerObject>(target).ReadBody(BodyContent.ToBytes))
        .Method("setBody", static (target, arguments) => This<AnswerObject>(target).SetBody(At(arguments, 0)), 1)
        .ToStringTag("Response")
        .Build();

    private HeadersObject? _headers;

    internal AnswerObject(ScriptCall call) : base(call, call.Engine.Realm.Answer)
    {
    }

    private HeadersObject Headers => _headers ??= new HeadersObject(Owner, Owner.Realm.Headers, Exchange.ResponseFields, Call);

    private JsValue ReadBody(Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> convert) =>
        Call.Promise(Exchange.ReadResponseBodyAsync(Owner.Limits.BodyBytesMax), isBody: true, convert);

    private JsValue SetBody(JsValue body)
    {
        IScriptExchange exchange = Exchange;
        exchange.SetResponseBody(BodyContent.Read(Owner, body, out string? type));
        if (type is not null && exchange.ResponseFields.Get("content-type") is null) exchange.ResponseFields.Set("Content-Type", type);
        return Undefined;
    }
}
