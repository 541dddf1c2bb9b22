using System.Text;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Messages;

namespace LoadBalancer.Translation.Tests.Messages;

/// <summary>Methods, paths and queries.</summary>
public class TargetTests
{
    private static readonly VersionMap Map = VersionMap.Parse(TestMaps.Bytes("""
        { 'routes': [
            { 'v1': 'GET /v1/users/{id}', 'v2': 'GET /v2/accounts/{id}', 'query': ['q <-> search', 'sort by <-> order', { 'v2': 'expand', 'constant': 'a&b' }, { 'path': 'limit', 'default': { 'v2': 20, 'omit': true } },
                { 'v1': 'debug', 'lossy': true }, { 'path': 'on', 'convert': { 'enum': [[true, 'yes'], [false, 'no']] } }, { 'v1': 'since', 'v2': 'after', 'convert': { 'v1': 'unix-seconds', 'v2': 'rfc3339' } }] },
            { 'v1': 'GET /v1/users/me', 'v2': 'GET /v2/self' },
            { 'v1': 'POST /v1/users/{id}/rename', 'v2': 'PATCH /v2/accounts/{id}/name' },
            { 'v1': 'GET /v1/orders/{user}/{id}', 'v2': 'GET /v2/orders?owner={user}&number={id}&kind=all' },
            { 'v1': '/v1/files/**', 'v2': '/v2/blobs/x/**' },
            { 'v1': 'GET /v1/%7ecaf%c3%a9', 'v2': 'GET /v2/caf%c3%a9' },
            { 'v1': 'GET /', 'v2': 'GET /v2' } ] }
        """));

    [TestCase("GET /v1/users/7", "GET /v2/accounts/7?expand=a%26b&limit=20")]
    [TestCase("GET /v1/users/7?q=a+b%20c&x=%zz&q=2", "GET /v2/accounts/7?search=a+b%20c&x=%zz&search=2&expand=a%26b&limit=20", Description = "what is not named stays as it is written, in its order")]
    [TestCase("GET /v1/users/7?%71=1&sort+by=2", "GET /v2/accounts/7?search=1&order=2&expand=a%26b&limit=20", Description = "names are compared decoded")]
    [TestCase("GET /v1/users/7?search=forged&expand=forged&debug=1&limit=5", "GET /v2/accounts/7?limit=5&expand=a%26b", Description = "names of v2 are not taken from clients of v1")]
    [TestCase("GET /v1/users/7?on=true&since=0", "GET /v2/accounts/7?on=yes&after=1970-01-01T00%3A00%3A00Z&expand=a%26b&limit=20")]
    [TestCase("GET /v1/users/7?q", "GET /v2/accounts/7?search&expand=a%26b&limit=20")]
    [TestCase("GET /v1/users/me", "GET /v2/self")]
    [TestCase("GET /v1/users/a%2Fb", "GET /v2/accounts/a%2Fb?expand=a%26b&limit=20")]
    [TestCase("GET /v1/users/", null)]
    [TestCase("GET /v1/users", null)]
    [TestCase("DELETE /v1/users/7", null)]
    [TestCase("get /v1/users/7", null)]
    [TestCase("POST /v1/users/7/rename", "PATCH /v2/accounts/7/name")]
    [TestCase("GET /v1/orders/a+b&c/%26?kind=x&owner=y&z=1", "GET /v2/orders?owner=a%2Bb%26c&number=%26&kind=all&z=1")]
    [TestCase("PUT /v1/files", "PUT /v2/blobs/x")]
    [TestCase("PUT /v1/files/", "PUT /v2/blobs/x/")]
    [TestCase("PUT /v1/files/a//b%2F?q=1", "PUT /v2/blobs/x/a//b%2F?q=1")]
    [TestCase("GET /v1/~caf%C3%A9", "GET /v2/caf%C3%A9", Description = "templates are brought into normal form")]
    [TestCase("GET /", "GET /v2")]
    public void Translate_ForClientsOfV1(string request, string? expected) => Assert.That(Translate(Map.ForV1Clients, request), Is.EqualTo(expected));

    [TestCase("GET /v2/accounts/7?search=1&limit=20&expand=x&on=no", "GET /v1/users/7?q=1&on=false")]
    [TestCase("GET /v2/orders?number=a%2Fb&owner=c+d&kind=all&x=1", "GET /v1/orders/c%20d/a%2Fb?x=1")]
    [TestCase("GET /v2/orders?number=a/b?&owner=c&kind=all", "GET /v1/orders/c/a%2Fb%3F")]
    [TestCase("GET /v2/orders?number=1&owner=c&kind=some", null)]
    [TestCase("GET /v2/orders?number=1&kind=all", null)]
    [TestCase("GET /v2/orders?number=1&number=2&owner=c&kind=all", null, Description = "nobody knows which is meant")]
    [TestCase("GET /v2/orders?number=%2e.&owner=c&kind=all", "!the parameter for \"{id}\" is no segment of a path")]
    [TestCase("PATCH /v2/accounts/7/name", "POST /v1/users/7/rename")]
    [TestCase("GET /v2", "GET /")]
    public void Translate_ForClientsOfV2(string request, string? expected) => Assert.That(Translate(Map.ForV2Clients, request), Is.EqualTo(expected));

    [TestCase("GET /v1/users/7?on=maybe", "!the parameter \"on\" is no named value that the other version can say")]
    public void Translate_AParameterThatCannotBeConverted_IsAProblem(string request, string expected) => Assert.That(Translate(Map.ForV1Clients, request), Is.EqualTo(expected));

    [TestCase("/v2/accounts/7", "search=1&expand=x&limit=20", "/v1/users/7?q=1")]
    [TestCase("/v2/self", "", "/v1/users/me")]
    [TestCase("/v2/blobs/x/a", "", "/v1/files/a")]
    [TestCase("/elsewhere", "", null)]
    public void TryTranslateReference_OfADestination(string path, string query, string? expected)
    {
        using var buffers = new TargetBuffers();
        bool isDone = Map.ForV1Clients.TryTranslateReference(Encoding.ASCII.GetBytes(path), Encoding.ASCII.GetBytes(query), buffers);
        Assert.That(isDone ? Text(buffers) : null, Is.EqualTo(expected));
    }

    [Test]
    public void Translate_AllocatesNothing()
    {
        using var buffers = new TargetBuffers();
        void Run() => Map.ForV1Clients.Translate("GET"u8, "/v1/users/7"u8, "q=1&on=true&since=12"u8, buffers, out _);
        for (int i = 0; i < 100; i++) Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100));
    }

    private static string? Translate(Translator translator, string request)
    {
        string[] parts = request.Split(' ');
        string[] target = parts[1].Split('?', 2);
        using var buffers = new TargetBuffers();
        TranslationProblem? problem = translator.Translate(Encoding.ASCII.GetBytes(parts[0]), Encoding.ASCII.GetBytes(target[0]), Encoding.ASCII.GetBytes(target.Length > 1 ? target[1] : ""), buffers, out Operation? operation);
        if (operation is null) return null;
        if (problem is not null) return $"!{problem.Message}";
        return $"{(operation.Method is { } method ? Encoding.ASCII.GetString(method.Span) : parts[0])} {Text(buffers)}";
    }

    private static string Text(TargetBuffers buffers) => Encoding.ASCII.GetString(buffers.Path) + (buffers.Query.IsEmpty ? "" : "?" + Encoding.ASCII.GetString(buffers.Query));
}
