using System.Net;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>Runs samples/GenericHost, samples/CustomBalancing and samples/CustomPolicy, and sends them requests.</summary>
[TestFixture]
public sealed class SampleTests
{
    [Test, CancelAfter(60_000)]
    public async Task GenericHost_ServesTheFileTellsOfFailuresAndStops(CancellationToken token)
    {
        string folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
        try
        {
            await using ScriptedOrigin origin = ScriptedOrigin.Answering(HeldOrigin.Ok("hello"));
            string file = Path.Combine(folder, "lb.json");
            await File.WriteAllTextAsync(file, $$"""
                {
                  "listeners": { "web": { "address": "127.0.0.1:0" } },
                  "routes": { "all": { "cluster": "app" }, "broken": { "path": "/broken", "respond": { "status": 500 } } },
                  "clusters": { "app": { "destinations": { "a": "{{origin.Address}}" } } },
                }
                """, token);
            using var sample = new SampleProcess("GenericHost", file);
            string url = await sample.LineAsync("web: ", token);
            using var client = new HttpClient();
            Assert.That(await client.GetStringAsync(new Uri(url), token), Is.EqualTo("hello"));
            using HttpResponseMessage broken = await client.GetAsync(new Uri(url + "/broken"), token);
            Assert.That(broken.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
            Assert.That(await sample.LineAsync("500 ", token), Is.EqualTo("Responded /broken"));
            sample.Terminate();
            Assert.That((await sample.EndAsync(token)).ExitCode, Is.Zero);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test, CancelAfter(60_000)]
    public async Task GenericHost_ABadFile_IsToldOfWithItsPlaces(CancellationToken token)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "{ \"listeners\": {}, \"x\": 1 }", token);
            using var sample = new SampleProcess("GenericHost", file);
            (int exitCode, string error) = await sample.EndAsync(token);
            Assert.That(exitCode, Is.EqualTo(1));
            Assert.That(error, Does.Contain(":1:20: x: unknown key"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test, CancelAfter(60_000)]
    public async Task CustomBalancing_TheFirstServerIsFilledBeforeTheNextIsUsed(CancellationToken token)
    {
        const int PerWeight = 8; // as the sample says
        await using var first = new HeldOrigin();
        await using var second = new HeldOrigin();
        using var sample = new SampleProcess("CustomBalancing", "127.0.0.1:0", first.Address, second.Address);
        var url = new Uri(await sample.LineAsync("balancer: ", token));
        using var client = new HttpClient();
        var answers = new List<Task<string>>();
        for (int i = 0; i < PerWeight; i++)
        {
            answers.Add(client.GetStringAsync(url, token));
            await first.ArrivedAsync(token);
        }
        answers.Add(client.GetStringAsync(url, token));
        await second.ArrivedAsync(token);
        for (int i = 0; i < PerWeight; i++) first.Answer(HeldOrigin.Ok("first"));
        second.Answer(HeldOrigin.Ok("second"));
        Assert.That(await Task.WhenAll(answers), Is.EqualTo(Enumerable.Repeat("first", PerWeight).Append("second")));
    }

    [Test, CancelAfter(60_000)]
    public async Task CustomPolicy_RefusesRewritesAndMarksTheAnswer(CancellationToken token)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        using var sample = new SampleProcess("CustomPolicy", "127.0.0.1:0", origin.Address);
        string url = await sample.LineAsync("balancer: ", token);
        using var client = new HttpClient();
        using HttpResponseMessage refused = await client.GetAsync(new Uri(url + "/hello"), token);
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(origin.Connections, Is.Zero);

        using var request = new HttpRequestMessage(HttpMethod.Get, url + "/hello?a=1") { Headers = { { "X-Tenant", "acme" } } };
        using HttpResponseMessage answer = await client.SendAsync(request, token);
        string seen = await answer.Content.ReadAsStringAsync(token);
        Assert.That(seen, Does.StartWith("GET /tenants/acme/hello?a=1 HTTP/1.1\r\n").And.Not.Contain("X-Tenant"));
        Assert.That(answer.Headers.GetValues("Server-Timing"), Has.One.Matches("^destination;dur=[0-9]+\\.[0-9]$"));
    }
}
