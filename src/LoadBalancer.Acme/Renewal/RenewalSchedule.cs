namespace LoadBalancer.Acme.Renewal;

/// <summary>When a certificate is renewed, and when after a failure. Values only: no clock, no chance.</summary>
internal static class RenewalSchedule
{
    // Let's Encrypt allows five failed validations of a name in an hour: 0, 2, 6, 14 and 30 minutes, then 62.
    internal static readonly TimeSpan FailureMin = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan
        FailureMax = TimeSpan.FromHours(6),
        // No authority counts what does not reach it.
        UnreachableMin = TimeSpan.FromSeconds(15), UnreachableMax = TimeSpan.FromMinutes(15),
        // What it issues it counts, also what was never shown: Let's Encrypt gives five of the same names in a week.
        IssuedMin = TimeSpan.FromHours(1),
        // Near the end of a certificate it is tried more often than that.
        HurryMin = TimeSpan.FromMinutes(15),
        // A certificate that is due when it is issued (a clock that is wrong, an authority that gives old ones) is no reason to order one after the other.
        SuccessMin = TimeSpan.FromMinutes(5);

    /// <summary>When it is due: a third of its life before its end (or <paramref name="before"/>, at most half), and earlier by chance, by up to a twentieth of its life.</summary>
    /// <param name="notBefore">Begin of its life.</param>
    /// <param name="notAfter">End of its life.</param>
    /// <param name="before">Zero for a third.</param>
    /// <param name="chance">0 to 1: balancers that came together do not ask together.</param>
    internal static DateTimeOffset DueAt(DateTimeOffset notBefore, DateTimeOffset notAfter, TimeSpan before, double chance)
    {
        TimeSpan life = notAfter - notBefore;
        if (before == TimeSpan.Zero) before = life / 3;
        else if (before > life / 2) before = life / 2;
        return notAfter - before - (life / 20 * chance);
    }

    /// <summary>How long to wait after a success: until it is due, but no less than a tenth of what is left of its life.</summary>
    /// <param name="untilDue">Until it is due; may be past.</param>
    /// <param name="left">Until its end.</param>
    internal static TimeSpan AfterSuccess(TimeSpan untilDue, TimeSpan left)
    {
        TimeSpan min = left / 10 > SuccessMin ? left / 10 : SuccessMin;
        return untilDue > min ? untilDue : min;
    }

    /// <summary>How long to wait after so many failures in a row.</summary>
    /// <param name="failures">At least 1.</param>
    /// <param name="failure">The last.</param>
    /// <param name="retryAfter">What the authority asks for; never less than that.</param>
    /// <param name="left">Life of the certificate that is shown; null for none.</param>
    /// <param name="chance">0 to 1: up to a fifth more.</param>
    internal static TimeSpan BackOff(int failures, AcmeFailure failure, TimeSpan? retryAfter, TimeSpan? left, double chance)
    {
        bool isUnreachable = failure == AcmeFailure.Unreachable;
        TimeSpan min = isUnreachable ? UnreachableMin : failure is AcmeFailure.NotDelivered or AcmeFailure.BadCertificate ? IssuedMin : FailureMin, max = isUnreachable ? UnreachableMax : FailureMax;
        if (left is { } life && life / 4 < max) max = life / 4 > HurryMin ? life / 4 : HurryMin;
        if (max < min) max = min;
        // In seconds: the product may be more than a TimeSpan holds.
        TimeSpan wait = TimeSpan.FromSeconds(Math.Min(min.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 30)), max.TotalSeconds)) * (1 + chance / 5);
        return retryAfter is { } asked && asked > wait ? asked : wait;
    }
}
