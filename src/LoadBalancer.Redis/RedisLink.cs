using StackExchange.Redis;

namespace LoadBalancer.Redis;

/// <summary>The connection, had and had again in the background. One caller at a time; never waits.</summary>
internal sealed class RedisLink(RedisOptions options, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private Task<ConnectionMultiplexer>? _connecting;
    private long _startTimestamp;
    private string? _problem;

    /// <summary>The database; null where there is none, and why. While it is looked for the first time nobody knows.</summary>
    internal IDatabase? Find(out string? problem)
    {
        if (_connecting is null || (_connecting.IsFaulted && time.GetElapsedTime(_startTimestamp) >= RetryDelay))
        {
            _startTimestamp = time.GetTimestamp();
            _connecting = ConnectionMultiplexer.ConnectAsync(Configure(options));
        }
        problem = null;
        if (_connecting.IsCompletedSuccessfully)
        {
            ConnectionMultiplexer connection = _connecting.Result;
            if (connection.IsConnected) return connection.GetDatabase();
            _problem = "the connection is lost";
        }
        else if (_connecting.IsFaulted) _problem = ProblemOf(_connecting.Exception!.GetBaseException());
        problem = _problem;
        return null;
    }

    /// <summary>Ends when the connection is there, or has failed, that <see cref="Find"/> has begun.</summary>
    internal async Task WhenTriedAsync()
    {
        if (_connecting is { } connecting) await connecting.ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connecting is null) return;
        try
        {
            await (await _connecting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or IOException or InvalidOperationException)
        {
            // There was none.
        }
    }

    // In the words of the network or of Redis, without advice about the client's options.
    internal static string ProblemOf(Exception exception) => exception switch
    {
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => "the user or password is wrong, or needed",
        RedisConnectionException connection => $"no connection ({connection.FailureType})",
        _ => exception.Message,
    };

    private static ConfigurationOptions Configure(RedisOptions options)
    {
        var result = new ConfigurationOptions
        {
            User = options.User,
            Password = options.Password,
            DefaultDatabase = options.Database,
            Ssl = options.Tls,
            SslHost = options.TlsName,
            ClientName = "lb",
            // The first connection is tried again here, so that its failure is known; the client library does so with those after it.
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ReconnectRetryPolicy = new LinearRetry((int)RetryDelay.TotalMilliseconds),
            // What cannot be said now is not said later: then it would count twice.
            BacklogPolicy = BacklogPolicy.FailFast,
            // Nothing but the scripts is wanted: no channel for messages, no words of configuration.
            CommandMap = CommandMap.Create([.. "SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE".Split(' ')], available: false),
            ConfigurationChannel = "",
        };
        foreach (string endpoint in options.Endpoints) result.EndPoints.Add(endpoint);
        if (options.TlsAuthority is { } file) result.TrustIssuer(file);
        return result;
    }
}
