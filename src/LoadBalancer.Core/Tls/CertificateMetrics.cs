using System.Diagnostics.Metrics;

namespace LoadBalancer.Core.Tls;

/// <summary>The instruments of certificates, on the meter "LoadBalancer". Tags are the configuration's, so their number is bounded by it.</summary>
internal sealed class CertificateMetrics : IDisposable
{
    private readonly Func<CertificateStore> _store;
    private readonly TimeProvider _time;
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _reloads;

    internal CertificateMetrics(Func<CertificateStore> store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _ = _meter.CreateObservableGauge("lb.tls.certificate.expiry", Expiry, "s", "Time until a certificate, or one of its chain, expires; negative when it has.");
        _reloads = _meter.CreateCounter<long>("lb.tls.certificate.reloads", "{reload}", "Changes of a certificate's files, by whether what they have is used.");
    }

    internal void CountReload(TlsFileSource source, bool isReplaced)
    {
        foreach (string listener in source.Listeners) _reloads.Add(1, new("listener", listener), new("file", source.File), new("outcome", isReplaced ? "replaced" : "refused"));
    }

    private IEnumerable<Measurement<double>> Expiry()
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (ShownCertificate certificate in _store().All)
        {
            if (certificate.View(now) is not { } view) continue;
            foreach (string listener in view.Listeners)
                yield return new((view.ExpiresAt - now).TotalSeconds, new("listener", listener), new("file", view.File), new("name", view.Names[0]));
        }
    }

    public void Dispose() => _meter.Dispose();
}
