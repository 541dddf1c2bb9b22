using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Identity.Passwords;

/// <summary>Users and the bcrypt hashes of their passwords: a file of htpasswd -B. Immutable.</summary>
public sealed class PasswordFile
{
    /// <summary>Most users.</summary>
    public const int UsersMax = 10_000;

    /// <summary>Least and greatest cost: below, hashes are guessed too fast (OWASP: at least 10; htpasswd's own default is 5); one more doubles the time, 14 takes about a second.</summary>
    public const int CostMin = 5, CostMax = 14;

    private readonly Dictionary<string, string> _users = new(StringComparer.Ordinal);

    private PasswordFile()
    {
    }

    /// <summary>Users.</summary>
    public int Count => _users.Count;

    /// <summary>The highest cost in it: what an unknown user costs.</summary>
    internal int Cost { get; private set; } = CostMin;

    internal string? HashOf(string user) => _users.GetValueOrDefault(user);

    /// <summary>Reads a file; false with the first line that is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PasswordFile? file, out string problem)
    {
        file = null;
        problem = "is no UTF-8";
        if (!Utf8.IsValid(text)) return false;
        var read = new PasswordFile();
        int at = 0;
        foreach (string row in Encoding.UTF8.GetString(text).Split('\n'))
        {
            at++;
            string line = row.TrimEnd('\r', ' ', '\t');
            if (line.Length == 0 || line[0] == '#') continue;
            if (read.TryAdd(line, out problem)) continue;
            problem = $"line {at}: {problem}";
            return false;
        }
        file = read;
        problem = "";
        return true;
    }

    private bool TryAdd(string line, out string problem)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        problem = "there is no \"USER:HASH\"";
        if (colon <= 0) return false;
        string user = line[..colon], hash = line[(colon + 1)..];
        problem = ProblemOf(hash, out int cost);
        if (problem.Length == 0 && _users.Count >= UsersMax) problem = $"there are more than {UsersMax} users";
        if (problem.Length == 0 && !_users.TryAdd(user, hash)) problem = "the user is given twice";
        if (problem.Length > 0) return false;
        Cost = Math.Max(Cost, cost);
        return true;
    }

    private static string ProblemOf(string hash, out int cost)
    {
        cost = 0;
        const string Fix = "; make it with htpasswd -B -C 10";
        if (hash.StartsWith("{SHA}", StringComparison.OrdinalIgnoreCase) || hash.StartsWith("{SSHA}", StringComparison.OrdinalIgnoreCase)) return "SHA-1 is guessed at billions a second" + Fix;
        if (hash.StartsWith("$apr1$", StringComparison.Ordinal) || hash.StartsWith("$1$", StringComparison.Ordinal)) return "MD5 ($apr1$) is guessed at millions a second" + Fix;
        if (hash.StartsWith("$5$", StringComparison.Ordinal) || hash.StartsWith("$6$", StringComparison.Ordinal)) return "SHA-crypt is not supported" + Fix;
        if (hash.Length != 60 || !hash.StartsWith("$2", StringComparison.Ordinal) || hash[2] is not ('a' or 'b' or 'y') || hash[3] != '$' || hash[6] != '$')
            return (hash.Length == 13 ? "crypt is guessed at millions a second" : "it is no bcrypt hash") + Fix;
        if (!int.TryParse(hash.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out cost) || cost is < CostMin or > CostMax) return $"its cost is not {CostMin} to {CostMax}";
        return hash.AsSpan(7).ContainsAnyExcept(Alphabet) ? "it is no bcrypt hash" + Fix : "";
    }

    private static readonly System.Buffers.SearchValues<char> Alphabet = System.Buffers.SearchValues.Create("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}
