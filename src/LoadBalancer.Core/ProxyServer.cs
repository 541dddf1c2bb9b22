using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Core.Upstream;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core;

/// <summary>The balancer itself: binds the listeners, runs the loops, relays. One instance is started and stopped once.</summary>
public sealed partial class ProxyServer : IAsyncDisposable
{
    private static readonly TimeSpan ReloadWaitMax = TimeSpan.FromSeconds(5); // by who stops the server

    private FleetServices _services;
    private ProxySnapshot _snapshot;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TransportFactory _factory;
    private IReadOnlyDictionary<string, EndPoint> _endpoints = new Dictionary<string, EndPoint>();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ICompletionObserver? _observer;
    private LoopContext[] _contexts = [];
    private int _undrainedLoops, _acceptingLoops;
    private bool _stopped;

    /// <summary>Makes a server from a configuration that <see cref="ConfigValidator"/> accepts.</summary>
    /// <param name="config">What to serve.</param>
    /// <param name="loggerFactory">Where it logs.</param>
    /// <param name="observer">Receives a record for each request; null for nobody.</param>
    /// <param name="timeProvider">Null for the system's time.</param>
    /// <param name="nameResolver">Looks up destinations that are given by name; null for the system's resolver.</param>
    /// <exception cref="ConfigException">The configuration has problems; all of them are listed.</exception>
    public ProxyServer(ProxyConfig config, ILoggerFactory loggerFactory, ICompletionObserver? observer = null, TimeProvider? timeProvider = null,
        INameResolver? nameResolver = null)
    {
        _time = timeProvider ?? TimeProvider.System;
        _logger = loggerFactory.CreateLogger<ProxyServer>();
        _observer = observer;
        CreatedAt = _time.GetUtcNow();
        Events = new ServerEvents(_time);
        Refusals = new Refusals(new RefusalTally(Events, _time));
        _factory = TransportFactory.Create(config.Transport.Kind);
        LoopCount = config.Transport.Loops > 0 ? config.Transport.Loops : Environment.ProcessorCount;
        _services = new FleetServices(_time, LoopCount, _logger, ZoneOf(config), nameResolver ?? new SystemNameResolver(), TlsTermination.UsesOpenSsl(config.Transport.Kind)) { Events = Events };
        _snapshot = ProxySnapshot.Build(config, _services);
        TakeOverCertificates(_snapshot);
        SetCacheRoutes(_snapshot);
        BodyMemory = new BodyMemory(config.PolicyBodyBytesMax);
        Guard = new SourceGuard(config.BansMax, Refusals, _time);
        Refusals.AutoBan = AutoBanOf(_snapshot);
        _addressLists = new AddressListWatcher(_snapshot.AddressLists, Guard.OnChanged, _time, _logger) { Events = Events };
        TrafficMeter = new TrafficMeter(this);
        _certificates = new CertificateWatcher(_snapshot.Certificates, Terminations(_snapshot), _time, _logger) { Events = Events };
    }

    /// <summary>Bound addresses by listener name, with real ports, once started.</summary>
    public IReadOnlyDictionary<string, EndPoint> Endpoints => Volatile.Read(ref _endpoints);

    /// <summary>Name of the transport in use: "epoll" or "sockets".</summary>
    public string Transport => _factory.Name;

    /// <summary>What a certification authority is to find that validates a name.</summary>
    public PendingChallenges Challenges { get; } = new();

    /// <summary>The limits that are shared with other balancers.</summary>
    internal IEnumerable<(string Name, Limiting.Rates.TokenBucket Bucket)> SharedBuckets =>
        Snapshot.Limiters.Where(limiter => limiter.Config.Shared).Select(limiter => (limiter.Name, (Limiting.Rates.TokenBucket)limiter.Rate!));

    /// <summary>What the lists and limits have refused.</summary>
    internal Refusals Refusals { get; }

    /// <summary>Whether records tell what each policy has made of a request. For rehearsals: it costs a list for each request. Default false.</summary>
    public bool RecordsVerdicts { get; init; }

    /// <summary>For the bodies that policies read.</summary>
    internal BodyMemory BodyMemory { get; }

    /// <summary>Who is kept out by address.</summary>
    internal SourceGuard Guard { get; }

    /// <summary>Number of event loops.</summary>
    public int LoopCount { get; }

    internal ICompletionObserver? Observer => _observer;

    internal ILogger Logger => _logger;

    internal IReadOnlyList<LoopContext> Contexts => _contexts;

    internal ProxySnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>Binds every listener, then starts to accept.</summary>
    /// <exception cref="ListenException">An address cannot be bound; says which listener and why.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (ResponseStore store in _snapshot.Stores) store.Open(_time, _logger, waits: IsTakingOver);
            foreach (ListenerSnapshot listener in _snapshot.Listeners) Bind(listener);
            NoteEndpoints();
            var contexts = new LoopContext[LoopCount];
            for (int i = 0; i < LoopCount; i++)
            {
                TransportLoop loop = _factory.CreateLoop(i, _time);
                loop.UnhandledException = OnInternalError;
                contexts[i] = new LoopContext(this, loop, LoopCount);
            }
            foreach (ClusterSnapshot cluster in _snapshot.Clusters) cluster.TakeOver(_services, _services, contexts, _time.GetTimestamp());
            foreach (ListenerSnapshot listener in _snapshot.Listeners) listener.State.Current = listener;
            _contexts = contexts; // all or none: a stop goes through them
        }
        catch
        {
            DisposeListeners();
            foreach (ResponseStore store in _snapshot.Stores) store.Dispose();
            throw;
        }
        _certificates.Start();
        _addressLists.Start();
        _undrainedLoops = _acceptingLoops = LoopCount;
        foreach (LoopContext context in _contexts)
        {
            context.Loop.Start();
            context.Loop.Post(new LoopAction(() =>
            {
                foreach (ListenerSnapshot listener in _snapshot.Listeners) context.Loop.StartAccepting(listener.State.Socket!, new ConnectionStarter(context, listener.State));
                FollowHealth(context);
            }));
        }
        Events.Add(ServerEventKind.ServerStarted, "", $"takes requests on {string.Join(", ", _endpoints.Select(one => $"{one.Key} ({one.Value})"))}");
        return Task.CompletedTask;
    }

    /// <summary>
    /// Changes who belongs to a cluster, while requests run: destinations that stay (same name and address) keep their connections and what was
    /// learned of them; those that go get no new request, and finish what they have. Thread-safe.
    /// </summary>
    /// <param name="cluster">Name of the cluster.</param>
    /// <param name="destinations">All its destinations from now on, by name, but for those of other sources. None: requests get 503.</param>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    /// <exception cref="ConfigException">A destination has problems; all of them are listed, and nothing has changed.</exception>
    public void UpdateDestinations(string cluster, IReadOnlyDictionary<string, DestinationConfig> destinations) =>
        UpdateDestinations(cluster, ClusterMembers.Configured, destinations);

    /// <summary>As <see cref="UpdateDestinations(string, IReadOnlyDictionary{string, DestinationConfig})"/>, for the destinations that one source knows of.</summary>
    /// <param name="cluster">Name of the cluster.</param>
    /// <param name="source">Who says so, for example "dns". A name that several sources give is the one's that came first; the configuration comes before all.</param>
    /// <param name="destinations">All destinations of this source from now on, by name.</param>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    /// <exception cref="ConfigException">A destination has problems; all of them are listed, and nothing has changed.</exception>
    public void UpdateDestinations(string cluster, string source, IReadOnlyDictionary<string, DestinationConfig> destinations)
    {
        ClusterSnapshot snapshot = Cluster(cluster);
        IReadOnlyList<ConfigProblem> problems = ClusterValidator.ValidateDestinations(ConfigPath.Member("clusters", cluster), destinations);
        if (problems.Count > 0) throw new ConfigException(problems);
        HashSet<DestinationState>? before = source == RegistrationSource ? null : [.. snapshot.Members.Present];
        IReadOnlyList<DestinationState> gone = snapshot.Members.Set(source, destinations, _time.GetTimestamp());
        foreach (LoopContext context in _contexts)
        {
            context.Loop.Post(new LoopAction(() =>
            {
                foreach (DestinationState destination in gone) destination.Retire(context);
                FollowHealth(context);
            }));
        }
        snapshot.Queue?.Freed(); // a newcomer has room
        NoteMembers(snapshot, source, before);
    }

    /// <summary>Lets a destination finish what it has and get nothing new, or takes that back; it holds as long as the destination is a member. Thread-safe.</summary>
    /// <param name="cluster">Name of the cluster.</param>
    /// <param name="destination">Name of the destination.</param>
    /// <param name="draining">True to drain, false to use it again.</param>
    /// <param name="actor">Who asks for it, for the event; null for the program itself.</param>
    /// <returns>False when the cluster has no such destination.</returns>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public bool SetDraining(string cluster, string destination, bool draining, string? actor = null)
    {
        ClusterSnapshot snapshot = Cluster(cluster);
        if (snapshot.Members.Find(destination) is not { } member) return false;
        NoteDraining(snapshot, member, draining, actor);
        snapshot.Scheduler.Mark(member, DestinationStatus.Draining, draining, _time.GetTimestamp());
        return true;
    }

    /// <summary>
    /// Shows a certificate on a listener with TLS from the next hand-shake on, beside those of its configuration, in place of what was shown for that name before.
    /// Established connections keep theirs. May be called before <see cref="StartAsync"/>; thread-safe.
    /// </summary>
    /// <param name="listener">Name of the listener.</param>
    /// <param name="name">What the certificate was ordered for. What clients get it for are its own subject alternative names.</param>
    /// <param name="certificate">With its private key. Not disposed of here.</param>
    /// <param name="chain">What is sent after it.</param>
    /// <exception cref="ArgumentException">There is no such listener, or it has no TLS.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be used; nothing has changed.</exception>
    public void SetCertificate(string listener, string name, X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (Array.Find(Snapshot.Listeners, one => one.Name == listener)?.Tls is not { } tls) throw new ArgumentException($"there is no listener '{listener}' with TLS", nameof(listener));
        tls.SetIssued(name, new ServerCertificate(certificate, chain));
        Events.Add(ServerEventKind.CertificateReplaced, name, $"listener {listener} shows a certificate that is good until {certificate.NotAfter.ToUniversalTime():u}");
    }

    private ClusterSnapshot Cluster(string name) =>
        Array.Find(Snapshot.Clusters, cluster => cluster.Name == name) ?? throw new ArgumentException($"there is no cluster '{name}'", nameof(name));

    private void FollowHealth(LoopContext context)
    {
        foreach (ClusterSnapshot cluster in Snapshot.Clusters)
            if (cluster.Health.Loop == context.Loop.Index) cluster.Health.Follow(context, cluster);
    }

    private void Bind(ListenerSnapshot listener)
    {
        try
        {
            listener.State.Socket = _factory.Bind(OptionsOf(listener), LoopCount);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            throw ListenException.Of(listener.Name, listener.Config.Address, e);
        }
    }

    private static ListenOptions OptionsOf(ListenerSnapshot listener) =>
        new(listener.EndPoint, listener.Config.Backlog, listener.Config.DualStack, listener.Config.TcpKeepAlive, listener.Config.ConnectionsMax);

    private void NoteEndpoints() => Volatile.Write(ref _endpoints, _snapshot.Listeners.ToDictionary(listener => listener.Name, listener => listener.State.Socket!.LocalEndPoint));

    /// <summary>
    /// Stops accepting, lets requests in flight finish (keep-alive connections are closed with their current answer), and cuts what is
    /// left after <see cref="ProxyConfig.DrainTimeout"/> or on cancellation.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        // One that hangs on a file is not waited for: it finds the server stopped when it comes to an end.
        bool isAlone = _reloading.TryEnter(ReloadWaitMax);
        ProxySnapshot snapshot;
        try
        {
            if (Interlocked.Exchange(ref _stopped, true)) return; // no reload from here on
            snapshot = _snapshot;
        }
        finally
        {
            if (isAlone) _reloading.Exit();
        }
        if (_contexts.Length > 0) Events.Add(ServerEventKind.ServerDraining, "", $"takes no new connections, and finishes what it has within {DurationText.Format(snapshot.Config.DrainTimeout)}");
        _certificates.Dispose();
        _addressLists.Dispose();
        Refusals.Dispose();
        TrafficMeter.Dispose();
        foreach (LoopContext context in _contexts)
        {
            context.Loop.Post(new LoopAction(() =>
            {
                foreach (ListenerSnapshot listener in snapshot.Listeners)
                    if (!_isLeaving && listener.State.Socket is { } socket) context.Loop.StopAccepting(socket);
                // A socket that listens while nobody accepts would let clients connect and hang until the drain is over.
                if (Interlocked.Decrement(ref _acceptingLoops) == 0) DisposeListeners();
                context.Drain();
            }));
        }
        if (_contexts.Length > 0)
        {
            try
            {
                await _drained.Task.WaitAsync(snapshot.Config.DrainTimeout, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                ServerLog.DrainCut(_logger, _contexts.Sum(c => c.ConnectionCount));
                foreach (LoopContext context in _contexts) context.Loop.Post(new LoopAction(context.Cut));
            }
        }
        await Task.Run(() => Array.ForEach(_contexts, c => c.Loop.Stop()), CancellationToken.None).ConfigureAwait(false);
        _hasEnded = true;
        foreach (ResponseStore store in snapshot.Stores) store.Dispose();
        foreach (IRoutePolicy policy in snapshot.Policies.Values) (policy as IDisposable)?.Dispose();
        DisposeListeners();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);

    private void DisposeListeners()
    {
        foreach (ListenerSnapshot listener in _snapshot.Listeners) listener.State.Socket?.Dispose();
    }

    /// <summary>A loop has no connection left while draining. May be told more than once by a loop.</summary>
    internal void LoopDrained(LoopContext context)
    {
        if (context.IsDrainReported) return;
        context.IsDrainReported = true;
        if (Interlocked.Decrement(ref _undrainedLoops) == 0) _drained.TrySetResult();
    }

    internal void OnInternalError(Exception exception) => ServerLog.InternalError(_logger, exception);

    private sealed class LoopAction(Action action) : LoopWork
    {
        protected internal override void Execute() => action();
    }

    private sealed class ConnectionStarter(LoopContext context, ListenerState state) : IConnectionHandler
    {
        public void OnAccepted(TransportConnection connection)
        {
            state.NoteAccepted(context.Loop.Index);
            ClientConnection.Accept(context, state.Current ?? state.Last!, connection);
        }
    }
}
