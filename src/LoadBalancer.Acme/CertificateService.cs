using System.Net;
using LoadBalancer.Acme.Protocol;
using LoadBalancer.Acme.Renewal;
using LoadBalancer.Acme.Storage;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Acme;

/// <summary>
/// Has the certificates that a server's listeners want by <see cref="TlsConfig.Acme"/>, keeps and renews them: one task for each name. Loaded before the server starts,
/// started once it listens, stopped once.
/// </summary>
public sealed class CertificateService : IAsyncDisposable
{
    private const int OrdersAtOnce = 4, HttpPort = 80;

    private readonly CertificateKeeper[] _keepers;
    private readonly AcmeStorage _storage;
    private readonly AcmeAccount _account;
    private readonly SemaphoreSlim _orders = new(OrdersAtOnce);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>Makes it; nothing is read or asked yet.</summary>
    /// <param name="server">Whose listeners get the certificates. Its configuration has <see cref="ProxyConfig.Acme"/>.</param>
    /// <param name="loggerFactory">Where it logs.</param>
    /// <param name="options">Null for the defaults.</param>
    public CertificateService(ProxyServer server, ILoggerFactory loggerFactory, AcmeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        options ??= new AcmeOptions();
        AcmeConfig config = server.Config.Acme ?? throw new ArgumentException("the configuration has no \"acme\"", nameof(server));
        TimeProvider time = options.TimeProvider ?? TimeProvider.System;
        var logger = new GuardedLogger(loggerFactory.CreateLogger<CertificateService>());
        _storage = new AcmeStorage(config.Storage, config.Directory);
        _account = new AcmeAccount(config, _storage, time, logger);
        var services = new KeeperServices(server, config, _storage, _account, ChallengeTypes(server.Config), _orders, time, options.Observer, logger);
        _keepers =
        [
            .. server.Config.Listeners
                .SelectMany(listener => (listener.Value.Tls?.Acme ?? []).Select(name => (Name: name.ToLowerInvariant(), Listener: listener.Key)))
                .GroupBy(wanted => wanted.Name, wanted => wanted.Listener)
                .Select((wanted, index) => new CertificateKeeper(services, wanted.Key, [.. wanted], options.Seed is { } seed ? new Random(seed + index) : new Random())),
        ];
    }

    /// <summary>Opens the storage and shows what is there.</summary>
    /// <exception cref="IOException">The storage cannot be written.</exception>
    public void Load()
    {
        _storage.Open();
        foreach (CertificateKeeper keeper in _keepers) keeper.Load();
    }

    /// <summary>Begins to order what is missing or near its end. Waits for nobody.</summary>
    public void Start() => _running = Task.WhenAll(_keepers.Select(keeper => keeper.RunAsync(_stop.Token)));

    /// <summary>Ends it; orders under way are left behind. Certificates stay as they are.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return; // by the host's stop, and by its container
        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await _running.ConfigureAwait(false);
        }
        finally
        {
            _account.Dispose();
            _orders.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>What is answered, in the order in which it is tried.</summary>
    internal static IReadOnlyList<string> ChallengeTypes(ProxyConfig config)
    {
        switch (config.Acme!.Challenge)
        {
            case AcmeChallenge.Http01: return [ChallengeAnswer.Http01];
            case AcmeChallenge.TlsAlpn01: return [ChallengeAnswer.TlsAlpn01];
        }
        string[] plain = [.. AcmeValidator.PlainHttpAddresses(config)];
        if (plain.Length == 0) return [ChallengeAnswer.TlsAlpn01];
        bool isHttpPort = plain.Any(address => AddressParser.TryParseListener(address, out EndPoint? endPoint, out _) && endPoint is IPEndPoint { Port: HttpPort });
        return isHttpPort ? [ChallengeAnswer.Http01, ChallengeAnswer.TlsAlpn01] : [ChallengeAnswer.TlsAlpn01, ChallengeAnswer.Http01];
    }
}
