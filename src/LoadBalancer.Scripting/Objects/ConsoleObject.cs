using System.Text;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>console</c>: lines of the proxy's own log.</summary>
internal static class ConsoleObject
{
    private static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Method("debug", static (target, arguments) => Write(target, LogLevel.Debug, arguments))
        .Method("log", static (target, arguments) => Write(target, LogLevel.Information, arguments))
        .Method("info", static (target, arguments) => Write(target, LogLevel.Information, arguments))
        .Method("warn", static (target, arguments) => Write(target, LogLevel.Warning, arguments))
        .Method("error", static (target, arguments) => Write(target, LogLevel.Error, arguments))
        .Build();

    internal static ObjectInstance Create(ScriptEngine engine)
    {
        ObjectInstance console = Shape.Instantiate(engine.Js);
        JsObjectShape.SetHostState(console, engine);
        return console;
    }

    private static JsValue Write(JsValue target, LogLevel level, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        if (!engine.Host.Console.TryEnter(level)) return JsValue.Undefined;
        var line = new StringBuilder();
        foreach (JsValue argument in arguments)
        {
            if (line.Length > 0) line.Append(' ');
            line.Append(Text(engine, argument));
            if (line.Length > ScriptConsole.LineMax) break;
        }
        engine.Host.Console.Write(level, line.ToString());
        return JsValue.Undefined;
    }

    private static string Text(ScriptEngine engine, JsValue value)
    {
        if (value is not ObjectInstance instance) return value.Type == Types.Symbol ? "Symbol" : TypeConverter.ToString(value);
        if (instance.Get("stack") is JsString stack) return stack.ToString() is { Length: > 0 } trace && TypeConverter.ToString(instance.Get("message")) is var message ? $"{TypeConverter.ToString(instance.Get("name"))}: {message} {trace}" : instance.ToString();
        try
        {
            return new JsonSerializer(engine.Js).Serialize(value) is JsString json ? json.ToString() : "[function]";
        }
        catch (JavaScriptException)
        {
            return "[object]"; // in a circle
        }
    }
}
