using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Headers;

/// <summary>Changes header fields of requests and answers.</summary>
public sealed record HeadersConfig : PolicyConfig
{
    /// <summary>Changes of requests. Null (default) for none.</summary>
    public HeaderChanges? Request { get; init; }

    /// <summary>Changes of answers, of destinations and of the cache. Null (default) for none.</summary>
    public HeaderChanges? Response { get; init; }

    /// <inheritdoc/>
    public override string Kind => "headers";

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        if (Request is null && Response is null) problems.Add("", "changes nothing; expected \"request\" or \"response\"");
        Request?.Validate("request", problems);
        Response?.Validate("response", problems);
    }

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new HeadersPolicy(this);
}

/// <summary>Changes of header fields: first what is removed, then what is set, then what is added.</summary>
public sealed record HeaderChanges
{
    /// <summary>Fields that are taken out.</summary>
    public IReadOnlyList<string> Remove { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Fields with this value, in the place of any.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Lines beside those that are there.</summary>
    public IReadOnlyDictionary<string, string> Add { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    internal void Validate(string path, PolicyProblems problems)
    {
        for (int i = 0; i < Remove.Count; i++) Name($"{path}.remove[{i}]", Remove[i], problems);
        foreach ((string name, string value) in Set) Field($"{path}.set", name, value, problems);
        foreach ((string name, string value) in Add) Field($"{path}.add", name, value, problems);
    }

    private static void Field(string path, string name, string value, PolicyProblems problems)
    {
        string item = ConfigPath.Member(path, name);
        Name(item, name, problems);
        if (HttpSyntax.FieldValueError(value) is { } error) problems.Add(item, $"{CharacterText.Quote(value)} {error}");
    }

    private static void Name(string path, string name, PolicyProblems problems)
    {
        if (!HttpSyntax.IsToken(name)) problems.Add(path, $"{CharacterText.Quote(name)} is no header name; expected letters, digits and \"-\"");
        else if (HeaderFields.IsConnections(Encoding.ASCII.GetBytes(name))) problems.Add(path, $"\"{name}\" is set by the balancer itself");
    }
}
