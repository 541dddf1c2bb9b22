using System.Globalization;
using System.Net;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>Rules of "allow" and "deny", of which nginx takes the first that matches, as the two lists that lb has: who is blocked, and who alone is let in.</summary>
internal static class NginxAddresses
{
    /// <summary>The rules as lists; false where lists do not mean the same.</summary>
    /// <param name="rules">In their order.</param>
    /// <param name="allow">Nobody: everybody is let in.</param>
    /// <param name="block">Who is kept out in any case.</param>
    internal static bool TryLists(IReadOnlyList<NginxDirective> rules, out List<string> allow, out List<string> block)
    {
        (allow, block) = ([], []);
        foreach (NginxDirective rule in rules)
        {
            bool allows = rule.Name == "allow";
            if (rule.Arg(0) == "all")
            {
                if (!allows) return allow.Count > 0; // "deny all" alone: lb has no list of nobody
                allow.Clear();
                return true;
            }
            if (Block(rule.Arg(0)) is not { } addresses) return false;
            // lb asks who is blocked first, so nobody may be let in before.
            if (!allows && allow.Count > 0) return false;
            (allows ? allow : block).Add(addresses);
        }
        allow.Clear(); // who is in no rule is let in
        return true;
    }

    /// <summary>Whether everybody is let in.</summary>
    internal static bool IsOpen(IReadOnlyList<NginxDirective> rules) => TryLists(rules, out List<string> allow, out List<string> block) && allow.Count + block.Count == 0;

    /// <summary>Whether nobody is.</summary>
    internal static bool IsClosed(IReadOnlyList<NginxDirective> rules) => rules is [{ Name: "deny", Args: ["all"] }, ..];

    /// <summary>An address or a block as lb writes it, without bits behind the prefix, which nginx masks; null for what is none.</summary>
    internal static string? Block(string text)
    {
        int slash = text.IndexOf('/');
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out IPAddress? address)) return null;
        if (slash < 0) return address.ToString();
        byte[] bytes = address.GetAddressBytes();
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int bits) || bits > bytes.Length * 8) return null;
        for (int bit = bits; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(bytes)}/{bits}");
    }
}
