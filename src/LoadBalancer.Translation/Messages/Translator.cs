using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Messages;

/// <summary>A map in one direction: clients speak one version, destinations the other. Immutable, any thread.</summary>
public sealed class Translator
{
    private readonly TemplateTable<TargetPlan> _requests, _references;

    internal Translator(IReadOnlyList<OperationRules> rules, MapVersion client, PlanSource toServer, PlanSource toClient)
    {
        ClientVersion = client;
        MapVersion server = client == MapVersion.V1 ? MapVersion.V2 : MapVersion.V1;
        var operations = new List<Operation>();
        var requests = new List<(PathTemplate, TargetPlan)>();
        var references = new List<(PathTemplate, TargetPlan)>();
        foreach (OperationRules rule in rules)
        {
            var operation = new Operation(rule, client, toServer, toClient);
            PathTemplate known = rule.Template(client), served = rule.Template(server);
            operations.Add(operation);
            requests.Add((known, new TargetPlan(known, served, operation, toServer.Query(rule, known, served))));
            references.Add((served, new TargetPlan(served, known, operation, toClient.Query(rule, served, known))));
        }
        Operations = operations;
        _requests = new(requests);
        _references = new(references);
    }

    /// <summary>What clients speak.</summary>
    public MapVersion ClientVersion { get; }

    /// <summary>All operations, in the order of the map.</summary>
    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>
    /// Translates the target of a request into <paramref name="buffers"/>. The operation is null, and nothing is written, where the map has none for it.
    /// </summary>
    /// <param name="method">As it came.</param>
    /// <param name="path">In normal form, percent-encoded.</param>
    /// <param name="query">Without its '?'.</param>
    /// <param name="buffers">Gets path and query.</param>
    /// <param name="operation">What the map has for it.</param>
    /// <returns>What is wrong with the request; null when nothing is.</returns>
    public TranslationProblem? Translate(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, TargetBuffers buffers, out Operation? operation) =>
        Translate(_requests, method, path, query, buffers, out operation);

    /// <summary>
    /// Translates the path and query of a reference that a destination has given (Location) to what clients know. False where the map has no operation for it: it stays as it is.
    /// </summary>
    public bool TryTranslateReference(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, TargetBuffers buffers) =>
        Translate(_references, default, path, query, buffers, out Operation? operation) is null && operation is not null;

    private static TranslationProblem? Translate(TemplateTable<TargetPlan> table, ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, TargetBuffers buffers, out Operation? operation)
    {
        var values = new TemplateValues();
        operation = null;
        if (table.Find(method, path, query, ref values) is not { } plan) return null;
        operation = plan.Operation;
        buffers.Reset();
        return plan.Write(path, query, values, buffers);
    }
}
