using System.Text;
using LoadBalancer.Testing;
using StackExchange.Redis;

namespace LoadBalancer.Redis.Tests;

/// <summary>Lists that lie in a real Redis.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(120_000)]
public sealed class ListTests : IAsyncDisposable
{
    private readonly int _port = SystemProgram.FreePort();
    private RunningProgram _redis = null!;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task StartAsync() => _redis = await PeerServers.StartRedisAsync(_port, Token);

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private RedisList List(string key, int bytesMax = 1 << 20, int? port = null) =>
        new(new RedisOptions { Endpoints = [$"127.0.0.1:{port ?? _port}"], Secret = "0123456789abcdef" }, key, bytesMax, TimeProvider.System);

    private async Task<string> ReadAsync(RedisList list)
    {
        await using (list) return Encoding.UTF8.GetString(await list.FetchAsync(Token));
    }

    [Test]
    public async Task ASetIsReadAsLinesInTheirOrder()
    {
        await using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_port}");
        RedisValue[] members = [.. Enumerable.Range(0, 3000).Select(i => (RedisValue)$"jti {i:d5}")];
        await redis.GetDatabase().SetAddAsync("revoked", members);
        await redis.GetDatabase().StringSetAsync("text", "x");
        Assert.That(await ReadAsync(List("revoked")), Is.EqualTo(string.Join('\n', Enumerable.Range(0, 3000).Select(i => $"jti {i:d5}"))));
        Assert.That(await ReadAsync(List("nothing")), Is.Empty);
        Assert.That(() => ReadAsync(List("revoked", bytesMax: 1000)), Throws.TypeOf<IOException>().With.Message.Contains("larger than 1000 bytes"));
        Assert.That(() => ReadAsync(List("text")), Throws.TypeOf<IOException>().With.Message.Contains("WRONGTYPE"));
    }

    [Test]
    public void WithoutRedisThereIsNoList() => Assert.That(() => ReadAsync(List("revoked", port: SystemProgram.FreePort())), Throws.TypeOf<IOException>().With.Message.Contains("connection"));
}
