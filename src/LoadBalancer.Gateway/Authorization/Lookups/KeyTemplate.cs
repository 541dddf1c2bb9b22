using System.Buffers;
using System.Text;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>
/// A key with variables, "perm:{claim:sub}:{path}". What stands in their place is percent-encoded but for letters, digits and "-._~/", so a value cannot end where the
/// template goes on: two different lists of values never make one key. Immutable.
/// </summary>
internal sealed class KeyTemplate
{
    /// <summary>Longest key, in characters.</summary>
    internal const int LengthMax = 8192;

    internal static readonly string[] Examples = ["\"{claim:NAME}\"", "\"{method}\"", "\"{path}\"", "\"{host}\"", "\"{route}\"", "\"{ip}\""];

    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"u8);
    private static readonly SearchValues<byte> Encoded = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%"u8);

    private readonly Part[] _parts;

    private readonly record struct Part(byte[] Literal, string? Variable, string Claim = "");

    private KeyTemplate(Part[] parts) => _parts = parts;

    /// <summary>Reads a template; null with what is wrong, as the rest of a sentence.</summary>
    internal static KeyTemplate? Parse(string text, out string? problem)
    {
        var parts = new List<Part>();
        problem = null;
        for (int at = 0; at < text.Length;)
        {
            int open = text.IndexOf('{', at);
            if (open < 0) open = text.Length;
            if (open > at) parts.Add(new(Encoding.UTF8.GetBytes(text[at..open]), null));
            if (open == text.Length) break;
            int close = text.IndexOf('}', open);
            string name = close < 0 ? "" : text[(open + 1)..close];
            if (name is not ("method" or "path" or "host" or "route" or "ip") && !(name.StartsWith("claim:", StringComparison.Ordinal) && name.Length > 6))
            {
                problem = $"has {Core.Configuration.CharacterText.Quote(close < 0 ? text[open..] : text[open..(close + 1)])}; expected one of {string.Join(", ", Examples)}";
                return null;
            }
            if (parts.Count > 0 && Before(parts) is { } between)
            {
                problem = $"has nothing between {{{parts.FindLast(part => part.Variable is not null).Variable}}} and {{{name}}} that they cannot have themselves{(between.Length > 0 ? $" (\"{between}\" they can)" : "")}; put \":\" there";
                return null;
            }
            parts.Add(new([], name, name.StartsWith("claim:", StringComparison.Ordinal) ? name["claim:".Length..] : ""));
            at = close + 1;
        }
        if (text.Length == 0) problem = "is empty";
        else if (text.Any(char.IsControl)) problem = "has a control character";
        else return new([.. parts]);
        return null;
    }

    /// <summary>Whether it depends on who the request is from.</summary>
    internal bool NeedsIdentity => Array.Exists(_parts, part => part.Variable?.StartsWith("claim:", StringComparison.Ordinal) == true);

    /// <summary>Writes the key as a part. False where there is no such claim, or it would be too long; <paramref name="missing"/> says which.</summary>
    // Hot path: per request. 0 allocations.
    internal bool TryWrite(RequestContext context, DecisionKey output, out ReadOnlySpan<byte> written, out string missing)
    {
        int start = output.BeginText(), length = 0;
        written = default;
        missing = "";
        Span<byte> address = stackalloc byte[64];
        foreach (Part part in _parts)
        {
            int added = part.Variable switch
            {
                null => AppendPlain(output, part.Literal),
                "method" => AppendText(output, context.Method),
                "path" => AppendEncoded(output, context.Path),
                "host" => AppendHost(output, context.Fields),
                "route" => AppendText(output, context.Route),
                "ip" => AppendEncoded(output, address[..context.ClientAddress.FormatAddress(address)]),
                _ => AppendText(output, Claim(context, part.Claim)),
            };
            if (added == 0) missing = part.Variable!;
            else if ((length += added) > LengthMax) missing = "shorter values";
            if (missing.Length > 0) return false;
        }
        written = output.EndText(start);
        return true;
    }

    // Of several values nobody can say which.
    private static string Claim(RequestContext context, string name)
    {
        IReadOnlyList<string> values = context.Identity is { } identity ? Rules.ClaimReader.Read(identity, name) : [];
        return values.Count == 1 ? values[0] : "";
    }

    private static int AppendPlain(DecisionKey output, byte[] literal)
    {
        output.Append(literal);
        return literal.Length;
    }

    private static int AppendHost(DecisionKey output, HeaderFields fields)
    {
        Span<byte> lower = stackalloc byte[512];
        return fields.TryGet("host"u8, out ReadOnlySpan<byte> host) && Ascii.ToLower(host, lower, out int length) == OperationStatus.Done ? AppendEncoded(output, lower[..length]) : 0;
    }

    private static int AppendText(DecisionKey output, string text)
    {
        Span<byte> utf8 = stackalloc byte[768];
        return Encoding.UTF8.TryGetBytes(text, utf8, out int length) ? AppendEncoded(output, utf8[..length]) : text.Length > LengthMax ? LengthMax + 1 : AppendEncoded(output, Encoding.UTF8.GetBytes(text));
    }

    private static int AppendEncoded(DecisionKey output, ReadOnlySpan<byte> value)
    {
        int length = value.Length;
        while (!value.IsEmpty)
        {
            int plain = value.IndexOfAnyExcept(Plain);
            if (plain < 0) plain = value.Length;
            output.Append(value[..plain]);
            value = value[plain..];
            if (value.IsEmpty) break;
            output.Append([(byte)'%', "0123456789ABCDEF"u8[value[0] >> 4], "0123456789ABCDEF"u8[value[0] & 15]]);
            value = value[1..];
            length += 2;
        }
        return length;
    }

    // What is between the variable before and the next one, where that could be part of a value; null where it is well, or there is none before.
    private static string? Before(List<Part> parts)
    {
        Part last = parts[^1];
        if (last.Variable is not null) return "";
        return parts.Exists(part => part.Variable is not null) && !last.Literal.AsSpan().ContainsAnyExcept(Encoded) ? Encoding.UTF8.GetString(last.Literal) : null;
    }
}
