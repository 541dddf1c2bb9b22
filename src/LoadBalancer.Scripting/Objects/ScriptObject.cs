using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>An object of the gateway's as scripts see it. What it does it does by the methods and accessors of its prototype, whose delegates are shared by all engines.</summary>
internal abstract class ScriptObject : ObjectInstance
{
    private protected ScriptObject(ScriptEngine owner, ObjectInstance prototype) : base(owner.Js)
    {
        Owner = owner;
        Prototype = prototype;
    }

    internal ScriptEngine Owner { get; }

    /// <summary>What a method or accessor was called on.</summary>
    internal static T This<T>(JsValue target) where T : ScriptObject => target as T ?? throw Illegal(target);

    internal static JsValue At(JsValue[] arguments, int index) => index < arguments.Length ? arguments[index] : JsValue.Undefined;

    internal static string TextAt(JsValue[] arguments, int index) => TypeConverter.ToString(At(arguments, index));

    /// <summary>Does what the proxy may refuse; what it refuses is an error that the script can catch.</summary>
    internal static void Try<T>(ScriptEngine owner, T state, Action<T> action)
    {
        try
        {
            action(state);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw owner.Failure(Message(e));
        }
    }

    /// <summary>What an exception says, without the name of a parameter.</summary>
    internal static string Message(Exception e)
    {
        int parameter = e is ArgumentException { ParamName: not null } ? e.Message.LastIndexOf(" (Parameter '", StringComparison.Ordinal) : -1;
        return parameter > 0 ? e.Message[..parameter] : e.Message;
    }

    private static JavaScriptException Illegal(JsValue target) => target is ObjectInstance instance
        ? new JavaScriptException(instance.Engine.Intrinsics.TypeError, "illegal invocation: it was called on another object than its own")
        : new JavaScriptException(JsString.Create("TypeError: illegal invocation: it was called without its object"));
}
