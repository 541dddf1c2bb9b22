using System.Net.Security;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Tests.Tls;

/// <summary>Hellos as .NET's client sends them, that is OpenSSL's.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ChallengeHelloTests
{
    [TestCase("www.lb.test", "acme-tls/1", "www.lb.test")]
    [TestCase("", "acme-tls/1", null, Description = "asks for no name")]
    [TestCase("www.lb.test", "http/1.1", null)]
    [TestCase("www.lb.test", "acme-tls/1,http/1.1", null)]
    [TestCase("www.lb.test", "http/1.1,acme-tls/1", null)]
    [TestCase("www.lb.test", "acme-tls/2", null)]
    [TestCase("www.lb.test", "", null)]
    public async Task TryRead_Hello_NamesWhoIsValidated(string name, string protocols, string? expected)
    {
        byte[] hello = await HelloAsync(name, protocols);
        for (int length = 0; length < hello.Length; length++) Assert.That(ChallengeHello.TryRead(hello.AsSpan(0, length), out _), Is.False, $"{length} bytes");
        Assert.That((ChallengeHello.TryRead(hello, out string? found), found), Is.EqualTo((true, expected)));
        Assert.That((ChallengeHello.TryRead([.. hello, 1, 2, 3], out found), found), Is.EqualTo((true, expected)));
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n")]
    [TestCase("\u0016\u0003\u0001\u0000\u0005\u0002\u0000\u0000\u0001\u0000", Description = "a server's hello")]
    [TestCase("\u0016\u0003\u0001\u0000\u0005\u0001\u0001\u0000\u0000\u0000", Description = "longer than its record")]
    [TestCase("\u0016\u0003\u0001\u00ff\u00ff\u0001\u0000\u00f0\u0000", Description = "too long")]
    public void TryRead_AnythingElse_IsNobodysChallenge(string bytes) =>
        Assert.That((ChallengeHello.TryRead(System.Text.Encoding.Latin1.GetBytes(bytes), out string? name), name), Is.EqualTo((true, (string?)null)));

    [Test]
    public async Task TryRead_MutatedHellos_NeverThrowsNorReadsBeyond()
    {
        byte[] hello = await HelloAsync("www.lb.test", "acme-tls/1");
        const int Seed = 8737;
        var random = new Random(Seed);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] mutated = [.. hello];
            for (int changes = random.Next(1, 4); changes > 0; changes--) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            Assert.That(() => ChallengeHello.TryRead(mutated, out _), Throws.Nothing, $"seed {Seed}, round {i}");
        }
    }

    private static async Task<byte[]> HelloAsync(string name, string protocols)
    {
        var sent = new SentStream();
        using var client = new SslStream(sent);
        try
        {
            await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = name,
                ApplicationProtocols = protocols.Length == 0 ? null : [.. protocols.Split(',').Select(protocol => new SslApplicationProtocol(protocol))],
            });
        }
        catch (IOException)
        {
            // Nobody answers.
        }
        return sent.ToArray();
    }

    /// <summary>Keeps what is written; nothing comes back.</summary>
    private sealed class SentStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(0);
    }
}
