using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.State;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>kv</c>: what all calls of the policy share.</summary>
internal static class KeyValueObject
{
    private static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Method("get", Get, 1)
        .Method("set", Set, 3)
        .Method("delete", static (target, arguments) => SharedObject.Engine(target).Host.Store.Remove(ScriptObject.TextAt(arguments, 0)) ? JsBoolean.True : JsBoolean.False, 1)
        .Method("increment", Increment, 3)
        .Build();

    internal static ObjectInstance Create(ScriptEngine engine)
    {
        ObjectInstance store = Shape.Instantiate(engine.Js);
        JsObjectShape.SetHostState(store, engine);
        return store;
    }

    private static JsValue Get(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        StoredValue? found = engine.Host.Store.Get(ScriptObject.TextAt(arguments, 0));
        if (found is not { } value) return JsValue.Null;
        return value.Text is { } text ? JsString.Create(text) : JsNumber.Create(value.Number);
    }

    private static JsValue Set(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        StoredValue value = ScriptObject.At(arguments, 1) switch
        {
            JsString text => new StoredValue(text.ToString(), 0),
            JsNumber number => new StoredValue(null, TypeConverter.ToNumber(number)),
            _ => throw engine.Failure("kv keeps strings and numbers; of an object, JSON.stringify(object)"),
        };
        if (engine.Host.Store.Set(ScriptObject.TextAt(arguments, 0), value, Lifetime(engine, arguments)) is { } problem) throw engine.Failure(problem);
        return JsValue.Undefined;
    }

    private static JsValue Increment(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        JsValue by = ScriptObject.At(arguments, 1);
        string? problem = engine.Host.Store.Increment(ScriptObject.TextAt(arguments, 0), by.Type == Types.Undefined ? 1 : TypeConverter.ToNumber(by), Lifetime(engine, arguments), out double value);
        return problem is null ? JsNumber.Create(value) : throw engine.Failure(problem);
    }

    // { ttl: seconds }
    private static TimeSpan? Lifetime(ScriptEngine engine, JsValue[] arguments)
    {
        if (ScriptObject.At(arguments, 2) is not ObjectInstance options || options.Get("ttl") is not { } ttl || ttl.Type == Types.Undefined) return null;
        double seconds = TypeConverter.ToNumber(ttl);
        return seconds is > 0 and <= 315_360_000 ? TimeSpan.FromSeconds(seconds) : throw engine.Failure("ttl is a number of seconds, up to ten years");
    }
}
