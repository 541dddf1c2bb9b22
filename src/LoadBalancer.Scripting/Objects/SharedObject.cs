using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>Objects that an engine has one of: console, crypto, kv.</summary>
internal static class SharedObject
{
    /// <summary>Whose the object is that a method was called on.</summary>
    internal static ScriptEngine Engine(JsValue target)
    {
        if (target is ObjectInstance instance)
            return JsObjectShape.GetHostState(instance) as ScriptEngine ?? throw new JavaScriptException(instance.Engine.Intrinsics.TypeError, "illegal invocation: it was called on another object than its own");
        throw new JavaScriptException(JsString.Create("TypeError: illegal invocation: it was called without its object"));
    }
}
