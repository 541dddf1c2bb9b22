using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>crypto</c>: digests, HMAC, Base64url, random bytes. Unlike Web Crypto's none is a promise: there is nothing to wait for.</summary>
internal static class CryptoObject
{
    private const int RandomBytesMax = 65536; // as of getRandomValues

    private static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Method("sha256", static (target, arguments) => Digest(target, arguments, HashAlgorithmName.SHA256), 1)
        .Method("sha384", static (target, arguments) => Digest(target, arguments, HashAlgorithmName.SHA384), 1)
        .Method("sha512", static (target, arguments) => Digest(target, arguments, HashAlgorithmName.SHA512), 1)
        .Method("hmac", Hmac, 3)
        .Method("base64url", static (target, arguments) => JsString.Create(Base64Url.EncodeToString(Bytes(SharedObject.Engine(target), arguments, 0))), 1)
        .Method("base64urlDecode", Base64UrlDecode, 1)
        .Method("hex", static (target, arguments) => JsString.Create(Convert.ToHexStringLower(Bytes(SharedObject.Engine(target), arguments, 0))), 1)
        .Method("timingSafeEqual", static (target, arguments) => CryptographicOperations.FixedTimeEquals(Bytes(SharedObject.Engine(target), arguments, 0), Bytes(SharedObject.Engine(target), arguments, 1)) ? JsBoolean.True : JsBoolean.False, 2)
        .Method("randomUUID", static (_, _) => JsString.Create(RandomUuid()))
        .Method("randomBytes", RandomBytes, 1)
        .Build();

    internal static ObjectInstance Create(ScriptEngine engine)
    {
        ObjectInstance crypto = Shape.Instantiate(engine.Js);
        JsObjectShape.SetHostState(crypto, engine);
        return crypto;
    }

    private static JsValue Digest(JsValue target, JsValue[] arguments, HashAlgorithmName algorithm)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        return BodyContent.Bytes(engine, CryptographicOperations.HashData(algorithm, Bytes(engine, arguments, 0)));
    }

    private static JsValue Hmac(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        string name = ScriptObject.TextAt(arguments, 0).ToLowerInvariant().Replace("-", "");
        HashAlgorithmName algorithm = name switch
        {
            "sha256" => HashAlgorithmName.SHA256,
            "sha384" => HashAlgorithmName.SHA384,
            "sha512" => HashAlgorithmName.SHA512,
            _ => throw engine.Failure("crypto.hmac has \"sha256\", \"sha384\" and \"sha512\""),
        };
        byte[] key = Bytes(engine, arguments, 1);
        return BodyContent.Bytes(engine, CryptographicOperations.HmacData(algorithm, key, Bytes(engine, arguments, 2)));
    }

    private static JsValue Base64UrlDecode(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        string text = ScriptObject.TextAt(arguments, 0);
        try
        {
            return BodyContent.Bytes(engine, Base64Url.DecodeFromChars(text));
        }
        catch (FormatException)
        {
            throw engine.Failure("what crypto.base64urlDecode was given is no Base64url");
        }
    }

    private static JsValue RandomBytes(JsValue target, JsValue[] arguments)
    {
        ScriptEngine engine = SharedObject.Engine(target);
        double count = TypeConverter.ToIntegerOrInfinity(ScriptObject.At(arguments, 0));
        if (count is < 0 or > RandomBytesMax) throw engine.Failure($"crypto.randomBytes gives 0 to {RandomBytesMax} bytes");
        return BodyContent.Bytes(engine, RandomNumberGenerator.GetBytes((int)count));
    }

    // RFC 9562 §5.4, from the cryptographic generator.
    private static string RandomUuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x40);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    private static byte[] Bytes(ScriptEngine engine, JsValue[] arguments, int index)
    {
        JsValue value = ScriptObject.At(arguments, index);
        if (value is JsString text) return Encoding.UTF8.GetBytes(text.ToString());
        return BodyContent.ViewBytes(value) ?? throw engine.Failure("data is a string, which stands for its UTF-8, a Uint8Array or an ArrayBuffer");
    }
}
