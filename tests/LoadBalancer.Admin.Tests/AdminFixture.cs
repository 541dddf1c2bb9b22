using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace LoadBalancer.Admin.Tests;

/// <summary>An answer of the admin listener.</summary>
internal sealed record Answer(int Status, string Head, string Body)
{
    internal JsonElement Json => JsonDocument.Parse(Body).RootElement;

    internal string Detail => Json.GetProperty("detail").GetString()!;

    internal static Answer Parse(string response)
    {
        int end = response.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return new Answer(int.Parse(response.AsSpan(9, 3), CultureInfo.InvariantCulture), response[..(end + 2)], response[(end + 4)..]);
    }
}

/// <summary>A running balancer with one cluster "app", whose servers may register, and its admin listener on a Unix socket of its own.</summary>
internal sealed class AdminFixture : IAsyncDisposable
{
    private readonly string _folder;

    private AdminFixture(ProxyFixture proxy, AdminServer admin, string folder)
    {
        Proxy = proxy;
        Admin = admin;
        _folder = folder;
    }

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    internal ProxyFixture Proxy { get; }

    internal AdminServer Admin { get; }

    internal EndPoint EndPoint => Admin.EndPoint!;

    internal static async Task<AdminFixture> StartAsync(
        TransportKind transport, TimeProvider? time = null, AdminConfig? admin = null, Func<ClusterConfig, ClusterConfig>? cluster = null, Func<ProxyConfig, ProxyConfig>? change = null,
        params string[] destinations)
    {
        string folder = Directory.CreateTempSubdirectory("lb-admin-").FullName;
        ProxyConfig config = ProxyFixture.Config(transport, destinations);
        ClusterConfig app = config.Clusters["app"] with { Registration = true, Balance = "round-robin", SlowStart = TimeSpan.Zero }; // so that a newcomer is seen at once
        var closed = new ClusterConfig { Destinations = new Dictionary<string, DestinationConfig> { ["fixed"] = new() { Address = "127.0.0.1:1" } } };
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster?.Invoke(app) ?? app, ["closed"] = closed } };
        ProxyFixture proxy = await ProxyFixture.StartAsync(change?.Invoke(config) ?? config, time);
        var server = new AdminServer(proxy.Server, admin ?? new AdminConfig { Address = $"unix:{folder}/admin.sock" }, proxy.Log, time)
        {
            // The real one is Hosting's, and tested there.
            ConfigWriter = shown => Encoding.UTF8.GetBytes($$"""{ "listeners": {{shown.Listeners.Count}} }"""),
        };
        await server.StartAsync();
        return new AdminFixture(proxy, server, folder);
    }

    internal Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint, Token);

    /// <summary>One request on a connection of its own.</summary>
    internal async Task<Answer> SendAsync(string method, string path, string? body = null, string fields = "")
    {
        using RawClient client = await ConnectAsync();
        string length = body is null ? "" : $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n";
        await client.SendAsync($"{method} {path} HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n{fields}{length}\r\n{body}", Token);
        return Answer.Parse(await client.ReadToEndAsync(Token));
    }

    internal Task<Answer> PutAsync(string id, string body, string cluster = "app") =>
        SendAsync("PUT", $"/clusters/{cluster}/destinations/{id}", body);

    /// <summary>Sends requests through the balancer until each destination has surely been picked; what they answered, without repetition.</summary>
    internal async Task<string[]> AnswersAsync()
    {
        using RawClient client = await Proxy.ConnectAsync(Token);
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < 60; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Answer answer = Answer.Parse(await client.ReadResponseAsync(Token));
            seen.Add(answer.Status == 200 ? answer.Body : $"{answer.Status}");
        }
        return [.. seen];
    }

    internal static ScriptedOrigin Named(string name) => ScriptedOrigin.Answering($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");

    public async ValueTask DisposeAsync()
    {
        await Admin.DisposeAsync();
        if (TestContext.CurrentContext.Result.Outcome.Status != TestStatus.Failed && Admin.Server is { } server)
            Assert.That(server.Loop.Slabs.Leased, Is.Zero, "buffers of the admin listener left");
        await Proxy.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
