using System.Text;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Messages;

/// <summary>
/// One operation of an API in one direction: clients speak the one version, destinations the other. Null plans leave as it is what they are for. Immutable, any thread.
/// </summary>
public sealed class Operation
{
    private readonly (int From, int To)[] _status;

    internal Operation(OperationRules rules, MapVersion client, PlanSource toServer, PlanSource toClient)
    {
        Rules = rules;
        Client = client;
        Name = rules.Template(client).Text;
        Request = toServer.Body(rules.Request);
        Response = toClient.Body(rules.Response);
        Error = toClient.Body(rules.Errors);
        RequestFields = toServer.Headers(rules.Request);
        ResponseFields = toClient.Headers(rules.Response);
        ErrorFields = toClient.Headers(rules.Errors);
        MapVersion server = client == MapVersion.V1 ? MapVersion.V2 : MapVersion.V1;
        Method = rules.Template(server).Method is { } method && method != rules.Template(client).Method ? Encoding.ASCII.GetBytes(method) : default(ReadOnlyMemory<byte>?);
        _status = [.. rules.Status.Select(s => client == MapVersion.V1 ? (s.V2, s.V1) : (s.V1, s.V2)).DistinctBy(s => s.Item1)];
    }

    /// <summary>The template that clients know, as the map writes it.</summary>
    public string Name { get; }

    /// <summary>Where the operation stands in the map.</summary>
    public string MapPath => Rules.MapPath;

    /// <summary>Method for the destination; null: the client's.</summary>
    public ReadOnlyMemory<byte>? Method { get; }

    /// <summary>Translates documents of requests.</summary>
    public BodyPlan? Request { get; }

    /// <summary>Translates documents of responses below 400.</summary>
    public BodyPlan? Response { get; }

    /// <summary>Translates documents of responses from 400 on.</summary>
    public BodyPlan? Error { get; }

    /// <summary>Translates header fields of requests.</summary>
    public HeaderPlan? RequestFields { get; }

    /// <summary>Translates header fields of responses below 400.</summary>
    public HeaderPlan? ResponseFields { get; }

    /// <summary>Translates header fields of responses from 400 on.</summary>
    public HeaderPlan? ErrorFields { get; }

    internal OperationRules Rules { get; }

    internal MapVersion Client { get; }

    /// <summary>Status for the client.</summary>
    public int Status(int status)
    {
        foreach ((int from, int to) in _status) if (from == status) return to;
        return status;
    }
}

/// <summary>Makes the plans of one direction.</summary>
internal sealed class PlanSource(PlanCompiler compiler, MapVersion from, bool passesUnconvertible, Action<string, string> report)
{
    internal MapVersion From { get; } = from;

    internal BodyPlan? Body(MessageRules? rules) => rules?.Body is { } body ? compiler.Compile(body) : null;

    internal HeaderPlan? Headers(MessageRules? rules) => rules is { Headers.Count: > 0 } ? new HeaderPlan(new TextPlan(rules.Headers, From, ignoresCase: true, report), passesUnconvertible) : null;

    internal QueryPlan Query(OperationRules rules, PathTemplate from, PathTemplate to) =>
        new(new TextPlan(rules.Query, From, ignoresCase: false, report), Names(from), Names(to), passesUnconvertible);

    private static byte[][] Names(PathTemplate template) => [.. template.Query.Select(q => Encoding.ASCII.GetBytes(q.Name))];
}
