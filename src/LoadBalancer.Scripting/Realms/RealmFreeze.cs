using Jint.Native;
using Jint.Native.Object;
using Jint.Native.Symbol;
using Jint.Runtime;
using Jint.Runtime.Descriptors;
using Jint.Runtime.Interop;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Realms;

/// <summary>Freezes what calls have in common, so that none can change it for another.</summary>
internal static class RealmFreeze
{
    // Which objects of the language no name leads to.
    private const string Hidden = """
        [function* () {}, async function () {}, async function* () {}, (function* () {})(), (async function* () {})(), [][Symbol.iterator](), ""[Symbol.iterator](), new Map().entries(),
         new Set().values(), "a".matchAll(/a/g), [].values().map(x => x), Iterator.from({ next() { return { done: true } } }), /a/d.exec("a"), (function () { return arguments })()]
        """;

    /// <summary>Freezes all that the global object leads to, and itself.</summary>
    internal static void Freeze(ScriptEngine engine)
    {
        JsValue hidden = engine.Js.Evaluate(Hidden);
        EnableOverrides(engine);
        var seen = new HashSet<ObjectInstance>(ReferenceEqualityComparer.Instance);
        Freeze(engine.Js.Global, seen);
        Freeze((ObjectInstance)hidden, seen);
        foreach (ObjectInstance prototype in engine.Realm.Prototypes) Freeze(prototype, seen);
    }

    /// <summary>Freezes what stands at the top level of a module: objects, arrays, functions and classes with all they lead to, but not the contents of maps, sets and typed arrays.</summary>
    internal static JsValue Seal(JsValue[] arguments)
    {
        var seen = new HashSet<ObjectInstance>(ReferenceEqualityComparer.Instance);
        foreach (JsValue argument in arguments)
            if (argument is ObjectInstance values) Freeze(values, seen);
        return JsValue.Undefined;
    }

    private static void Freeze(ObjectInstance first, HashSet<ObjectInstance> seen)
    {
        var rest = new Stack<ObjectInstance>();
        Push(first, rest, seen);
        while (rest.TryPop(out ObjectInstance? next))
        {
            bool isFixed = next is JsTypedArray; // its elements cannot be fixed
            foreach (JsValue key in next.GetOwnPropertyKeys(Types.String | Types.Symbol))
            {
                PropertyDescriptor property = next.GetOwnProperty(key);
                if (property.IsAccessorDescriptor())
                {
                    Push(property.Get, rest, seen);
                    Push(property.Set, rest, seen);
                    if (property.Configurable) next.DefineOwnProperty(key, new PropertyDescriptor(null, writable: null, enumerable: null, configurable: false));
                    continue;
                }
                Push(property.Value, rest, seen);
                if (!isFixed && (property.Configurable || property.Writable)) next.DefineOwnProperty(key, new PropertyDescriptor(null, writable: false, enumerable: null, configurable: false));
            }
            next.PreventExtensions();
            Push(next.Prototype, rest, seen);
        }
    }

    private static void Push(JsValue? value, Stack<ObjectInstance> rest, HashSet<ObjectInstance> seen)
    {
        if (value is ObjectInstance instance && seen.Add(instance)) rest.Push(instance);
    }

    // What is inherited and cannot be written hides nothing: "error.name = …" and "object.toString = …" would fail. An accessor that writes to the object itself makes them work
    // (the "override mistake", and how SES mends it).
    private static void EnableOverrides(ScriptEngine engine)
    {
        Enable(engine, "Object", ["toString", "toLocaleString", "valueOf", "hasOwnProperty", "constructor"]);
        foreach (string error in (string[])["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"])
            Enable(engine, error, ["name", "message", "toString", "constructor"]);
    }

    private static void Enable(ScriptEngine engine, string constructor, string[] names)
    {
        var prototype = (ObjectInstance)engine.Js.Global.Get(constructor).Get("prototype");
        foreach (string name in names)
        {
            PropertyDescriptor property = prototype.GetOwnProperty(name);
            if (property == PropertyDescriptor.Undefined || property.IsAccessorDescriptor()) continue;
            JsValue value = property.Value;
            var get = new ClrFunction(engine.Js, name, (_, _) => value);
            var set = new ClrFunction(engine.Js, name, (target, arguments) =>
            {
                if (target is not ObjectInstance own || ReferenceEquals(own, prototype)) throw engine.Failure($"{constructor}.prototype.{name} cannot be changed");
                // Assigned once more it is a property of the object's own, and this is not asked.
                if (!own.DefineOwnProperty(name, new PropertyDescriptor(arguments[0], true, true, true))) throw engine.Failure($"{name} cannot be set: the object is frozen");
                return JsValue.Undefined;
            });
            prototype.DefineOwnProperty(name, new GetSetPropertyDescriptor(get, set, property.Enumerable, true));
        }
    }
}
