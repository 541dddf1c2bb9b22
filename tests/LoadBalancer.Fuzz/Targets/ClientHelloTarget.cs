using System.Globalization;
using System.Text;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>ClientHellos: the name, whatever the bytes come in.</summary>
internal sealed class ClientHelloTarget : IFuzzTarget
{
    private readonly byte[] _room = new byte[ClientHello.LengthMax];

    public string Name => "clienthello";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        string whole = Parse(new ClientHello(), input, out _, out ClientHelloStatus status, out int length);
        var inPieces = new ClientHello();
        for (int end = 0; ; end = isThorough ? end + 1 : end + random.Next(1, 16))
        {
            end = Math.Min(end, input.Length);
            string part = Parse(inPieces, input.AsSpan(0, end), out inPieces, out ClientHelloStatus partStatus, out _);
            if (partStatus == ClientHelloStatus.NeedMore && end < input.Length) continue;
            FuzzException.ThrowUnlessSame($"the first {end} bytes", whole, part);
            break;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{status} {int.Log2(length + 1)} {int.Log2(input.Length + 1)}");
    }

    private string Parse(ClientHello parser, ReadOnlySpan<byte> bytes, out ClientHello after, out ClientHelloStatus status, out int length)
    {
        status = parser.Parse(bytes, _room, out ReadOnlySpan<byte> name);
        after = parser;
        length = name.Length;
        return $"{status} {Encoding.Latin1.GetString(name)}";
    }
}
