using System.Text;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>Content between bytes and the values of scripts.</summary>
internal static class BodyContent
{
    internal static readonly Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> ToText = static (engine, body) => Text(engine, Whole(engine, body));
    internal static readonly Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> ToJson = static (engine, body) => Json(engine, Whole(engine, body));
    internal static readonly Func<ScriptEngine, ReadOnlyMemory<byte>?, JsValue> ToBytes = static (engine, body) => Bytes(engine, Whole(engine, body));

    /// <summary>The bytes of what a script gives as content, and the media type that goes with it.</summary>
    internal static byte[] Read(ScriptEngine engine, JsValue body, out string? contentType)
    {
        contentType = null;
        byte[] bytes;
        if (body.IsUndefined() || body.IsNull()) return [];
        if (body is JsString text)
        {
            contentType = "text/plain;charset=UTF-8";
            bytes = Encoding.UTF8.GetBytes(text.ToString());
        }
        else if (body is SearchParamsObject form)
        {
            contentType = "application/x-www-form-urlencoded;charset=UTF-8";
            bytes = Encoding.UTF8.GetBytes(form.Text);
        }
        else
            bytes = ViewBytes(body) ?? throw engine.Failure("content is a string, a Uint8Array, an ArrayBuffer, URLSearchParams or null; of an object, JSON.stringify(object)");
        if (bytes.Length > engine.Limits.BodyBytesMax) throw engine.Failure($"content of {bytes.Length} bytes is longer than bodyBytesMax, {engine.Limits.BodyBytesMax}");
        return bytes;
    }

    /// <summary>A copy of the bytes of a buffer or of a view of one; null for what is neither.</summary>
    internal static byte[]? ViewBytes(JsValue value)
    {
        if (value.IsUint8Array()) return value.AsUint8Array();
        if (value.IsArrayBuffer()) return value.AsArrayBuffer();
        if (value.IsDataView()) return value.AsDataView();
        return null;
    }

    internal static JsValue Bytes(ScriptEngine engine, ReadOnlySpan<byte> bytes)
    {
        engine.Budget.Demand(bytes.Length);
        return engine.Js.Intrinsics.Uint8Array.Construct(bytes);
    }

    private static JsString Text(ScriptEngine engine, ReadOnlySpan<byte> bytes)
    {
        engine.Budget.Demand(2.0 * bytes.Length);
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[3..]; // as Fetch decodes
        return JsString.Create(Encoding.UTF8.GetString(bytes));
    }

    private static JsValue Json(ScriptEngine engine, ReadOnlySpan<byte> bytes) => new JsonParser(engine.Js).Parse(Text(engine, bytes).ToString());

    private static ReadOnlySpan<byte> Whole(ScriptEngine engine, ReadOnlyMemory<byte>? body)
    {
        if (body is { } whole) return whole.Span;
        engine.Call!.HasLostBody = true;
        throw engine.Failure("the content cannot be had: it is too long, or its sender has gone");
    }
}
