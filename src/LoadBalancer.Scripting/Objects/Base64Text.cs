using System.Text;
using Jint.Native;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>atob</c> and <c>btoa</c> (HTML §8.3), whose texts have a byte for each character.</summary>
internal static class Base64Text
{
    internal static JsValue Encode(ScriptEngine engine, JsValue[] arguments)
    {
        string text = ScriptObject.TextAt(arguments, 0);
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', '\xFF') >= 0) throw engine.Failure("btoa takes characters up to U+00FF; encode others by TextEncoder and crypto.base64url");
        return JsString.Create(Convert.ToBase64String(Encoding.Latin1.GetBytes(text)));
    }

    internal static JsValue Decode(ScriptEngine engine, JsValue[] arguments)
    {
        string text = string.Concat(ScriptObject.TextAt(arguments, 0).Split([' ', '\t', '\n', '\f', '\r'])); // forgiving-base64 decode (Infra §5)
        if (text.Length % 4 == 0 && text.EndsWith('=')) text = text.EndsWith("==", StringComparison.Ordinal) ? text[..^2] : text[..^1];
        byte[] bytes = new byte[text.Length];
        int length = 0;
        bool isValid = text.Length % 4 != 1 && !text.Contains('=') && TryDecode(text, bytes, out length);
        return isValid ? JsString.Create(Encoding.Latin1.GetString(bytes, 0, length)) : throw engine.Failure("what atob was given is no Base64");
    }

    // Bits that are left over may be anything.
    private static bool TryDecode(string text, Span<byte> bytes, out int length)
    {
        length = 0;
        int bits = 0, count = 0;
        foreach (char c in text)
        {
            int value = c switch { >= 'A' and <= 'Z' => c - 'A', >= 'a' and <= 'z' => c - 'a' + 26, >= '0' and <= '9' => c - '0' + 52, '+' => 62, '/' => 63, _ => -1 };
            if (value < 0) return false;
            bits = bits << 6 | value;
            if ((count += 6) < 8) continue;
            count -= 8;
            bytes[length++] = (byte)(bits >> count);
            bits &= (1 << count) - 1;
        }
        return true;
    }
}
