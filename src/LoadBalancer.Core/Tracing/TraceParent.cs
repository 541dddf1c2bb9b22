using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Tracing;

/// <summary>The field traceparent (W3C Trace Context, level 1 and 2, §3.2): "00-", a trace's id, a span's id, flags.</summary>
internal static class TraceParent
{
    internal const int Length = 55, TraceIdStart = 3, TraceIdLength = 32, SpanIdStart = 36, SpanIdLength = 16, FlagsStart = 53;

    /// <summary>"traceparent: " with value and line end.</summary>
    internal const int LineLength = 13 + Length + 2;

    private const byte SampledFlag = 1;

    /// <summary>Level 2 §3.2.2.5.2: the id was made by chance; who passes a trace on passes this on.</summary>
    internal const byte RandomFlag = 2;

    // Lower case only.
    private static readonly SearchValues<byte> Hex = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>Whether a value can be believed. Of a later version what this one knows counts (§3.2.4).</summary>
    internal static bool IsValid(ReadOnlySpan<byte> value)
    {
        if (value.Length < Length || value[2] != '-' || value[35] != '-' || value[52] != '-') return false;
        ReadOnlySpan<byte> version = value[..2], trace = value.Slice(TraceIdStart, TraceIdLength), span = value.Slice(SpanIdStart, SpanIdLength);
        if (version.ContainsAnyExcept(Hex) || trace.ContainsAnyExcept(Hex) || span.ContainsAnyExcept(Hex) || value.Slice(FlagsStart, 2).ContainsAnyExcept(Hex)) return false;
        if (version.SequenceEqual("ff"u8) || !trace.ContainsAnyExcept((byte)'0') || !span.ContainsAnyExcept((byte)'0')) return false;
        return version.SequenceEqual("00"u8) ? value.Length == Length : value.Length == Length || value[Length] == '-';
    }

    /// <summary>The flags of a valid value.</summary>
    internal static byte FlagsOf(ReadOnlySpan<byte> value) => Utf8Parser.TryParse(value.Slice(FlagsStart, 2), out byte flags, out _, 'x') ? flags : (byte)0;

    /// <summary>The one value of a request that can be believed; empty where there is none, several, or a malformed one.</summary>
    internal static ReadOnlySpan<byte> Of(RequestHead request, ReadOnlySpan<byte> bytes)
    {
        int index = request.IndexOf(KnownField.TraceParent);
        if (index < 0) return default;
        for (int i = index + 1; i < request.FieldCount; i++)
            if (request.Fields[i].Known == KnownField.TraceParent) return default;
        ReadOnlySpan<byte> value = request.ValueOf(index, bytes);
        return IsValid(value) ? value : default;
    }

    /// <summary>Writes the line that makes a span the parent of what follows.</summary>
    internal static void Append(ref Forwarding.HeadBuffer head, Activity span, byte moreFlags)
    {
        head.Append("traceparent: 00-"u8);
        Span<byte> id = stackalloc byte[16];
        span.TraceId.CopyTo(id);
        AppendHex(ref head, id);
        head.Append((byte)'-');
        span.SpanId.CopyTo(id[..8]); // fills what it gets
        AppendHex(ref head, id[..8]);
        head.Append((byte)'-');
        AppendHex(ref head, [(byte)((span.Recorded ? SampledFlag : 0) | moreFlags)]);
        head.Append("\r\n"u8);
    }

    private static void AppendHex(ref Forwarding.HeadBuffer head, scoped ReadOnlySpan<byte> bytes)
    {
        Convert.TryToHexStringLower(bytes, head.Free, out int written);
        head.Advance(written);
    }
}
