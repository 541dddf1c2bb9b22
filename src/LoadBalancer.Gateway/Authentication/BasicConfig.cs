using LoadBalancer.Core.Configuration;
using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity.Passwords;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies names and passwords (RFC 7617).</summary>
public sealed record BasicConfig : AuthenticationConfig
{
    /// <summary>A file of htpasswd -B (bcrypt). Null (default): none.</summary>
    public SourceConfig? Users { get; init; }

    /// <summary>Hashes of passwords by user, as in such a file.</summary>
    public IReadOnlyDictionary<string, string> Hashes { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>How long a password that was right is remembered, as a keyed hash. <see cref="TimeSpan.Zero"/>: not at all. Default 1 min.</summary>
    public TimeSpan RememberFor { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Passwords that are remembered. Default 4,096.</summary>
    public int Cache { get; init; } = 4096;

    /// <summary>Passwords that are verified at a time, as each takes a processor for long. 0 (default): half the processors, at least one.</summary>
    public int Concurrency { get; init; }

    /// <summary>Passwords that are verified or wait for it; beyond, requests get <see cref="AuthenticationConfig.UnavailableStatus"/>. Default 128.</summary>
    public int PendingMax { get; init; } = 128;

    private protected override IEnumerable<SourceConfig?> Sources => [Revoked, Users];

    /// <inheritdoc/>
    public override string Kind => "basic";

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (Users is null == (Hashes.Count == 0)) problems.Add("", Users is null ? "has no users; expected \"users\" or \"hashes\"" : "has users from two places; expected one of \"users\" and \"hashes\"");
        Users?.Validate<PasswordFile>("users", problems, SourceSet.UsersBytesMax, PasswordFile.TryRead);
        if (File(out string problem) is null) problems.Add("hashes", problem);
        problems.Range("rememberFor", RememberFor, AuthenticationRanges.RememberFor);
        problems.Range("cache", Cache, AuthenticationRanges.Cached);
        problems.Range("concurrency", Concurrency, AuthenticationRanges.Concurrency);
        problems.Range("pendingMax", PendingMax, AuthenticationRanges.Pending);
    }

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => (BasicConfig)base.InDirectory(directory) with { Users = Users?.InDirectory(directory) };

    internal PasswordFile? File(out string problem) =>
        PasswordFile.TryRead(Encoding.UTF8.GetBytes(string.Join('\n', Hashes.Select(user => $"{user.Key}:{user.Value}"))), out PasswordFile? file, out problem) ? file : null;

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new BasicPolicy(this, services);
}
