using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Testing;
using StackExchange.Redis;

namespace LoadBalancer.Redis.Tests;

/// <summary>Permissions in a real Redis, which goes and comes back.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(120_000)]
public sealed class PermissionTests : IAsyncDisposable
{
    private readonly int _port = SystemProgram.FreePort();
    private readonly List<IAsyncDisposable> _ends = [];

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private RedisOptions Options => new() { Endpoints = [$"127.0.0.1:{_port}"], Secret = "0123456789abcdef" };

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable end in Enumerable.Reverse(_ends)) await end.DisposeAsync();
    }

    private async Task<RunningProgram> StartRedisAsync()
    {
        RunningProgram redis = await PeerServers.StartRedisAsync(_port, Token);
        _ends.Add(redis);
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_port}");
        IDatabase database = connection.GetDatabase();
        await database.StringSetAsync("perm:7:GET:/a", "allow");
        await database.StringSetAsync("perm:8:GET:/a", "deny");
        await database.SetAddAsync("perms:7", "GET:/a");
        return redis;
    }

    private RedisPermissions Permissions()
    {
        var permissions = new RedisPermissions(Options);
        _ends.Add(permissions);
        return permissions;
    }

    private static async Task<PermissionAnswer> AskAsync(RedisPermissions permissions, string key, string? member = null, params string[] values) =>
        await permissions.AskAsync(new PermissionQuestion(key, member, values), Token);

    [Test]
    public async Task AKeyIsThere_HasAValue_OrIsASetWithAMember()
    {
        await StartRedisAsync();
        RedisPermissions permissions = Permissions();
        Assert.That(await AskAsync(permissions, "perm:7:GET:/a"), Is.EqualTo(new PermissionAnswer(true, null)), "the first one waits for the connection");
        Assert.That(await AskAsync(permissions, "perm:9:GET:/a"), Is.EqualTo(new PermissionAnswer(false, null)));
        Assert.That(await AskAsync(permissions, "perm:7:GET:/a", null, "yes", "allow"), Is.EqualTo(new PermissionAnswer(true, null)));
        Assert.That(await AskAsync(permissions, "perm:8:GET:/a", null, "yes", "allow"), Is.EqualTo(new PermissionAnswer(false, null)));
        Assert.That(await AskAsync(permissions, "perm:9:GET:/a", null, "allow"), Is.EqualTo(new PermissionAnswer(false, null)));
        Assert.That(await AskAsync(permissions, "perms:7", "GET:/a"), Is.EqualTo(new PermissionAnswer(true, null)));
        Assert.That(await AskAsync(permissions, "perms:7", "GET:/b"), Is.EqualTo(new PermissionAnswer(false, null)));
        Assert.That(await AskAsync(permissions, "perms:8", "GET:/a"), Is.EqualTo(new PermissionAnswer(false, null)));
        Assert.That((await AskAsync(permissions, "perm:7:GET:/a", "GET:/a")).Problem, Does.StartWith("Redis: WRONGTYPE"), "no answer, and so no permission");
    }

    [Test]
    public async Task WhileRedisIsAwayThereIsNoAnswer_AndThereIsWhenItIsBack()
    {
        RedisPermissions permissions = Permissions();
        PermissionAnswer answer = await AskAsync(permissions, "perm:7:GET:/a");
        Assert.That((answer.IsPermitted, answer.Problem), Is.EqualTo((false, "Redis: no connection (UnableToConnect)")));
        RunningProgram redis = await StartRedisAsync();
        await UntilAsync(permissions, one => one.Problem is null && one.IsPermitted);
        await redis.KillAsync();
        PermissionAnswer away = await UntilAsync(permissions, one => one.Problem is not null);
        Assert.That((away.IsPermitted, away.Problem), Is.EqualTo((false, away.Problem)));
        Assert.That(away.Problem, Does.StartWith("Redis: "));
        await StartRedisAsync();
        await UntilAsync(permissions, one => one.Problem is null && one.IsPermitted);
    }

    private static async Task<PermissionAnswer> UntilAsync(RedisPermissions permissions, Func<PermissionAnswer, bool> isSo)
    {
        while (true)
        {
            PermissionAnswer answer = await AskAsync(permissions, "perm:7:GET:/a");
            if (isSo(answer)) return answer;
            Assert.That(answer.IsPermitted && answer.Problem is not null, Is.False, "never without Redis");
            await Task.Delay(20, Token); // the client library gives no event for it
        }
    }
}
