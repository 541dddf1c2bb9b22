using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What tests of reloads share.</summary>
public abstract class ReloadFixture(TransportKind transport)
{
    private protected TransportKind Transport { get; } = transport;

    private protected const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(Transport);

    private protected ProxyConfig Config(params string[] destinations) => ProxyFixture.Config(Transport, destinations.Length == 0 ? ["127.0.0.1:1"] : destinations);

    private protected static Dictionary<string, RouteConfig> Saying(string text) => new() { ["all"] = new() { Respond = new() { Status = 200, Body = text } } };

    private protected static async Task<string> AskAsync(RawClient client)
    {
        await client.SendAsync(Get, Token);
        return await client.ReadResponseAsync(Token);
    }
}
