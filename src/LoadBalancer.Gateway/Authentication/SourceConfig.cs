using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity.Following;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Where something is fetched from again and again: keys, users, what is revoked. What was last good is used while it cannot be had.</summary>
public sealed record SourceConfig
{
    private const string RedisPrefix = "redis:";

    /// <summary>A URL ("https://…"), a file, or "redis:KEY": a set of lines in the Redis of the configuration.</summary>
    public string From { get; init; } = "";

    /// <summary>Between two fetches, ± 10 %. <see cref="TimeSpan.Zero"/> (default): 5 min for a URL, 10 s for a file or Redis.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Until a fetch is given up. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Least time between fetches out of turn: for a key that a token names and nobody knows. Default 30 s.</summary>
    public TimeSpan RefetchMin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long what was last good is used without a fetch that succeeds. <see cref="TimeSpan.Zero"/> (default): for ever.</summary>
    public TimeSpan MaxAge { get; init; }

    /// <summary>PEM file of the authority that the server's certificate must come from. Null (default): the system's.</summary>
    public string? Ca { get; init; }

    /// <summary>Whether "http://" is fetched from other hosts than this one: whoever is on the way chooses what comes. Default false.</summary>
    public bool AllowHttp { get; init; }

    internal bool IsUrl => From.Contains("://", StringComparison.Ordinal);

    internal bool IsFile => !IsUrl && RedisKey is null;

    /// <summary>The key in Redis; null where it is from elsewhere.</summary>
    internal string? RedisKey => From.StartsWith(RedisPrefix, StringComparison.Ordinal) ? From[RedisPrefix.Length..] : null;

    internal TimeSpan IntervalOrDefault => Interval > TimeSpan.Zero ? Interval : IsUrl ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(10);

    internal SourceConfig InDirectory(string directory) => this with
    {
        From = !IsFile || From.Length == 0 ? From : Path.Combine(directory, From),
        Ca = string.IsNullOrEmpty(Ca) ? Ca : Path.Combine(directory, Ca),
    };

    /// <summary>Checks it, and what a file says; a URL is not fetched, nor is Redis asked.</summary>
    internal void Validate<T>(string path, PolicyProblems problems, int bytesMax, ReadContents<T> read) where T : class
    {
        if (From.Length == 0) problems.Add(path, "says not where it is; expected a file, a URL (\"https://…\") or \"redis:KEY\"");
        else if (IsUrl) ValidateUrl(path, problems);
        else if (RedisKey is { } key)
        {
            if (key.Length == 0) problems.Add(path, "names no key behind \"redis:\"");
            else if (problems.Config.Redis is null) problems.Add(path, "needs the \"redis\" of the configuration, which has none");
        }
        else if (!WholeFile.TryRead(From, bytesMax, out byte[]? content, out string error) || !read(content, out _, out error)) problems.Add(path, $"the file {CharacterText.Quote(From)}: {error}");
        problems.Range($"{path}.interval", Interval, AuthenticationRanges.Interval);
        problems.Range($"{path}.timeout", Timeout, AuthenticationRanges.Timeout);
        problems.Range($"{path}.refetchMin", RefetchMin, AuthenticationRanges.RefetchMin);
        problems.Range($"{path}.maxAge", MaxAge, AuthenticationRanges.MaxAge);
        if (MaxAge > TimeSpan.Zero && MaxAge < IntervalOrDefault) problems.Add($"{path}.maxAge", "is less than the interval, so that it would be too old between fetches");
        if (Ca is not null && !IsUrl) problems.Add($"{path}.ca", "is only for a URL");
    }

    private void ValidateUrl(string path, PolicyProblems problems)
    {
        if (!Uri.TryCreate(From, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0 || uri.UserInfo.Length > 0)
            problems.Add(path, $"{CharacterText.Quote(From)} is no URL that can be fetched; expected \"https://host/path\"");
        else if (uri.Scheme == "http" && !AllowHttp && !uri.IsLoopback)
            problems.Add(path, "is fetched without TLS, so whoever is on the way chooses what comes; use https, or \"allowHttp\": true on a network that is yours");
    }
}
