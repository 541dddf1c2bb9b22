using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Authentication;

namespace LoadBalancer.Core.Tls;

/// <summary>Names of protocols and ciphers, the same from both engines, as strings that are made once.</summary>
internal static class TlsNames
{
    private static readonly ConcurrentDictionary<nint, string> Known = new(); // OpenSSL's own constants: a few dozen

    internal static string Of(nint text) => text == 0 ? "" : Known.GetOrAdd(text, static t => Marshal.PtrToStringAnsi(t) ?? "");

    internal static string Of(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "TLSv1.3",
        SslProtocols.Tls12 => "TLSv1.2",
        _ => protocol.ToString(),
    };
}
