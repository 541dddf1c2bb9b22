using Jint.Native;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>context.log</c>: fields of the request's line in the access log.</summary>
internal sealed class LogObject(ScriptCall call) : ExchangeObject(call, call.Engine.Realm.Log)
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Method("set", static (target, arguments) =>
        {
            var log = This<LogObject>(target);
            Try(log.Owner, (log.Exchange, name: TextAt(arguments, 0), value: TextAt(arguments, 1)), static state => state.Exchange.AddLogField(state.name, state.value));
            return Undefined;
        }, 2)
        .Build();
}
