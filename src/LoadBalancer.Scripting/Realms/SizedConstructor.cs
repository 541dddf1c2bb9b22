using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Descriptors;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Realms;

/// <summary>Stands before the constructor of a buffer or typed array, and asks the budget for its bytes.</summary>
internal sealed class SizedConstructor : Constructor
{
    private readonly ScriptEngine _owner;
    private readonly Constructor _original;
    private readonly int _size;

    private SizedConstructor(ScriptEngine owner, Constructor original, string name, int size) : base(owner.Js, name)
    {
        _owner = owner;
        _original = original;
        _size = size;
        Prototype = original.Prototype;
        _prototypeDescriptor = original.GetOwnProperty("prototype");
    }

    internal static void Install(ScriptEngine engine, string name, int size)
    {
        var original = (Constructor)engine.Js.Global.Get(name);
        var constructor = new SizedConstructor(engine, original, name, size);
        // What it has as an object, "from" and "BYTES_PER_ELEMENT" and the like, is the original's.
        foreach (JsValue key in original.GetOwnPropertyKeys(Types.String | Types.Symbol))
            if (key.ToString() is not ("length" or "name" or "prototype")) constructor.FastSetProperty(key, original.GetOwnProperty(key));
        ((ObjectInstance)original.Get("prototype")).FastSetProperty("constructor", new PropertyDescriptor(constructor, PropertyFlag.NonEnumerable));
        engine.Js.Global.FastSetProperty(name, new PropertyDescriptor(constructor, PropertyFlag.NonEnumerable));
    }

    public override ObjectInstance Construct(JsValue[] arguments, JsValue newTarget)
    {
        if (arguments.Length > 0 && arguments[0] is JsNumber length && TypeConverter.ToNumber(length) is var count && count * _size > 4096) _owner.Budget.Demand(count * _size);
        return _original.Construct(arguments, ReferenceEquals(newTarget, this) ? _original : newTarget);
    }
}
