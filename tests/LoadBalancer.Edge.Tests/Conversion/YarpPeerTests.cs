using System.Globalization;
using System.Net;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>A running YARP and lb with what was made of its appsettings.json: the same requests get the same answers from the same destinations.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class YarpPeerTests : IDisposable
{
    private static readonly string[] s_seen = ["host", "x-env", "x-more", "x-secret", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-plain", "cookie"];
    private static readonly string[] s_sent = ["server", "x-by", "x-old", "x-kept"];

    private readonly string _folder = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test, CancelAfter(120_000)]
    public async Task YarpAndItsConversion_GiveTheSameAnswers(CancellationToken token)
    {
        await using ScriptedOrigin a = Origin("a"), b = Origin("b"), c = Origin("c");
        int port = SystemProgram.FreePort(), converted = SystemProgram.FreePort();
        string file = Path.Combine(_folder, "appsettings.json");
        await File.WriteAllTextAsync(file, $$"""
            {
              "Logging": { "LogLevel": { "Default": "Warning" } },
              "Kestrel": { "Endpoints": { "Http": { "Url": "http://127.0.0.1:{{port}}" } } },
              "ReverseProxy": {
                "Routes": {
                  "all": { "ClusterId": "a", "Match": { "Path": "{**all}", "Hosts": ["one.example.com"] } },
                  "api": {
                    "ClusterId": "b", "Match": { "Path": "/api/{**rest}", "Hosts": ["one.example.com"] },
                    "Transforms": [
                      { "PathRemovePrefix": "/api" }, { "PathPrefix": "/v1" }, { "RequestHeaderOriginalHost": "true" },
                      { "RequestHeader": "X-Env", "Set": "prod" }, { "RequestHeader": "X-More", "Append": "two" }, { "RequestHeaderRemove": "X-Secret" },
                      { "ResponseHeader": "X-By", "Set": "conversion", "When": "Always" }, { "ResponseHeader": "X-Old", "Append": "2", "When": "Always" }, { "ResponseHeaderRemove": "Server", "When": "Always" }
                    ]
                  },
                  "cut": { "ClusterId": "c", "Match": { "Path": "/cut/{**rest}" }, "Transforms": [{ "PathRemovePrefix": "/cut" }] },
                  "user": { "ClusterId": "a", "Match": { "Path": "/users/{id}", "Hosts": ["one.example.com"] }, "Transforms": [{ "PathPrefix": "/people" }] },
                  "exact": { "ClusterId": "c", "Match": { "Path": "/exact" } },
                  "names": { "ClusterId": "c", "Match": { "Hosts": ["two.example.com", "*.two.example.com"] } },
                  "submit": { "ClusterId": "c", "Match": { "Path": "/submit", "Methods": ["POST", "PUT"] } },
                  "wide": { "ClusterId": "d", "Match": { "Path": "/sub/{**rest}", "Hosts": ["*.example.com"] } },
                  "version": { "ClusterId": "c", "Match": { "Path": "/v/{**rest}", "Headers": [{ "Name": "X-Version", "Values": ["2"] }] } },
                  "beta": { "ClusterId": "c", "Match": { "Path": "/b/{**rest}", "Headers": [{ "Name": "X-Beta", "Mode": "Exists" }] } },
                  "admin": { "ClusterId": "a", "Match": { "Path": "/admin/{**rest}" }, "AuthorizationPolicy": "nobody" }
                },
                "Clusters": {
                  "a": { "Destinations": { "d": { "Address": "http://{{a.Address}}" } } },
                  "b": { "LoadBalancingPolicy": "RoundRobin", "Destinations": { "d": { "Address": "http://{{b.Address}}/" } } },
                  "c": { "Destinations": { "d": { "Address": "http://localhost:{{c.Port}}" } } },
                  "d": { "Destinations": { "d": { "Address": "http://{{b.Address}}" } } }
                }
              }
            }
            """, token);
        LbResult result = await LbProcess.RunAsync(_folder, token, "convert", "yarp", file);
        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2), result.Error); // the case of paths, and "admin"
        string text = await File.ReadAllTextAsync(Path.Combine(_folder, "lb.json"), token);
        await File.WriteAllTextAsync(Path.Combine(_folder, "lb.json"), text.Replace($":{port}\"", $":{converted}\"", StringComparison.Ordinal), token);
        Assert.That((await LbProcess.RunAsync(_folder, token, "check")).Error, Is.Empty);

        string yarp = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/LoadBalancer.YarpServer/bin"), "yarp-server.dll", SearchOption.AllDirectories).OrderDescending().First();
        await using RunningProgram server = await SystemProgram.StartAsync("dotnet", port, token, yarp, "--contentRoot", _folder);
        using LbProcess lb = LbProcess.StartIn(_folder, [new("XDG_RUNTIME_DIR", _folder)], "run");
        await lb.LineAsync("Ready.", token);
        (string Request, string Fields)[] requests =
        [
            ("GET one.example.com /", ""), ("GET one.example.com /a/b?c=d", "X-Plain: x\r\nCookie: a=b\r\n"), ("GET ONE.example.com:1234 /", ""), ("GET three.example.com /", ""), ("HEAD one.example.com /", ""),
            ("GET one.example.com /api/users/7?x=%20y", "X-Env: test\r\nX-More: one\r\nX-Secret: s\r\n"), ("GET one.example.com /api/", ""), ("GET one.example.com /api", ""), ("GET one.example.com /apix", ""),
            ("GET one.example.com /api/missing", ""), ("GET one.example.com /api/a%20b/%C3%BC", ""),
            ("GET three.example.com /cut/x/y", ""), ("GET three.example.com /cut", ""), ("GET three.example.com /cut/", ""),
            ("GET one.example.com /users/7", ""), ("GET one.example.com /users/7/posts", ""), ("GET one.example.com /users/7/", ""),
            ("GET three.example.com /exact", ""), ("GET one.example.com /exact", ""), ("GET one.example.com /exact/", ""), ("GET one.example.com /exact/more", ""),
            ("GET two.example.com /x?y", ""), ("GET a.b.two.example.com /", ""), ("GET two.example.com /exact", ""),
            ("GET one.example.com /submit", ""), ("POST one.example.com /submit", "Content-Length: 0\r\n"), ("PUT three.example.com /submit", "Content-Length: 0\r\n"),
            ("GET one.example.com /v/1", "X-Version: 2\r\n"), ("GET one.example.com /v/1", "X-Version: 3\r\n"), ("GET one.example.com /v/1", ""), ("GET three.example.com /v/1", ""),
            ("GET one.example.com /b/1", "X-Beta: any\r\n"), ("GET one.example.com /b/1", ""),
            ("GET one.example.com /sub/1", ""), ("GET four.example.com /sub/1", ""), ("GET two.example.com /sub/1", ""), ("GET a.two.example.com /sub/1", ""), ("GET example.com /sub/1", ""),
        ];
        var problems = new List<string>();
        foreach ((string request, string fields) in requests)
        {
            string expected = await AskAsync(port, request, fields, token), actual = await AskAsync(converted, request, fields, token);
            if (actual != expected) problems.Add($"{request} {fields}\n  YARP {expected}\n  lb   {actual}");
        }
        Assert.That(problems, Is.Empty, $"{string.Join('\n', problems)}\n{text}");
        foreach (string target in (string[])["/admin/x", "/admin", "/ADMIN/x", "/%41dmin/x"])
        {
            Assert.That(await AskAsync(port, $"GET one.example.com {target}", "", token), Does.StartWith("302 "), "YARP sends it to log in");
            Assert.That(await AskAsync(converted, $"GET one.example.com {target}", "", token), Does.StartWith("501 "), target);
        }
    }

    // Tells who it is, and what it was sent.
    private static ScriptedOrigin Origin(string name) => new(async (connection, _, token) =>
    {
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            string body = head.StartsWith("HEAD ", StringComparison.Ordinal) ? "" : head;
            string status = head.Contains("missing", StringComparison.Ordinal) ? "404 Not Found" : "200 OK";
            await connection.SendAsync(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nServer: {name}\r\nX-Old: 1\r\nX-Kept: {name}\r\nContent-Length: {body.Length}\r\n\r\n{body}"), token);
        }
    });

    // Kestrel names itself where the destination has not; of several lines it makes one.
    // What both must have alike: status, fields of the answer, which destination was asked for what, and by which fields.
    private static async Task<string> AskAsync(int port, string request, string fields, CancellationToken token)
    {
        string[] parts = request.Split(' ');
        using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), token);
        await client.SendAsync($"{parts[0]} {parts[2]} HTTP/1.1\r\nHost: {parts[1]}\r\nConnection: close\r\n{fields}\r\n", token);
        string answer = await client.ReadToEndAsync(token);
        int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        string status = answer.Split(' ')[1], body = answer[(end + 4)..];
        return status[0] is '2' || body.Contains(" HTTP/1.1", StringComparison.Ordinal) ? $"{status} {Fields(answer[..end], s_sent)} of {body.Split(" HTTP/1.1")[0].Trim().Split("\r\n")[^1]} {Fields(body, s_seen)}" : $"{status} ";
    }

    private static string Fields(string head, string[] names) => string.Join(", ", head.Split("\r\n").Select(line => line.Split(": ", 2)).Where(field => field.Length == 2 && field[1] != "Kestrel" && names.Contains(field[0].ToLowerInvariant()))
        .GroupBy(field => field[0].ToLowerInvariant()).OrderBy(field => field.Key).Select(field => $"{field.Key}={string.Join(", ", field.Select(line => line[1].Trim()))}"));
}
