using System.Text;
using Jint.Native;
using Jint.Native.Object;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>TextEncoder</c>: UTF-8.</summary>
internal sealed class TextEncoderObject(ScriptEngine owner, ObjectInstance prototype) : ScriptObject(owner, prototype)
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("encoding", static (_, _) => JsString.Create("utf-8"))
        .Method("encode", static (target, arguments) => BodyContent.Bytes(This<TextEncoderObject>(target).Owner, Encoding.UTF8.GetBytes(At(arguments, 0).Type == Jint.Runtime.Types.Undefined ? "" : TextAt(arguments, 0))))
        .ToStringTag("TextEncoder")
        .Build();
}
