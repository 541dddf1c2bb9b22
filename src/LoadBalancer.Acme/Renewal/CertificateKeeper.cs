using LoadBalancer.Acme.Protocol;
using LoadBalancer.Acme.Storage;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Acme.Renewal;

/// <summary>What the keepers of all names share.</summary>
internal sealed record KeeperServices(
    ProxyServer Server, AcmeConfig Config, AcmeStorage Storage, AcmeAccount Account, IReadOnlyList<string> ChallengeTypes, SemaphoreSlim Orders, TimeProvider Time, IAcmeObserver? Observer, ILogger Logger);

/// <summary>Keeps the certificate of one name: shows what is stored, orders what is missing or near its end, again and again. A failure never touches what is shown.</summary>
internal sealed class CertificateKeeper(KeeperServices services, string name, IReadOnlyList<string> listeners, Random random)
{
    // An order takes seconds; with an authority that queues, minutes.
    private static readonly TimeSpan OrderTimeout = TimeSpan.FromMinutes(10);
    // Timers reach 49 days, and do not run while a machine sleeps.
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(12);

    private readonly string _authority = new Uri(services.Config.Directory).Authority;
    private IssuedCertificate? _shown;
    private DateTimeOffset _dueAt; // of the one shown
    // In a row, each kind apart: an outage does not slow down what follows it, nor hide how often the authority has refused.
    private int _failures, _unreached, _failedChallenges;

    /// <summary>Shows what the storage has.</summary>
    internal void Load()
    {
        if (ReadStored() is { } stored && TryShowStored(stored)) AcmeLog.Loaded(services.Logger, name, stored.NotAfter);
    }

    private IssuedCertificate? ReadStored()
    {
        try
        {
            IssuedCertificate? stored = services.Storage.ReadCertificate(name, out string? problem);
            if (problem is not null) AcmeLog.SetAside(services.Logger, problem);
            return stored;
        }
        catch (AcmeException e)
        {
            AcmeLog.SetAside(services.Logger, e.Message); // unlike an account it is replaced without loss
            return null;
        }
    }

    /// <summary>Runs until it is cancelled. Never fails.</summary>
    internal async Task RunAsync(CancellationToken token)
    {
        await Task.Yield();
        try
        {
            await WaitUntilAsync(_dueAt, token).ConfigureAwait(false);
            while (true)
            {
                Task wait;
                try
                {
                    wait = await AttemptAsync(token).ConfigureAwait(false);
                }
                catch (Exception e) when (!token.IsCancellationRequested)
                {
                    AcmeLog.InternalError(services.Logger, name, e);
                    wait = Task.Delay(RenewalSchedule.FailureMin, services.Time, token);
                }
                await wait.ConfigureAwait(false);
            }
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
        }
    }

    /// <summary>Renews it, and tells; returns the wait for the next time.</summary>
    private async Task<Task> AttemptAsync(CancellationToken token)
    {
        CertificateSource source = CertificateSource.None;
        AcmeException? failure = null;
        int failures = 0;
        try
        {
            source = await RenewAsync(token).ConfigureAwait(false);
            _failures = _unreached = 0;
        }
        catch (Exception e) when (!token.IsCancellationRequested)
        {
            failure = e as AcmeException;
            if (failure is null)
            {
                // A fault of ours may not end what keeps certificates alive.
                AcmeLog.InternalError(services.Logger, name, e);
                failure = new AcmeException(AcmeFailure.InternalError, e.GetType().Name, inner: e);
            }
            failures = failure.Failure == AcmeFailure.Unreachable ? ++_unreached : ++_failures;
            if (failure.Failure != AcmeFailure.Unreachable) _unreached = 0;
            if (failure.Failure is AcmeFailure.ChallengeFailed or AcmeFailure.OrderTimeout) _failedChallenges++;
        }
        DateTimeOffset now = services.Time.GetUtcNow();
        TimeSpan next = failure is null
            ? RenewalSchedule.AfterSuccess(_dueAt - now, _shown!.NotAfter - now)
            : RenewalSchedule.BackOff(failures, failure.Failure, failure.RetryAfter, _shown?.NotAfter - now, random.NextDouble());
        // Before anybody is told: who is told may turn the clock.
        Task wait = WaitUntilAsync(now + next, token);
        Report(source, failure, next);
        return wait;
    }

    private async Task<CertificateSource> RenewAsync(CancellationToken token)
    {
        using IDisposable held = await LockAsync(token).ConfigureAwait(false);
        // Another process may have had it meanwhile.
        if (ReadStored() is { } stored && stored.NotAfter > (_shown?.NotAfter ?? DateTimeOffset.MinValue) && DueAt(stored) > services.Time.GetUtcNow() && TryShowStored(stored))
            return CertificateSource.Storage;
        string pem = await OrderInTurnAsync(token).ConfigureAwait(false);
        if (!IssuedCertificate.TryParse(pem, name, out IssuedCertificate? issued, out string error)) throw new AcmeException(AcmeFailure.BadCertificate, $"what the authority gave {error}");
        if (issued.NotAfter <= services.Time.GetUtcNow()) throw new AcmeException(AcmeFailure.BadCertificate, $"what the authority gave has expired on {issued.NotAfter:u}");
        Show(issued);
        Keep(pem);
        return CertificateSource.Authority;
    }

    private async Task<IDisposable> LockAsync(CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(OrderTimeout, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
        try
        {
            return await AcmeAccount.LockAsync(services.Storage, name, services.Time, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new AcmeException(AcmeFailure.Storage, $"another process that shares acme.storage took longer than {OrderTimeout.TotalMinutes} minutes");
        }
    }

    // Few at once; the wait for the turn is no time of the order.
    private async Task<string> OrderInTurnAsync(CancellationToken token)
    {
        await services.Orders.WaitAsync(token).ConfigureAwait(false);
        try
        {
            using var timeout = new CancellationTokenSource(OrderTimeout, services.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
            return await OrderAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new AcmeException(AcmeFailure.OrderTimeout, $"the order took longer than {OrderTimeout.TotalMinutes} minutes");
        }
        finally
        {
            services.Orders.Release();
        }
    }

    private async Task<string> OrderAsync(CancellationToken token)
    {
        // The one that failed comes last: what else is offered is tried before it.
        int first = _failedChallenges % services.ChallengeTypes.Count;
        string[] challengeTypes = [.. services.ChallengeTypes.Skip(first), .. services.ChallengeTypes.Take(first)];
        AcmeClient client = await services.Account.OpenAsync(token).ConfigureAwait(false);
        for (int tries = 1; ; tries++)
        {
            try
            {
                return await new CertificateOrder(client, services.Server.Challenges, services.Config.Key, services.Time).RunAsync(name, challengeTypes, token).ConfigureAwait(false);
            }
            catch (AcmeException e) when (e.ProblemType == "accountDoesNotExist" && tries == 1)
            {
                await services.Account.ForgetAsync(client, token).ConfigureAwait(false);
                client = await services.Account.OpenAsync(token).ConfigureAwait(false);
            }
        }
    }

    // One of an earlier run, which had another OpenSSL or stricter settings of it, may be refused: the others are served, and this one is had anew.
    private bool TryShowStored(IssuedCertificate stored)
    {
        try
        {
            Show(stored);
            return true;
        }
        catch (AcmeException e)
        {
            AcmeLog.SetAside(services.Logger, services.Storage.SetAsideCertificate(name, $"is of no use: {e.Message.ReplaceLineEndings(" ")}"));
            return false;
        }
    }

    private void Show(IssuedCertificate certificate)
    {
        try
        {
            foreach (string listener in listeners) services.Server.SetCertificate(listener, name, certificate.Leaf, certificate.Chain);
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new AcmeException(AcmeFailure.BadCertificate, $"the certificate cannot be used: {e.Message}", inner: e);
        }
        _shown = certificate;
        _dueAt = DueAt(certificate);
    }

    private void Keep(string pem)
    {
        try
        {
            services.Storage.WriteCertificate(name, pem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            AcmeLog.NotKept(services.Logger, name, e.Message);
        }
    }

    private DateTimeOffset DueAt(IssuedCertificate certificate) =>
        RenewalSchedule.DueAt(certificate.NotBefore, certificate.NotAfter, services.Config.RenewBefore, random.NextDouble());

    private void Report(CertificateSource source, AcmeException? failure, TimeSpan next)
    {
        TimeSpan rounded = TimeSpan.FromSeconds(Math.Round(next.TotalSeconds)); // for people
        if (failure is not null)
        {
            string shown = _shown is null ? "there is none to show yet" : $"the one shown is good until {_shown.NotAfter:u}";
            AcmeLog.Failed(services.Logger, name, _authority, failure.Failure, failure.Message, rounded, shown);
        }
        else if (source == CertificateSource.Storage) AcmeLog.Loaded(services.Logger, name, _shown!.NotAfter);
        else AcmeLog.Issued(services.Logger, name, _authority, _shown!.NotAfter, rounded);
        if (failure is null && _dueAt <= services.Time.GetUtcNow()) AcmeLog.DueWhenIssued(services.Logger, name, rounded);
        try
        {
            services.Observer?.OnAttempt(new AcmeRecord(name, source, failure?.Failure, failure?.Message, _shown?.NotAfter, next));
        }
        catch (Exception e)
        {
            AcmeLog.ObserverFailed(services.Logger, name, e); // of the embedding program
        }
    }

    private async Task WaitUntilAsync(DateTimeOffset at, CancellationToken token)
    {
        for (TimeSpan left; (left = at - services.Time.GetUtcNow()) > TimeSpan.Zero;)
            await Task.Delay(left < WaitMax ? left : WaitMax, services.Time, token).ConfigureAwait(false);
    }
}
