using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary>A certificate as it is shown; <see cref="CertificateView"/> says what the fields mean.</summary>
internal sealed record CertificateEntry(string File, string Kind, IReadOnlyList<string> Listeners, IReadOnlyList<string> Names, string Issuer, DateTimeOffset NotBefore, DateTimeOffset NotAfter,
    DateTimeOffset ExpiresAt, double DaysLeft, string State, string Fingerprint, DateTimeOffset LoadedAt, string? Problem)
{
    internal static CertificateEntry Of(CertificateView view, DateTimeOffset now) => new(
        view.File, view.Kind == CertificateKind.Server ? "server" : "clientAuthorities", view.Listeners, view.Names, view.Issuer, view.NotBefore, view.NotAfter,
        view.ExpiresAt, Math.Floor((view.ExpiresAt - now).TotalDays * 10) / 10, Name(view.State), view.Fingerprint, view.LoadedAt, view.Problem);

    private static string Name(CertificateState state) => state switch
    {
        CertificateState.NotYetValid => "notYetValid",
        CertificateState.ExpiresSoon => "expiresSoon",
        CertificateState.ExpiresVerySoon => "expiresVerySoon",
        CertificateState.Expired => "expired",
        _ => "valid",
    };

    /// <summary>Whether an operator must act now: clients refuse it, or what stands in its files is not what is used.</summary>
    internal bool IsBroken => State is "expired" or "notYetValid" || Problem is not null;
}

internal sealed record CertificateList(IReadOnlyList<CertificateEntry> Certificates)
{
    internal static CertificateList Of(IReadOnlyList<CertificateView> views, DateTimeOffset now) => new([.. views.Select(view => CertificateEntry.Of(view, now))]);
}
