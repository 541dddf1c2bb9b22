using System.Text;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>TextDecoder</c>: UTF-8, whole texts.</summary>
internal sealed class TextDecoderObject : ScriptObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("encoding", static (_, _) => JsString.Create("utf-8"))
        .Accessor("fatal", static (target, _) => This<TextDecoderObject>(target)._isFatal ? JsBoolean.True : JsBoolean.False)
        .Method("decode", static (target, arguments) => This<TextDecoderObject>(target).Decode(At(arguments, 0)))
        .ToStringTag("TextDecoder")
        .Build();

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly bool _isFatal;

    private TextDecoderObject(ScriptEngine owner, ObjectInstance prototype, bool isFatal) : base(owner, prototype) => _isFatal = isFatal;

    internal static TextDecoderObject Construct(ScriptEngine engine, ObjectInstance prototype, JsValue[] arguments)
    {
        string label = At(arguments, 0).Type == Types.Undefined ? "utf-8" : TextAt(arguments, 0).Trim().ToLowerInvariant();
        if (label is not ("utf-8" or "utf8" or "unicode-1-1-utf-8")) throw engine.Failure("only utf-8 can be decoded");
        return new TextDecoderObject(engine, prototype, At(arguments, 1) is ObjectInstance options && TypeConverter.ToBoolean(options.Get("fatal")));
    }

    private JsString Decode(JsValue view)
    {
        if (view.Type == Types.Undefined) return JsString.Empty;
        ReadOnlySpan<byte> bytes = BodyContent.ViewBytes(view) ?? throw Owner.Failure("what is decoded is a Uint8Array or an ArrayBuffer");
        Owner.Budget.Demand(2.0 * bytes.Length);
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[3..];
        try
        {
            return JsString.Create((_isFatal ? Strict : Encoding.UTF8).GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            throw Owner.Failure("the bytes are no UTF-8");
        }
    }
}
