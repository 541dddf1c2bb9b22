using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Policies;

/// <summary>What the configuration says of a policy. Each kind of policy derives its own, with defaults that hold.</summary>
public abstract record PolicyConfig
{
    /// <summary>What kind it is, one word as it stands in the configuration.</summary>
    public abstract string Kind { get; }

    /// <summary>Whether it asks the configuration's <see cref="ProxyConfig.Redis"/>.</summary>
    protected internal virtual bool UsesRedis => false;

    /// <summary>Checks it: ranges, files, references. Opens no socket and asks no DNS.</summary>
    /// <param name="problems">Takes what is wrong.</param>
    protected internal virtual void Validate(PolicyProblems problems)
    {
    }

    /// <summary>The same, with the paths of its files made absolute: relative ones start from the configuration file's directory.</summary>
    protected internal virtual PolicyConfig InDirectory(string directory) => this;

    /// <summary>
    /// Whether a policy made from this, in one configuration, is also the one to be had in another: then a reload keeps it with all that it has learned. Asked where nothing of this
    /// record itself has changed, so it is about what it names: other policies, address lists, files that it reads once.
    /// </summary>
    protected internal virtual bool IsSameIn(ProxyConfig before, ProxyConfig after) => !UsesRedis || before.Redis == after.Redis;

    /// <summary>Makes the policy, of which there is one for all routes that name it. What it reads from files was valid a moment ago; what is not any more is an exception.</summary>
    protected internal abstract IRoutePolicy Create(PolicyServices services);
}

/// <summary>A policy of the embedding program's own, given as an object.</summary>
/// <param name="Policy">The policy.</param>
public sealed record CustomPolicyConfig(IRoutePolicy Policy) : PolicyConfig
{
    /// <inheritdoc/>
    public override string Kind => "custom";

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => Policy;
}

/// <summary>Takes what is wrong with one policy.</summary>
public sealed class PolicyProblems
{
    private readonly ProblemList _problems;
    private readonly string _path;

    internal PolicyProblems(ProblemList problems, string path, ProxyConfig config)
    {
        _problems = problems;
        _path = path;
        Config = config;
    }

    /// <summary>The whole configuration, for references to other parts of it.</summary>
    public ProxyConfig Config { get; }

    /// <summary>Adds a problem.</summary>
    /// <param name="path">The field within the policy, as in <c>issuers[0].jwks</c>; empty for the policy itself.</param>
    /// <param name="message">What is wrong, what was expected and, where it can be told, the fix. One line.</param>
    public void Add(string path, string message) => _problems.Add(PathOf(path), message);

    /// <summary>The cluster must be there.</summary>
    public void Cluster(string path, string cluster)
    {
        if (!Config.Clusters.ContainsKey(cluster)) Add(path, $"there is no cluster {CharacterText.Quote(cluster)}{Suggestion.Text(cluster, [.. Config.Clusters.Keys])}");
    }

    internal void Range(string path, long value, NumberRange range)
    {
        if (!range.Contains(value)) Add(path, $"{value} is out of range; expected {range.Text}");
    }

    internal void Range(string path, TimeSpan value, DurationRange range)
    {
        if (!range.Contains(value)) Add(path, $"{DurationText.Format(value)} is out of range; expected {range.Text}");
    }

    private string PathOf(string path) => path.Length == 0 ? _path : path[0] == '[' ? _path + path : $"{_path}.{path}";
}
