namespace LoadBalancer.Acme;

/// <summary>What an embedding program may set.</summary>
public sealed class AcmeOptions
{
    /// <summary>Null (default) for the system's time.</summary>
    public TimeProvider? TimeProvider { get; init; }

    /// <summary>Is told of every attempt. Null (default) for nobody.</summary>
    public IAcmeObserver? Observer { get; init; }

    /// <summary>Makes what happens by chance repeatable. Null (default): it is not.</summary>
    public int? Seed { get; init; }
}

/// <summary>Is told of every attempt to have a certificate, after what was had is in use.</summary>
public interface IAcmeObserver
{
    /// <summary>Called by the task of that name; must not block.</summary>
    void OnAttempt(AcmeRecord record);
}

/// <summary>What became of one attempt.</summary>
/// <param name="Name">The name.</param>
/// <param name="Source">Where the certificate that is shown now was had; <see cref="CertificateSource.None"/> after a failure.</param>
/// <param name="Failure">Null where it succeeded.</param>
/// <param name="Problem">The failure in words; null where it succeeded.</param>
/// <param name="NotAfter">End of the certificate that is shown now; null for none.</param>
/// <param name="NextIn">When the next attempt is due.</param>
public sealed record AcmeRecord(string Name, CertificateSource Source, AcmeFailure? Failure, string? Problem, DateTimeOffset? NotAfter, TimeSpan NextIn);

/// <summary>Where a certificate was had.</summary>
public enum CertificateSource
{
    /// <summary>Nowhere.</summary>
    None,
    /// <summary>From the storage: of an earlier run, or of another process.</summary>
    Storage,
    /// <summary>From the authority.</summary>
    Authority,
}
