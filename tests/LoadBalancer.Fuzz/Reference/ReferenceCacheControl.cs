using System.Globalization;
using System.Numerics;
using System.Text;

namespace LoadBalancer.Fuzz.Reference;

/// <summary>Cache-Control read plainly and slowly, by other means than the parser it is compared with: a few of the directives.</summary>
internal static class ReferenceCacheControl
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    internal static string Describe(IEnumerable<string> lines)
    {
        int maxAge = -1, shared = -1;
        bool noStore = false, isPublic = false, mustRevalidate = false;
        foreach (string line in lines)
        {
            foreach ((string element, bool isSound) in Elements(line))
            {
                string name = string.Concat(element.TakeWhile(c => TokenCharacters.Contains(c, StringComparison.Ordinal)));
                string rest = element[name.Length..];
                int seconds = isSound ? Seconds(rest) : 0;
                switch (name.ToLowerInvariant())
                {
                    case "max-age": if (maxAge < 0) maxAge = seconds; break;
                    case "s-maxage": if (shared < 0) shared = seconds; break;
                    case "no-store": noStore = true; break;
                    case "public": isPublic |= rest.Length == 0 && isSound; break;
                    case "must-revalidate": mustRevalidate = true; break;
                }
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"{maxAge} {shared} {noStore} {isPublic} {mustRevalidate}");
    }

    // Elements without white space around them; sound until a quoted string has no end, from where on each comma counts.
    private static IEnumerable<(string Element, bool IsSound)> Elements(string line)
    {
        int start = 0;
        while (start <= line.Length)
        {
            var element = new StringBuilder();
            int at = start;
            bool isOpen = false;
            while (at < line.Length && (isOpen || line[at] != ','))
            {
                if (line[at] == '"') isOpen = !isOpen;
                else if (isOpen && line[at] == '\\' && at + 1 < line.Length) element.Append(line[at++]);
                element.Append(line[at++]);
            }
            if (isOpen)
            {
                foreach (string part in line[start..].Split(',')) yield return (part.Trim(' ', '\t'), false);
                yield break;
            }
            yield return (element.ToString().Trim(' ', '\t'), true);
            start = at + 1;
        }
    }

    private static int Seconds(string rest)
    {
        if (rest.Length < 2 || rest[0] != '=') return 0;
        string digits = rest[1..];
        if (digits.Length >= 2 && digits[0] == '"' && digits[^1] == '"') digits = digits[1..^1];
        if (digits.Length == 0 || digits.Any(c => !char.IsAsciiDigit(c))) return 0;
        return (int)BigInteger.Min(BigInteger.Parse(digits, CultureInfo.InvariantCulture), int.MaxValue);
    }
}
