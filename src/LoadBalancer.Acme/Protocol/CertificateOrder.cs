using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Acme.Protocol;

/// <summary>One order from its beginning to the certificate (RFC 8555 §7.1: order, authorization, challenge, finalize, download).</summary>
internal sealed class CertificateOrder(AcmeClient client, PendingChallenges pending, AcmeKeyKind keyKind, TimeProvider time)
{
    private const int AuthorizationsMax = 10, RsaBits = 2048;

    private static readonly TimeSpan PollFirst = TimeSpan.FromSeconds(0.5), PollMax = TimeSpan.FromSeconds(10), RetryAfterMax = TimeSpan.FromMinutes(1);

    /// <summary>Runs it; returns the private key, the certificate and its chain in PEM.</summary>
    /// <param name="name">DNS name, in lower case.</param>
    /// <param name="challengeTypes">As the authority calls them: the first that it offers is answered.</param>
    /// <param name="token">Ends it.</param>
    /// <exception cref="AcmeException"/>
    internal async Task<string> RunAsync(string name, IReadOnlyList<string> challengeTypes, CancellationToken token)
    {
        (string url, Order order) = await client.NewOrderAsync(name, token).ConfigureAwait(false);
        IReadOnlyList<string> authorizations = order.Authorizations ?? [];
        if (authorizations.Count is 0 or > AuthorizationsMax) throw new AcmeException(AcmeFailure.BadAnswer, $"an order for one name has {authorizations.Count} authorizations");
        foreach (string authorization in authorizations) await AuthorizeAsync(authorization, name, challengeTypes, token).ConfigureAwait(false);
        order = await WaitAsync(url, "pending", token).ConfigureAwait(false);
        if (order.Finalize is not { } finalize) throw new AcmeException(AcmeFailure.BadAnswer, "the order has no URL to finalize it");
        using AsymmetricAlgorithm key = keyKind == AcmeKeyKind.Rsa ? RSA.Create(RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string chain = await DeliverAsync(url, finalize, SigningRequest(name, key), token).ConfigureAwait(false);
        return $"{key.ExportPkcs8PrivateKeyPem()}\n{chain}";
    }

    // From here on the authority may have issued a certificate, and counts it: what fails now is not followed by another order soon.
    private async Task<string> DeliverAsync(string url, string finalize, byte[] request, CancellationToken token)
    {
        bool isTaken = false;
        try
        {
            await FinalizeAsync(url, finalize, request, token).ConfigureAwait(false);
            isTaken = true;
            Order order = await WaitAsync(url, "ready or processing", token).ConfigureAwait(false);
            if (order.Certificate is not { } certificate) throw new AcmeException(AcmeFailure.BadAnswer, "the order is valid and has no certificate");
            return await RepeatAsync(() => client.DownloadAsync(certificate, token), token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or AcmeException { Failure: AcmeFailure.Unreachable } || (isTaken && e is AcmeException { Failure: not AcmeFailure.OrderInvalid }))
        {
            throw new AcmeException(AcmeFailure.NotDelivered, $"the order is finalized, its certificate was not had: {(e is AcmeException ? e.Message : "it took too long")}", (e as AcmeException)?.RetryAfter, inner: e);
        }
    }

    private async Task FinalizeAsync(string url, string finalize, byte[] request, CancellationToken token)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                await client.FinalizeAsync(finalize, request, token).ConfigureAwait(false);
                return;
            }
            catch (AcmeException e) when (IsRepeated(e))
            {
                await Task.Delay(Pause(tries, e.RetryAfter), time, token).ConfigureAwait(false);
            }
            // Perhaps it has arrived all the same.
            (Order order, _) = await RepeatAsync(() => client.ReadOrderAsync(url, token), token).ConfigureAwait(false);
            if (order.Status != "ready") return;
        }
    }

    /// <summary>Asks again what is not answered: the authority goes on meanwhile. When the time is over, that is the failure.</summary>
    private async Task<T> RepeatAsync<T>(Func<Task<T>> ask, CancellationToken token)
    {
        AcmeException? last = null;
        for (int tries = 0; ; tries++)
        {
            try
            {
                if (last is not null) await Task.Delay(Pause(tries, last.RetryAfter), time, token).ConfigureAwait(false);
                return await ask().ConfigureAwait(false);
            }
            catch (AcmeException e) when (IsRepeated(e))
            {
                last = e;
            }
            catch (OperationCanceledException) when (last is not null)
            {
                throw last;
            }
        }
    }

    private static bool IsRepeated(AcmeException failure) => failure.Failure == AcmeFailure.Unreachable && (failure.RetryAfter ?? TimeSpan.Zero) <= RetryAfterMax;

    private async Task AuthorizeAsync(string url, string name, IReadOnlyList<string> challengeTypes, CancellationToken token)
    {
        (Authorization authorization, _) = await client.ReadAuthorizationAsync(url, token).ConfigureAwait(false);
        if (authorization.Status == "valid") return; // from an earlier order
        IReadOnlyList<Challenge> offered = authorization.Challenges ?? [];
        Challenge? challenge = challengeTypes.Select(type => offered.FirstOrDefault(one => one.Type == type)).FirstOrDefault(one => one?.Url is not null);
        if (challenge is null)
            throw new AcmeException(AcmeFailure.NoChallenge, $"the authority does not offer {string.Join(" or ", challengeTypes)}, only {AcmeTransport.Short(string.Join(", ", offered.Select(one => one.Type)))}");
        using ChallengeAnswer answer = ChallengeAnswer.Publish(pending, name, challenge, client.Key);
        await client.AcceptAsync(challenge.Url!, token).ConfigureAwait(false);
        TimeSpan? retryAfter = null;
        for (int polls = 0; authorization.Status == "pending"; polls++)
        {
            await Task.Delay(Pause(polls, retryAfter), time, token).ConfigureAwait(false);
            (authorization, retryAfter) = await RepeatAsync(() => client.ReadAuthorizationAsync(url, token), token).ConfigureAwait(false);
        }
        if (authorization.Status == "valid") return;
        Problem? problem = authorization.Challenges?.FirstOrDefault(one => one.Error is not null)?.Error;
        throw new AcmeException(AcmeFailure.ChallengeFailed, $"{challenge.Type}: {(problem is null ? $"the authorization is {AcmeTransport.Short(authorization.Status ?? "without a status")}" : Problems.Describe(problem))}");
    }

    /// <summary>Waits until the order has left these states in order.</summary>
    private async Task<Order> WaitAsync(string url, string whileStatus, CancellationToken token)
    {
        for (int polls = 0; ; polls++)
        {
            (Order order, TimeSpan? retryAfter) = await RepeatAsync(() => client.ReadOrderAsync(url, token), token).ConfigureAwait(false);
            switch (order.Status)
            {
                case "pending" or "ready" or "processing" when whileStatus.Contains(order.Status, StringComparison.Ordinal):
                    await Task.Delay(Pause(polls, retryAfter), time, token).ConfigureAwait(false);
                    continue;
                case "pending" or "ready" or "processing" or "valid":
                    return order;
                default:
                    throw new AcmeException(AcmeFailure.OrderInvalid, order.Error is { } problem ? Problems.Describe(problem) : $"the order is {AcmeTransport.Short(order.Status ?? "without a status")}");
            }
        }
    }

    // RFC 8555 §7.5.1: the authority may say when to look again.
    private static TimeSpan Pause(int polls, TimeSpan? retryAfter)
    {
        TimeSpan own = TimeSpan.FromSeconds(Math.Min(PollFirst.TotalSeconds * Math.Pow(1.5, Math.Min(polls, 30)), PollMax.TotalSeconds));
        return retryAfter is not { } asked || asked < own ? own : asked > RetryAfterMax ? RetryAfterMax : asked;
    }

    private static byte[] SigningRequest(string name, AsymmetricAlgorithm key)
    {
        // No subject: a common name may be no longer than 64 characters, and clients read the alternative names only.
        var subject = new X500DistinguishedName("");
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequest();
    }
}
