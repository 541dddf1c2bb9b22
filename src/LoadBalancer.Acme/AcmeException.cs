namespace LoadBalancer.Acme;

/// <summary>The one named cause for which a certificate was not had. Names are stable: they stand in logs and tests.</summary>
public enum AcmeFailure
{
    /// <summary>The authority's server is not reached, or does not answer in time.</summary>
    Unreachable,
    /// <summary>What it answers is not what RFC 8555 says, or too large.</summary>
    BadAnswer,
    /// <summary>It refuses a request, with a problem that has no name of its own here.</summary>
    Refused,
    /// <summary>It is asked too often: a rate limit.</summary>
    RateLimited,
    /// <summary>It gives no account, or has closed it.</summary>
    AccountRefused,
    /// <summary>It wants an external account, and there is none in the configuration.</summary>
    ExternalAccountRequired,
    /// <summary>It offers none of the challenges that can be answered.</summary>
    NoChallenge,
    /// <summary>It asked whether the name is ours and found otherwise.</summary>
    ChallengeFailed,
    /// <summary>It has given up the order.</summary>
    OrderInvalid,
    /// <summary>The order was finalized, and the certificate that the authority may have issued was not had.</summary>
    NotDelivered,
    /// <summary>The order took too long.</summary>
    OrderTimeout,
    /// <summary>The certificate is not what was ordered: other names, another key, or no longer valid.</summary>
    BadCertificate,
    /// <summary>The storage cannot be written, or another process has been ordering for too long.</summary>
    Storage,
    /// <summary>A bug on our side.</summary>
    InternalError,
}

/// <summary>A certificate was not had; <see cref="Failure"/> says why.</summary>
public sealed class AcmeException : Exception
{
    internal AcmeException(AcmeFailure failure, string message, TimeSpan? retryAfter = null, string? problemType = null, Exception? inner = null) : base(message, inner)
    {
        Failure = failure;
        RetryAfter = retryAfter;
        ProblemType = problemType;
    }

    /// <summary>The cause.</summary>
    public AcmeFailure Failure { get; }

    /// <summary>How long the authority asks to wait; null where it says nothing of it.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>The last part of the problem's type (RFC 8555 §6.7), such as "badNonce"; null for none.</summary>
    internal string? ProblemType { get; }
}
