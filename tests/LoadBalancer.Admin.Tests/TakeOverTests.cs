using LoadBalancer.Admin.Routing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The admin listener while another process takes over, or is taken over from.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(30_000)]
public sealed class TakeOverTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task NobodyIsAnsweredBeforeItsTime()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        string folder = Directory.CreateTempSubdirectory("lb-admin-").FullName;
        var later = new AdminServer(lb.Proxy.Server, new AdminConfig { Address = $"unix:{folder}/admin.sock" }, lb.Proxy.Log) { AcceptsLater = true };
        await using (later)
        {
            await later.StartAsync();
            using RawClient client = await RawClient.ConnectAsync(later.EndPoint!, Token);
            await client.SendAsync("GET /ready HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n", Token);
            Task<string> answer = client.ReadToEndAsync(Token);
            Assert.That(Answer.Parse(await AskAsync(lb)).Status, Is.EqualTo(200));
            Assert.That(answer.IsCompleted, Is.False, "it waits in the queue of the socket");
            later.Accept();
            Assert.That(Answer.Parse(await answer).Status, Is.EqualTo(200));
        }
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task ChangesAreRefusedForAMomentAndReadingIsNot()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        Assert.That(lb.Admin.Changes.TryClose(TimeSpan.Zero), Is.True);
        Answer refused = await lb.PutAsync("a", """{ "address": "127.0.0.1:1" }""");
        Assert.That((refused.Status, refused.Detail), Is.EqualTo((503, "another process takes over at this moment; ask again, and it answers")));
        Assert.That(refused.Head, Does.Contain("Retry-After: 1\r\n"));
        Assert.That((await lb.SendAsync("GET", "/clusters")).Status, Is.EqualTo(200));
        Assert.That((await lb.SendAsync("POST", "/upgrade")).Status, Is.EqualTo(409));
        lb.Admin.Changes.Open();
        Assert.That((await lb.PutAsync("a", """{ "address": "127.0.0.1:1" }""")).Status, Is.EqualTo(201));
    }

    [Test]
    public void TryClose_ChangeUnderWay_WaitsForItsEnd()
    {
        var gate = new ChangeGate();
        Assert.That((gate.TryEnter(), gate.TryClose(TimeSpan.Zero), gate.TryEnter()), Is.EqualTo((true, false, true)), "open again");
        gate.Leave();
        Task leaving = Task.Run(gate.Leave);
        Assert.That(gate.TryClose(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That((leaving.Wait(TimeSpan.FromSeconds(30)), gate.TryEnter()), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task WhoHasConnectedBeforeItLeavesIsAnswered()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto);
        using RawClient asking = await lb.ConnectAsync(), idle = await lb.ConnectAsync();
        await idle.SendAsync("GET /live HTTP/1.1\r\nHost: lb\r\n\r\n", Token);
        await idle.ReadResponseAsync(Token);
        Task leaving = lb.Admin.LeaveAsync();
        Assert.That(await idle.ReadToEndAsync(Token), Is.Empty, "it has had its answer");
        await asking.SendAsync("GET /live HTTP/1.1\r\nHost: lb\r\n\r\n", Token);
        Assert.That(await asking.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200").And.Contain("Connection: close\r\n"));
        await leaving;
    }

    private static async Task<string> AskAsync(AdminFixture lb)
    {
        using RawClient client = await lb.ConnectAsync();
        await client.SendAsync("GET /ready HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n", Token);
        return await client.ReadToEndAsync(Token);
    }
}
