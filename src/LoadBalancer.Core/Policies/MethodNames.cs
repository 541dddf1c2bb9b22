using System.Text;

namespace LoadBalancer.Core.Policies;

/// <summary>Methods as strings that are there already.</summary>
internal static class MethodNames
{
    internal static string Get(ReadOnlySpan<byte> method)
    {
        if (method.SequenceEqual("GET"u8)) return "GET";
        if (method.SequenceEqual("POST"u8)) return "POST";
        if (method.SequenceEqual("PUT"u8)) return "PUT";
        if (method.SequenceEqual("PATCH"u8)) return "PATCH";
        if (method.SequenceEqual("DELETE"u8)) return "DELETE";
        if (method.SequenceEqual("HEAD"u8)) return "HEAD";
        if (method.SequenceEqual("OPTIONS"u8)) return "OPTIONS";
        return Encoding.ASCII.GetString(method);
    }
}
