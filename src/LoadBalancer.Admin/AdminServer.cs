using System.Net;
using LoadBalancer.Admin.Dashboard;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Admin.Metrics;
using LoadBalancer.Admin.Registration;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Serving;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin;

/// <summary>
/// The admin listener of a <see cref="ProxyServer"/>: shows what it does, changes who gets requests, and takes the registrations of servers. Started before or after
/// the server, stopped after it, so that <c>/ready</c> can be asked throughout. One instance is started and stopped once.
/// </summary>
public sealed class AdminServer : IAsyncDisposable
{
    private readonly ProxyServer _proxy;
    private readonly AdminConfig _config;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Registry _registry;
    private readonly MeterCollector _meters;

    /// <summary>Makes the listener of a server, from what <see cref="ConfigValidator"/> accepts.</summary>
    public AdminServer(ProxyServer proxy, AdminConfig config, ILoggerFactory loggerFactory, TimeProvider? timeProvider = null)
    {
        _proxy = proxy;
        _config = config;
        _time = timeProvider ?? TimeProvider.System;
        _logger = loggerFactory.CreateLogger<AdminServer>();
        _meters = new MeterCollector(proxy);
        _registry = new Registry(proxy, _time, _logger);
    }

    /// <summary>The bound address, with its real port; null where there is no listener.</summary>
    public EndPoint? EndPoint { get; private set; }

    /// <summary>Why there is no listener at the default address; null where there is one, or where none was wanted.</summary>
    public string? Missing { get; private set; }

    /// <summary>Writes a configuration as JSON, without its secrets, for <c>/config</c>; null (default): that answers 404.</summary>
    public Func<ProxyConfig, byte[]>? ConfigWriter { get; init; }

    /// <summary>Reads the configuration again when an operator asks for it; null where nobody can. Set before the start.</summary>
    public IReloadHandler? Reloader { get; set; }

    /// <summary>Has another process take over when an operator asks for it; null while nobody can.</summary>
    public IUpgradeHandler? Upgrader { get; set; }

    /// <summary>Why there is no <see cref="Upgrader"/>, where that is known.</summary>
    internal string? UpgradeProblem { get; set; }

    /// <summary>Closed while another process is told what was changed here, and from then on.</summary>
    internal ChangeGate Changes { get; } = new();

    /// <summary>Whether another process has read the configuration, and is about to take over: it would not know of a reload.</summary>
    internal bool IsHandingOver => Volatile.Read(ref _handingOver) > 0;

    /// <summary>A process is about to take over; <see cref="EndHandingOver"/> follows where it does not. Each who knows of one says so for himself.</summary>
    internal void BeginHandingOver() => Interlocked.Increment(ref _handingOver);

    internal void EndHandingOver() => Interlocked.Decrement(ref _handingOver);

    private int _handingOver;

    /// <summary>Whether nobody is answered before <see cref="Accept"/>: the process before has the same socket, and answers until it leaves. Set before the start.</summary>
    internal bool AcceptsLater { get; set; }

    internal RequestServer? Server { get; private set; }

    internal Registry Registry => _registry;

    /// <summary>Starts to listen, where that is wanted. Not being able to at the default address is no error, see <see cref="Missing"/>.</summary>
    /// <exception cref="ListenException">The configured address cannot be bound; says why.</exception>
    public async Task StartAsync()
    {
        if (_config.Address == AdminConfig.Off) return;
        string? problem = null;
        string? address = _config.Address ?? DefaultAddress.Make(out problem);
        if (address is null)
        {
            Missing = problem;
            return;
        }
        var options = new RequestServerOptions { Name = "admin", Address = address, Transport = _proxy.Config.Transport.Kind };
        Server = new RequestServer(new AdminApi(Routes(), _config.Token, Changes, _time, _logger), options, _logger, _time) { AcceptsLater = AcceptsLater };
        try
        {
            await Server.StartAsync().ConfigureAwait(false);
        }
        catch (ListenException e) when (_config.Address is null)
        {
            Server = null;
            Missing = e.Message;
            return;
        }
        EndPoint = Server.EndPoint;
        if (EndPoint is IPEndPoint { Address: var ip } && !IPAddress.IsLoopback(ip)) AdminLog.NotLoopback(_logger, EndPoint);
    }

    /// <summary>The process before has left.</summary>
    internal void Accept()
    {
        Server?.ClaimSocket();
        Server?.Accept();
    }

    /// <summary>Another process answers at the same socket by now: as <see cref="StopAsync"/>, but who has connected here already is answered here.</summary>
    internal async Task LeaveAsync()
    {
        if (Server is not null) await Server.LeaveAsync().ConfigureAwait(false);
        await StopAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the listener; what was registered is no longer renewed or expired.</summary>
    public async Task StopAsync()
    {
        if (Server is not null) await Server.StopAsync().ConfigureAwait(false);
        _registry.Dispose();
        _meters.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    internal AdminRouteTable Routes()
    {
        var events = new EventEndpoints(_proxy, _time);
        var server = new ServerEndpoints(_proxy, ConfigWriter);
        var status = new StatusEndpoints(_proxy);
        var clusters = new ClusterEndpoints(_proxy, _registry);
        var destinations = new DestinationEndpoints(_proxy, _registry, _logger);
        var certificates = new CertificateEndpoints(_proxy, _time, _logger);
        var caches = new CacheEndpoints(_proxy, _logger);
        var bans = new BanEndpoints(_proxy, _time, _logger);
        var limits = new LimitEndpoints(_proxy);
        var trace = new TraceEndpoints(_proxy);
        return new AdminRouteTable(
        [
            new("GET", "/live", StatusEndpoints.Live),
            new("GET", "/ready", status.Ready),
            new("GET", "/metrics", new MetricsEndpoint(_proxy, _meters).Get),
            new("GET", "/clusters", clusters.List),
            new("GET", "/clusters/{cluster}/destinations", destinations.List),
            new("POST", "/clusters/{cluster}/destinations/{id}:drain", destinations.Drain),
            new("POST", "/clusters/{cluster}/destinations/{id}:enable", destinations.Enable),
            new("GET", "/clusters/{cluster}/destinations/{id}", destinations.Show),
            new("PUT", "/clusters/{cluster}/destinations/{id}", destinations.Register),
            new("DELETE", "/clusters/{cluster}/destinations/{id}", destinations.Remove),
            new("GET", "/certificates", certificates.List),
            new("POST", "/certificates:reload", certificates.Reload),
            new("GET", "/caches", caches.List),
            new("POST", "/caches:purge", caches.Purge),
            new("POST", "/caches:explain", caches.Explain) { IsChange = false },
            new("GET", "/bans", bans.List),
            new("PUT", "/bans/{block}", bans.Put),
            new("DELETE", "/bans/{block}", bans.Remove),
            new("GET", "/limits", limits.List),
            new("GET", "/limits/{limit}", limits.Show),
            new("GET", "/", DashboardPage.Get) { IsPublic = true },
            new("GET", "/dashboard.json", new DashboardData(_proxy, _time).Get),
            new("GET", "/events", events.Get),
            new("GET", "/status", server.Status),
            new("GET", "/config", server.Config),
            new("POST", "/reload", new ReloadEndpoint(this).Post),
            new("POST", "/upgrade", new UpgradeEndpoint(this).Post) { IsChange = false },
            new("GET", "/connections", new ConnectionEndpoints(_proxy, _time).List),
            new("GET", "/explain", new ExplainEndpoint(_proxy).Get),
            new("GET", "/openapi.json", OpenApiEndpoint.Get),
            new("GET", "/trace", trace.List),
            new("GET", "/trace/{id}", trace.Show),
        ]);
    }
}
