using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb ready</c>: 0 while requests are taken.</summary>
[TestFixture]
public sealed class ReadyTests
{
    [Test, CancelAfter(60_000)]
    public async Task Ready_FollowsTheBalancer(CancellationToken token)
    {
        string folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
        try
        {
            string admin = $"unix:{folder}/admin.sock";
            await File.WriteAllTextAsync($"{folder}/lb.json", $$"""{ "admin": "{{admin}}", "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "all": { "respond": {} } } }""", token);
            Assert.That((await LbProcess.RunAsync(folder, token, "ready", "--admin", admin)).ExitCode, Is.EqualTo(1));
            using LbProcess lb = LbProcess.Start(folder, "run");
            await lb.LineAsync("Ready.", token);
            LbResult ready = await LbProcess.RunAsync(folder, token, "ready", "--admin", admin);
            Assert.That((ready.ExitCode, ready.Output), Is.EqualTo((0, "ready\n")));
            await lb.SignalAsync("TERM", token);
            await lb.EndAsync(token);
            Assert.That((await LbProcess.RunAsync(folder, token, "ready", "--admin", admin)).ExitCode, Is.EqualTo(1));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
