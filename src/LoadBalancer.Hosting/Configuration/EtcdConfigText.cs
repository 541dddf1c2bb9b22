using System.Diagnostics.CodeAnalysis;
using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Etcd;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>
/// A configuration that is the value of a key of etcd: <c>etcd://host:2379/lb/config</c>, or <c>etcds://</c> for TLS, with several hosts between commas. What is secret comes
/// from variables, as command lines are seen by all: LB_ETCD_USER, LB_ETCD_PASSWORD, LB_ETCD_CA, LB_ETCD_CERT and LB_ETCD_KEY.
/// </summary>
public sealed class EtcdConfigText : IConfigTextSource
{
    private const string Plain = "etcd://", Encrypted = "etcds://";

    // In base64, with what etcd says beside it.
    private const int AnswerBytesMax = ConfigFile.BytesMax / 3 * 4 + 64 * 1024;
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1), RetryMax = TimeSpan.FromSeconds(60), SilenceMax = TimeSpan.FromSeconds(60);

    private readonly EtcdRange _range;
    private readonly string _key;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private byte[]? _given; // what ReadAsync gave last
    private string? _problem;
    private bool _isKnown; // whether _range has what etcd has, as far as we were told

    private EtcdConfigText(string name, EtcdAccess access, string key, TimeProvider time, Random random)
    {
        (Name, _key, _time, _random) = (name, key, time, random);
        _range = new EtcdRange(access, key, isPrefix: false, new EtcdBounds(1, ConfigFile.BytesMax, AnswerBytesMax), SilenceMax, time);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Whether a place of a configuration is in etcd.</summary>
    public static bool IsLocation(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        return location.StartsWith(Plain, StringComparison.Ordinal) || location.StartsWith(Encrypted, StringComparison.Ordinal);
    }

    /// <summary>Reads a place; false, with what is wrong as the rest of a sentence, where it is none.</summary>
    /// <param name="location">"etcd://host:2379/key".</param>
    /// <param name="environment">Looks up variables; null for those of the process.</param>
    /// <param name="source">The source; nothing is asked yet.</param>
    /// <param name="error">What is wrong.</param>
    /// <param name="timeProvider">Null for the system's time.</param>
    public static bool TryCreate(string location, Func<string, string?>? environment, [NotNullWhen(true)] out EtcdConfigText? source, out string error, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(location);
        source = null;
        environment ??= Environment.GetEnvironmentVariable;
        bool isEncrypted = location.StartsWith(Encrypted, StringComparison.Ordinal);
        string rest = location[(isEncrypted ? Encrypted : Plain).Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string key = slash < 0 ? "" : Uri.UnescapeDataString(rest[slash..]);
        if (key.Length < 2) return Fail("names no key; expected one such as \"etcd://etcd.internal:2379/lb/config\"", out error);
        string[] endpoints = rest[..slash].Split(',');
        foreach (string endpoint in endpoints)
        {
            if (endpoint.Contains('@', StringComparison.Ordinal)) return Fail("has a user, which everybody on this machine sees; set LB_ETCD_USER and LB_ETCD_PASSWORD", out error);
            if (!RemoteSourceValidator.TryParseEndpoint(endpoint, out DnsEndPoint _, out string reason)) return Fail($"{CharacterText.Quote(endpoint)} {reason}", out error);
        }
        string? user = environment("LB_ETCD_USER"), password = environment("LB_ETCD_PASSWORD"), ca = environment("LB_ETCD_CA"), certificate = environment("LB_ETCD_CERT"), certificateKey = environment("LB_ETCD_KEY");
        if (user is null != password is null) return Fail("needs both LB_ETCD_USER and LB_ETCD_PASSWORD, or none", out error);
        if (!isEncrypted && (ca ?? certificate ?? certificateKey) is not null) return Fail("is plain, though LB_ETCD_CA, LB_ETCD_CERT or LB_ETCD_KEY is set; did you mean \"etcds://\"?", out error);
        var tls = new UpstreamTlsConfig { Ca = ca, Certificate = certificate is null ? null : new CertificateConfig { File = certificate, Key = certificateKey } };
        EtcdAccess access = EtcdAccess.Of(new EtcdConfig { Endpoints = endpoints, Prefix = key, User = user, Password = password, Tls = isEncrypted ? tls : null });
        source = new EtcdConfigText(location, access, key, timeProvider ?? TimeProvider.System, new Random());
        error = "";
        return true;
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            if (!_isKnown) await _range.NextAsync(cancellationToken).ConfigureAwait(false);
            _isKnown = true;
        }
        catch (ApiException e)
        {
            throw new IOException(e.Message, e);
        }
        return _given = Present ?? throw new IOException(ProblemOfKey);
    }

    /// <inheritdoc/>
    public async Task WaitForChangeAsync(Action<string?>? problem = null, CancellationToken cancellationToken = default)
    {
        for (int failures = 0; ;)
        {
            try
            {
                await _range.NextAsync(cancellationToken).ConfigureAwait(false);
                failures = 0;
                _isKnown = true;
                // A key that is gone takes no configuration away.
                Tell(problem, Present is null ? ProblemOfKey : null);
                if (Present is { } text && (_given is null || !text.AsSpan().SequenceEqual(_given))) return;
            }
            catch (ApiException e)
            {
                Tell(problem, e.Message);
                _isKnown = false;
                // Less up to a half by chance, so that not all balancers ask at once when etcd is back.
                double seconds = Math.Min(RetryMin.TotalSeconds * Math.Pow(2, Math.Min(failures++, 30)), RetryMax.TotalSeconds);
                await Task.Delay(TimeSpan.FromSeconds(seconds * (1 - _random.NextDouble() / 2)), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private byte[]? Present => _range.Keys.GetValueOrDefault(EtcdRange.Text(_key));

    private string ProblemOfKey => _range.Keys.ContainsKey(EtcdRange.Text(_key)) ? $"the value of the key {CharacterText.Quote(_key)} is larger than {ConfigFile.BytesMax} bytes" : $"the key {CharacterText.Quote(_key)} does not exist";

    private void Tell(Action<string?>? listener, string? problem)
    {
        if (problem == _problem) return;
        _problem = problem;
        listener?.Invoke(problem);
    }

    private static bool Fail(string message, out string error)
    {
        error = message;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _range.Dispose();
}
