using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb test</c> and <c>lb explain</c>: requests through a configuration with fake destinations.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class TestCommandTests : IDisposable
{
    private const string Config = """
        {
          "listeners": { "web": { "address": ":8080" } },
          "policies": { "marks": { "headers": { "request": { "set": { "X-Env": "${ENVIRONMENT:-none}" }, "remove": "X-Secret" }, "response": { "set": { "X-Out": "yes" } } } } },
          "routes": {
            "api": { "path": "/api/**", "cluster": "app", "policies": "marks" },
            "old": { "path": "/old", "redirect": "https://{host}/new" },
          },
          "blockRules": { "robots": { "userAgents": "*evil*" } },
          "clusters": { "app": { "balance": "round-robin", "destinations": { "a": "10.0.0.1:80", "b": { "address": "10.0.0.2:80", "weight": 3 } } } },
        }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<LbResult> TestAsync(string tests, CancellationToken token, params string[] more)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), Config, token);
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.test.json"), tests, token);
        return await LbProcess.RunAsync(_directory, token, ["test", .. more, "lb.test.json"]);
    }

    [Test, CancelAfter(60_000)]
    public async Task WhatIsExpectedPasses(CancellationToken cancellationToken)
    {
        LbResult result = await TestAsync("""
            {
              "env": { "ENVIRONMENT": "test" },
              "destinations": { "app": { "headers": { "X-From": "app" }, "body": { "b": 2, "a": 1 } } },
              "tests": [
                {
                  "request": { "method": "POST", "url": "http://x.example/api/../api/a%2Fb?y=1", "headers": { "X-Secret": "1" }, "body": { "n": 1 }, "from": "192.0.2.7" },
                  "expect": {
                    "status": 200, "route": "api", "cluster": "app", "reason": "Completed", "policies": { "marks": "pass" },
                    "headers": { "X-Out": "yes", "X-From": "*", "X-None": null }, "body": { "a": 1, "b": 2 }, "bodyContains": "\"a\":1",
                    "upstream": { "method": "POST", "target": "/api/a%2Fb?y=1", "headers": { "X-Env": "test", "X-Secret": null, "X-Forwarded-For": "192.0.2.7" }, "body": { "n": 1 } },
                  },
                },
                { "request": "/old", "expect": { "status": 308, "headers": { "Location": "https://*" }, "upstream": null } },
                { "request": "GET /none", "expect": 404 },
                { "request": { "url": "/api/x", "headers": { "User-Agent": "an evil one" } }, "expect": { "status": 403, "reason": "RequestBlocked" } },
                { "name": "down", "request": "/api/x", "destinations": { "app": [503, { "body": "ok" }] }, "expect": { "status": 503 } },
              ],
            }
            """.Replace("\"https://*\"", "\"*\"", StringComparison.Ordinal), cancellationToken);
        Assert.That(result.Error, Is.Empty);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((0, "5 passed, 0 failed\n")));
    }

    [Test, CancelAfter(60_000)]
    public async Task EveryDifferenceIsTold(CancellationToken cancellationToken)
    {
        LbResult result = await TestAsync("""
            { "tests": [
                { "name": "all wrong", "request": "/api/x", "expect": {
                    "status": 201, "route": "old", "cluster": "none", "reason": "Cached", "policies": { "marks": 403, "other": "pass" }, "detail": "because",
                    "headers": { "X-Out": "no", "X-None": "*", "Date": null }, "body": "hello", "bodyContains": "zzz",
                    "upstream": { "method": "PUT", "target": "/", "headers": { "X-Env": null }, "body": { } } } },
                { "name": "none is forwarded", "request": "/api/x", "expect": { "upstream": null } },
                { "name": "right", "request": "/api/x", "expect": 200 } ] }
            """, cancellationToken);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((1, "1 passed, 2 failed\n")));
        string[] differences = [.. result.Error.Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Trim())];
        Assert.That(differences, Has.Length.EqualTo(17));
        Assert.That(differences, Does.Contain("status: expected 201, got 200 (Completed)").And.Contain("policy \"marks\": expected 403, got pass").And.Contain("policy \"other\": expected pass, got unseen")
            .And.Contain("header X-Out: expected \"no\", got \"yes\"").And.Contain("upstream target: expected \"/\", got \"/api/x\"").And.Contain("upstream: expected none, got GET /api/x"));
    }

    [TestCase("[]", "the file: expected an object")]
    [TestCase("{", "lb.test.json: ")]
    [TestCase("{ \"tests\": [], \"test\": 1 }", "test: unknown key; did you mean \"tests\"?")]
    [TestCase("{ \"tests\": [ { \"request\": \"x\", \"expect\": 200 } ] }", "tests[0].request: \"x\" is no URL; expected \"http://host/path\" or \"/path\"")]
    [TestCase("{ \"tests\": [ { \"request\": \"/\", \"expect\": { \"statu\": 200 } } ] }", "tests[0].expect.statu: unknown key; did you mean \"status\"?")]
    [TestCase("{ \"tests\": [ { \"request\": { \"url\": \"/\", \"from\": \"me\" }, \"expect\": 200 } ] }", "tests[0].request.from: \"me\" is no IP address")]
    [TestCase("{ \"tests\": [], \"now\": \"soon\" }", "now: \"soon\" is no time")]
    [TestCase("{ \"tests\": [], \"destinations\": { \"ap\": 200 } }", "destinations.ap: there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("{ \"tests\": [], \"config\": \"none.json\" }", "config: Could not find file")]
    [CancelAfter(60_000)]
    public async Task AFileThatCannotBeReadSaysWhy(string tests, string expected, CancellationToken cancellationToken)
    {
        LbResult result = await TestAsync(tests, cancellationToken);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(expected).And.Not.Contain("   at "));
    }

    [Test, CancelAfter(60_000)]
    public async Task DocumentsMustComeBackFromTheOtherVersion(CancellationToken cancellationToken)
    {
        const string Map = """{ "routes": [{ "v1": "GET /v1/a", "v2": "GET /v2/a", "response": { "fields": ["name <-> fullName", { "path": "t", "convert": { "v1": "unix-seconds", "v2": "rfc3339" } }] } }] }""";
        await File.WriteAllTextAsync(Path.Combine(_directory, "map.json"), Map, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), """
            { "listeners": { "web": { "address": ":8080" } }, "policies": { "v1": { "translate": "map.json" } },
              "routes": { "all": { "cluster": "app", "policies": "v1" } }, "clusters": { "app": { "destinations": { "a": "10.0.0.1:80" } } } }
            """, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.test.json"), """
            { "roundTrips": { "v1": { "samples": 3, "documents": [
                { "operation": "GET /v1/a", "version": "v2", "document": { "fullName": "Ada", "t": "2026-01-02T03:04:05Z" } },
                { "operation": "GET /v1/a", "version": "v2", "document": { "fullName": "Ada", "t": "2026-01-02T04:04:05+01:00" } } ] } },
              "tests": [] }
            """, cancellationToken);
        LbResult result = await LbProcess.RunAsync(_directory, cancellationToken, "test", "lb.test.json");
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((1, "4 passed, 1 failed\n")), result.Error);
        Assert.That(result.Error, Does.Contain("lb.test.json: round trips of v1: failed").And.Contain("/t: \"2026-01-02T04:04:05+01:00\" came back as \"2026-01-02T03:04:05Z\""));
    }

    [Test, CancelAfter(60_000)]
    public async Task ExplainTellsWhatBecomesOfARequest(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), Config, cancellationToken);
        LbResult forwarded = await LbProcess.RunAsync(_directory, cancellationToken, "explain", "GET", "http://x.example/api/../api/a%2Fb?y=1", "-H", "X-Secret: 1", "--from", "192.0.2.7");
        Assert.That(forwarded.ExitCode, Is.Zero, forwarded.Error);
        Assert.That(forwarded.Output, Does.StartWith("route     api\npolicy    marks (headers): pass\nforwards  GET /api/a%2Fb?y=1\n").And.Contain("X-Env: none\n").And.Contain("X-Forwarded-For: 192.0.2.7\n")
            .And.Not.Contain("X-Secret").And.Contain("cluster   app, balanced by round-robin\n").And.Match("b +10.0.0.2:80 +3 +0 +- +75 %").And.EndWith("ends as   Completed\n"));
        LbResult answered = await LbProcess.RunAsync(_directory, cancellationToken, "explain", "GET", "/old");
        Assert.That(answered.Output, Does.StartWith("route     old\nanswers   308\n").And.Contain("Location: https://").And.EndWith("ends as   Responded\n"));
    }

    [TestCase("explain GET / -H nonsense", "lb: \"nonsense\" is no header")]
    [TestCase("explain GET / --from me", "lb: \"me\" is no IP address")]
    [TestCase("explain GET / --listener wep", "lb: there is no listener \"wep\"; did you mean \"web\"?")]
    [TestCase("explain GET", "lb: Required argument missing for command: 'explain'.")]
    [CancelAfter(30_000)]
    public async Task WrongUsageOfExplain(string arguments, string expected, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), Config, cancellationToken);
        LbResult result = await LbProcess.RunAsync(_directory, cancellationToken, arguments.Split(' '));
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith(expected));
    }
}
