using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Descriptors;
using Jint.Runtime.Interop;
using LoadBalancer.Scripting.Running;
using JintFunction = Jint.Native.Function.Function;

namespace LoadBalancer.Scripting.Realms;

/// <summary>
/// Built-ins that can ask for a gigabyte within one statement, before the budget is looked at again: they ask the budget first. The language's limit for a string is a
/// gigabyte, and that of a buffer two.
/// </summary>
internal static class BuiltinGuards
{
    private delegate double Estimate(JsValue target, JsValue[] arguments);

    internal static void Install(ScriptEngine engine)
    {
        var text = (ObjectInstance)engine.Js.Global.Get("String").Get("prototype");
        Guard(engine, text, "repeat", static (target, arguments) => 2.0 * Length(target) * Number(arguments, 0));
        Guard(engine, text, "padStart", static (_, arguments) => 2 * Number(arguments, 0));
        Guard(engine, text, "padEnd", static (_, arguments) => 2 * Number(arguments, 0));
        Guard(engine, text, "concat", static (target, arguments) => 2.0 * (Length(target) + arguments.Sum(static argument => (double)Length(argument))));
        Guard(engine, text, "replace", Replaced);
        Guard(engine, text, "replaceAll", Replaced);
        Guard(engine, (ObjectInstance)engine.Js.Global.Get("Array").Get("prototype"), "join", Joined);
        GuardJson(engine);
        foreach ((string name, int size) in (ReadOnlySpan<(string, int)>)[("ArrayBuffer", 1), ("Int8Array", 1), ("Uint8Array", 1), ("Uint8ClampedArray", 1), ("Int16Array", 2), ("Uint16Array", 2),
            ("Int32Array", 4), ("Uint32Array", 4), ("Float32Array", 4), ("Float64Array", 8), ("BigInt64Array", 8), ("BigUint64Array", 8)])
            SizedConstructor.Install(engine, name, size);
    }

    private static void Guard(ScriptEngine engine, ObjectInstance target, string name, Estimate estimate)
    {
        var original = (JintFunction)target.Get(name);
        ScriptBudget budget = engine.Budget;
        var guarded = new ClrFunction(engine.Js, name, (self, arguments) =>
        {
            double bytes = estimate(self, arguments);
            if (bytes > 4096) budget.Demand(bytes);
            return ScriptEngine.Invoke(original, self, arguments);
        }, (int)TypeConverter.ToNumber(original.Get("length")));
        target.FastSetProperty(name, new PropertyDescriptor(guarded, PropertyFlag.NonEnumerable));
    }

    // Each place where the pattern is found takes the replacement, and where that says so, what stands before or behind.
    private static double Replaced(JsValue target, JsValue[] arguments)
    {
        if (arguments.Length < 2 || arguments[1] is not JsString replacement || target is not JsString) return 0;
        string source = target.ToString(), with = replacement.ToString();
        double each = with.Length;
        for (int i = 0; i + 1 < with.Length; i++) if (with[i] == '$' && with[i + 1] is '`' or '\'') each += source.Length;
        if (each * (source.Length + 1.0) < 1 << 16) return 0;
        if (arguments[0] is not JsString pattern) return each * (source.Length + 1.0) / 8; // of a regular expression not every character is found
        string text = pattern.ToString();
        return 2 * (source.Length + each * (text.Length == 0 ? source.Length + 1 : source.AsSpan().Count(text)));
    }

    private static double Joined(JsValue target, JsValue[] arguments)
    {
        if (target is not JsArray array) return 0;
        double characters = (double)array.Length * (arguments.Length > 0 && arguments[0] is JsString separator ? separator.Length : 1);
        for (uint i = 0; i < array.Length; i++)
            if (array.TryGetValue(i, out JsValue item) && item is JsString text) characters += text.Length;
        return 2 * characters;
    }

    private static void GuardJson(ScriptEngine engine)
    {
        var json = (ObjectInstance)engine.Js.Global.Get("JSON");
        Guard(engine, json, "stringify", (_, arguments) =>
        {
            // What is small can hold a large text only so often.
            if (engine.Budget.BytesUsed < 16 * 1024) return 0;
            double characters = 0, most = engine.Budget.BytesLeft;
            Measure(At(arguments, 0), 0, most, ref characters);
            return 2 * characters;
        });
    }

    // Characters of the texts within; no more than would be too much. Calls nothing of the script's.
    private static void Measure(JsValue value, int depth, double most, ref double characters)
    {
        if (value is JsString text) characters += text.Length;
        if (depth > 32 || characters > most) return;
        if (value is JsArray array)
        {
            for (uint i = 0; i < array.Length && characters <= most; i++)
                if (array.TryGetValue(i, out JsValue item)) Measure(item, depth + 1, most, ref characters);
        }
        else if (value is JsObject instance)
        {
            foreach (KeyValuePair<JsValue, PropertyDescriptor> property in instance.GetOwnProperties())
                if (property.Value.IsDataDescriptor()) Measure(property.Value.Value, depth + 1, most, ref characters);
        }
    }

    private static JsValue At(JsValue[] arguments, int index) => index < arguments.Length ? arguments[index] : JsValue.Undefined;

    private static double Number(JsValue[] arguments, int index) => At(arguments, index) is JsNumber number ? TypeConverter.ToNumber(number) : 0;

    private static int Length(JsValue value) => value is JsString text ? text.Length : 0;
}
