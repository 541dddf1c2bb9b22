using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>What happened is told, with who did it.</summary>
[TestFixture(TransportKind.Epoll), TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(60_000)]
public sealed class EventTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task EveryChangeIsAnEventWithWhoMadeIt()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: "127.0.0.1:1");
        await lb.PutAsync("w", """{"address": "127.0.0.1:2"}""");
        await lb.PutAsync("w", """{"address": "127.0.0.1:2", "weight": 2}""");
        await lb.PutAsync("w", """{"address": "127.0.0.1:2", "weight": 2}"""); // a renewal is none
        await lb.SendAsync("POST", "/clusters/app/destinations/d0:drain");
        await lb.SendAsync("POST", "/clusters/app/destinations/d0:drain"); // nothing changes
        await lb.SendAsync("POST", "/clusters/app/destinations/d0:enable");
        await lb.SendAsync("PUT", "/bans/203.0.113.7", """{"for": "1h", "reason": "scans"}""");
        await lb.SendAsync("DELETE", "/bans/203.0.113.7");
        await lb.SendAsync("DELETE", "/clusters/app/destinations/w");
        await lb.SendAsync("POST", "/certificates:reload");
        JsonElement list = (await lb.SendAsync("GET", "/events")).Json;
        JsonElement[] events = [.. list.GetProperty("events").EnumerateArray()];
        Assert.That(events.Select(one => $"{one.GetProperty("kind")} {one.GetProperty("subject")}".TrimEnd()), Is.EqualTo(new[]
        {
            "serverStarted", "destinationRegistered app/w", "destinationChanged app/w", "destinationDraining app/d0", "destinationEnabled app/d0", "banned 203.0.113.7", "banEnded 203.0.113.7",
            "destinationRemoved app/w", "certificatesReloaded",
        }));
        Assert.That(list.GetProperty("last").GetInt64(), Is.EqualTo(events.Length));
        Assert.That(events[0].TryGetProperty("actor", out _), Is.False);
        if (OperatingSystem.IsLinux())
            Assert.That(events.Skip(1).Select(one => one.GetProperty("actor").GetString()), Is.All.Match($@"^user \S+ \(uid \d+, pid {Environment.ProcessId}\)$"));

        JsonElement later = (await lb.SendAsync("GET", "/events?since=7")).Json;
        Assert.That(later.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("sequence").GetInt64()), Is.EqualTo(new[] { 8, 9 }));
        JsonElement newest = (await lb.SendAsync("GET", "/events?limit=1")).Json;
        Assert.That(newest.GetProperty("events").EnumerateArray().Single().GetProperty("sequence").GetInt64(), Is.EqualTo(9));

        JsonElement shown = (await lb.SendAsync("GET", "/clusters/app/destinations/d0")).Json;
        Assert.That(shown.GetProperty("history").EnumerateArray().Select(one => one.GetProperty("kind").GetString()), Is.EqualTo(new[] { "destinationDraining", "destinationEnabled" }));
    }

    [Test]
    public async Task ADestinationThatFailsIsToldOfWithTheReason()
    {
        await using ScriptedOrigin failing = ScriptedOrigin.Answering("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), good = AdminFixture.Named("good");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: [failing.Address, good.Address], cluster: config => config with
        {
            Ejection = new() { ConsecutiveFailures = 3, Duration = TimeSpan.FromHours(1), DurationMax = TimeSpan.FromHours(1) }, RetriesMax = 0,
        });
        await lb.AnswersAsync();
        ServerEvent ejected = await NextAsync(lb, ServerEventKind.DestinationEjected);
        Assert.That((ejected.Subject, ejected.Text), Is.EqualTo(("app/d0", "too much failed there: 3 requests in a row, 3 of the last 3")));
        JsonElement shown = (await lb.SendAsync("GET", "/clusters/app/destinations/d0")).Json;
        Assert.That(shown.GetProperty("ejectedForSeconds").GetDouble(), Is.InRange(3000, 3600));
        Assert.That(shown.GetProperty("history")[0].GetProperty("kind").GetString(), Is.EqualTo("destinationEjected"));
    }

    [Test]
    public async Task ProbesThatFailAreToldOfWithTheReason()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: $"127.0.0.1:{SystemProgram.FreePort()}", cluster: config => config with { HealthCheck = new() { Kind = HealthCheckKind.Tcp } });
        ServerEvent unhealthy = await NextAsync(lb, ServerEventKind.DestinationUnhealthy);
        Assert.That((unhealthy.Subject, unhealthy.Text), Is.EqualTo(("app/d0", "its probes fail: connect: Refused")));
    }

    private static async Task<ServerEvent> NextAsync(AdminFixture lb, ServerEventKind kind)
    {
        for (long after = 0; ;)
        {
            await lb.Proxy.Server.Events.WaitAsync(after, Token);
            foreach (ServerEvent one in lb.Proxy.Server.Events.Since(after))
            {
                if (one.Kind == kind) return one;
                after = one.Sequence;
            }
        }
    }

    [TestCase("?since=x"), TestCase("?since=-1"), TestCase("?limit=0"), TestCase("?limit=1025")]
    public async Task ANumberThatIsNoneIsRefused(string query)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        Assert.That((await lb.SendAsync("GET", $"/events{query}")).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task EventsAreFollowed()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: "127.0.0.1:1");
        ServerEvents events = lb.Proxy.Server.Events;
        using RawClient client = await FollowAsync(lb, "Last-Event-ID: 0\r\n");
        string first = await client.ReadUntilAsync("\"takes requests on", Token);
        Assert.That(first, Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contain("Content-Type: text/event-stream\r\n").And.Contain("retry: 3000\n\n").And.Contain("id: 1\nevent: serverStarted\ndata: {\"sequence\":1,"));
        await lb.SendAsync("POST", "/clusters/app/destinations/d0:drain");
        await client.ReadUntilAsync("id: 2\nevent: destinationDraining\ndata: {\"sequence\":2,", Token);
        events.Add(ServerEventKind.ConfigurationReloaded, "", "line\nbreaks are of JSON", "a program");
        await client.ReadUntilAsync("""line\nbreaks are of JSON","actor":"a program"}""" + "\n\n", Token);

        // From a number on; from before a restart all; without one only what comes.
        using RawClient second = await FollowAsync(lb, "Last-Event-ID: 2\r\n");
        Assert.That(await second.ReadUntilAsync("id: 3\n", Token), Does.Not.Contain("id: 2\n"));
        using RawClient third = await FollowAsync(lb, "Last-Event-ID: 5000\r\n");
        await third.ReadUntilAsync("id: 1\n", Token);
        using RawClient fourth = await FollowAsync(lb, "");
        await fourth.ReadUntilAsync("retry: 3000\n\n", Token);
        events.Add(ServerEventKind.ConfigurationReloaded, "", "the next");
        Assert.That(await fourth.ReadUntilAsync("\"the next\"", Token), Does.Not.Contain("id: 3\n"));
    }

    [Test]
    public async Task FollowersAreBoundedAndTheirPlacesBecomeFree()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        var clients = new List<RawClient>();
        for (int i = 0; i < Endpoints.EventEndpoints.FollowersMax; i++)
        {
            clients.Add(await FollowAsync(lb, ""));
            await clients[^1].ReadUntilAsync("retry: 3000\n\n", Token);
        }
        Assert.That((await lb.SendAsync("GET", "/events", null, "Accept: text/event-stream\r\n")).Status, Is.EqualTo(503));
        foreach (RawClient client in clients) client.Dispose();
        // When the listener has noticed nobody here can know: asked until then, or until the test's own limit.
        while (true)
        {
            using RawClient next = await FollowAsync(lb, "");
            if ((await next.ReadUntilAsync("\r\n", Token)).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) break;
            Token.ThrowIfCancellationRequested();
        }
    }

    [Test]
    public async Task AFollowerThatDoesNotKeepUpIsToldSoAndLetGo()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        ServerEvents events = lb.Proxy.Server.Events;
        using RawClient client = await FollowAsync(lb, "Last-Event-ID: 0\r\n");
        await client.ReadUntilAsync("id: 1\n", Token);
        // More than sockets, pipes and the ring hold together.
        string text = new('x', ServerEvents.TextLengthMax);
        bool IsTold() => events.Since(0).Any(one => one.Kind == ServerEventKind.FollowerDropped);
        bool isTold = false;
        for (int i = 0; i < 40 * ServerEvents.Capacity; i++)
        {
            events.Add(ServerEventKind.ConfigurationReloaded, "", text);
            if (i % (ServerEvents.Capacity / 2) == 0) isTold |= IsTold(); // before it is forgotten itself
        }
        await client.ReadUntilAsync("event: dropped\ndata: ", Token);
        Assert.That(await client.ReadUntilAsync("\n\n", Token), Does.Match(@"^\{""reason"":""did not keep up: \d+ events are forgotten that it has not seen""\}\n\n"));
        Assert.That(isTold || IsTold(), Is.True);
    }

    [Test]
    public async Task FollowersEndWithTheListener()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        using RawClient client = await FollowAsync(lb, "");
        await client.ReadUntilAsync("retry: 3000\n\n", Token);
        await lb.Admin.StopAsync();
        Assert.That(await client.ReadToEndAsync(Token), Does.Not.Contain("id:"));
    }

    private static async Task<RawClient> FollowAsync(AdminFixture lb, string fields)
    {
        RawClient client = await lb.ConnectAsync();
        await client.SendAsync($"GET /events HTTP/1.1\r\nHost: lb\r\nAccept: text/event-stream\r\n{fields}\r\n", Token);
        return client;
    }
}
