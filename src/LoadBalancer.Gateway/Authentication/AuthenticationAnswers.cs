using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>What is answered to a request that is not let through. The reason goes to the log; the client hears whether it has sent a credential, and no more.</summary>
internal sealed class AuthenticationAnswers
{
    private readonly PolicyAnswer?[] _answers = new PolicyAnswer?[Enum.GetValues<FailureReason>().Length];
    private readonly string _kind;
    private readonly IReadOnlyList<string> _challenges;
    private readonly string? _error;
    private readonly int _unavailableStatus;

    /// <param name="kind">Of the policy, for the log.</param>
    /// <param name="challenges">Values of WWW-Authenticate (RFC 9110 §11.6.1); none where there is nothing to ask for, which is 403.</param>
    /// <param name="hasBearer">Whether the first one takes "error" (RFC 6750 §3).</param>
    /// <param name="unavailableStatus">When it is our fault.</param>
    internal AuthenticationAnswers(string kind, IReadOnlyList<string> challenges, bool hasBearer, int unavailableStatus)
    {
        (_kind, _challenges, _unavailableStatus) = (kind, challenges, unavailableStatus);
        if (hasBearer) _error = challenges[0];
    }

    /// <summary>The challenges that are asked for.</summary>
    internal IReadOnlyList<string> Challenges => _challenges;

    // Hot path under attack. 0 allocations, but for a reason with a detail.
    internal PolicyAnswer Of(FailureReason reason, string? detail)
    {
        if (detail is not null) return Make(reason, detail);
        // Two threads may both make one; either is good.
        return Volatile.Read(ref _answers[(int)reason]) ?? (_answers[(int)reason] = Make(reason, null));
    }

    private PolicyAnswer Make(FailureReason reason, string? detail)
    {
        string text = $"{_kind}: {FailureReasonText.Of(reason)}";
        if (detail is not null) text += $" ({detail})";
        var fields = new HeaderFields();
        if (FailureReasonText.IsOurs(reason) && _unavailableStatus == 503)
        {
            fields.Set("Retry-After", "5");
            return Answer(503, EndReason.PolicyUnavailable, "Service Unavailable\n", fields, text);
        }
        if (reason == FailureReason.SeveralCredentials)
        {
            // RFC 6750 §3.1: more than one method is an invalid request.
            if (_error is not null) fields.Append("WWW-Authenticate", $"{_error}, error=\"invalid_request\", error_description=\"Exactly one credential is expected\"");
            return Answer(400, EndReason.Unauthenticated, "Bad Request\n", fields, text);
        }
        if (_challenges.Count == 0) return Answer(403, EndReason.Unauthenticated, "Forbidden\n", fields, text);
        foreach (string challenge in _challenges)
        {
            // RFC 6750 §3.1: no error where there was no token.
            bool hasError = ReferenceEquals(challenge, _error) && reason != FailureReason.NoCredential;
            fields.Append("WWW-Authenticate", hasError ? $"{challenge}, error=\"invalid_token\", error_description=\"The access token is not accepted\"" : challenge);
        }
        return Answer(401, EndReason.Unauthenticated, "Unauthorized\n", fields, text);
    }

    private static PolicyAnswer Answer(int status, EndReason reason, string body, HeaderFields fields, string detail)
    {
        fields.Set("Content-Type", "text/plain");
        fields.Set("Cache-Control", "no-store");
        return new PolicyAnswer(status, reason) { Detail = detail, Fields = fields, Body = Encoding.ASCII.GetBytes(body) };
    }
}
