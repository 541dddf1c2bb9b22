using System.Collections.Concurrent;
using System.Globalization;

namespace LoadBalancer.Admin.Routing;

/// <summary>Names of this machine's users, as /etc/passwd has them. Thread-safe.</summary>
internal static class PeerName
{
    private const string UserFile = "/etc/passwd";
    private const int LinesMax = 100_000, KnownMax = 256;

    private static readonly ConcurrentDictionary<int, string?> s_known = new();

    /// <summary>"user alice (uid 1000, pid 4242)"; without a name where the file has none, as of users of a directory service.</summary>
    internal static string Describe(int user, int process)
    {
        string ids = process > 0 ? string.Create(CultureInfo.InvariantCulture, $"uid {user}, pid {process}") : string.Create(CultureInfo.InvariantCulture, $"uid {user}");
        return Find(user) is { } name ? $"user {name} ({ids})" : $"user {user} ({ids})";
    }

    private static string? Find(int user)
    {
        if (s_known.TryGetValue(user, out string? name)) return name;
        if (s_known.Count >= KnownMax) s_known.Clear();
        return s_known[user] = Read(user);
    }

    private static string? Read(int user)
    {
        string id = user.ToString(CultureInfo.InvariantCulture);
        try
        {
            foreach (string line in File.ReadLines(UserFile).Take(LinesMax))
            {
                string[] fields = line.Split(':'); // name, password, user id, …: passwd(5)
                if (fields.Length > 2 && fields[2] == id && fields[0].All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) return fields[0];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the number tells it too
        }
        return null;
    }
}
