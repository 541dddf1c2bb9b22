using System.Text;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;
using LoadBalancer.Schemas.Tests.Requests;

namespace LoadBalancer.Schemas.Tests.OpenApi;

/// <summary>Loads documents from text and holds requests against them.</summary>
internal static class OpenApiFixture
{
    internal static OpenApiDocument Load(string text, OpenApiOptions? options = null, params (string Name, string Text)[] others)
    {
        (OpenApiDocument? document, IReadOnlyList<SchemaProblem> problems) = TryLoad(text, options, others);
        Assert.That(document, Is.Not.Null, string.Join('\n', problems));
        return document!;
    }

    internal static (OpenApiDocument?, IReadOnlyList<SchemaProblem>) TryLoad(string text, OpenApiOptions? options = null, params (string Name, string Text)[] others)
    {
        var source = new DocumentSet();
        var uri = new Uri(text.TrimStart().StartsWith('{') ? "file:///docs/api.json" : "file:///docs/api.yaml");
        source.Add(uri, Encoding.UTF8.GetBytes(text));
        foreach ((string name, string content) in others) source.Add(new Uri($"file:///docs/{name}"), Encoding.UTF8.GetBytes(content));
        OpenApiDocument.TryLoad(source, uri, options ?? new OpenApiOptions(), out OpenApiDocument? document, out IReadOnlyList<SchemaProblem> problems);
        return (document, problems);
    }

    internal static (RequestVerdict Verdict, List<RequestProblem> Problems) Send(this RequestContract contract, string method, string target, string body = "", params string[] fields)
    {
        int query = target.IndexOf('?', StringComparison.Ordinal);
        byte[] path = Encoding.UTF8.GetBytes(query < 0 ? target : target[..query]);
        byte[] pairs = Encoding.UTF8.GetBytes(query < 0 ? "" : target[(query + 1)..]);
        var problems = new List<RequestProblem>();
        RequestVerdict verdict = contract.ValidateRequest(Encoding.ASCII.GetBytes(method), path, pairs, new Fields(fields), Encoding.UTF8.GetBytes(body), problems);
        RequestVerdict quick = contract.ValidateRequest(Encoding.ASCII.GetBytes(method), path, pairs, new Fields(fields), Encoding.UTF8.GetBytes(body), null);
        Assert.That(quick, Is.EqualTo(verdict), "the verdict is the same when no problems are asked for");
        return (verdict, problems);
    }
}
