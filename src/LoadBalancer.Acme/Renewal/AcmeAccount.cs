using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Acme.Protocol;
using LoadBalancer.Acme.Storage;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Acme.Renewal;

/// <summary>The account at the authority: from the storage, or made when it is first needed. Thread-safe.</summary>
internal sealed class AcmeAccount(AcmeConfig config, AcmeStorage storage, TimeProvider time, ILogger logger) : IDisposable
{
    private const string LockName = "account"; // no public DNS name

    private readonly string _authority = new Uri(config.Directory).Authority;
    private readonly SemaphoreSlim _opening = new(1);
    private AcmeTransport? _transport;
    private AcmeClient? _client;

    /// <exception cref="AcmeException"/>
    internal async Task<AcmeClient> OpenAsync(CancellationToken token)
    {
        if (Volatile.Read(ref _client) is { } open) return open;
        await _opening.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (_client is { } opened) return opened;
            using IDisposable held = await LockAsync(storage, LockName, time, token).ConfigureAwait(false);
            StoredAccount? stored = storage.ReadAccount(out string? problem);
            if (problem is not null) AcmeLog.SetAside(logger, problem);
            var client = new AcmeClient(_transport ??= new AcmeTransport(time, Roots()), config.Directory, stored?.Key is { } pem ? AccountKey.Import(pem) : AccountKey.Create()) { AccountUrl = stored?.Url };
            bool isChanged = false;
            if (client.AccountUrl is null)
            {
                await client.OpenAccountAsync(config.Contact, config.ExternalAccount, token).ConfigureAwait(false);
                isChanged = true;
            }
            else if (!config.Contact.SequenceEqual(stored?.Contact ?? []))
                isChanged = await UpdateAsync(client, token).ConfigureAwait(false);
            if (isChanged)
            {
                Keep(client, client.AccountUrl);
                AcmeLog.AccountOpened(logger, _authority, client.AccountUrl!);
            }
            Volatile.Write(ref _client, client);
            return client;
        }
        finally
        {
            _opening.Release();
        }
    }

    // An address for mails is no reason to let certificates expire: what is kept still has the former one, and the next start tries again.
    private async Task<bool> UpdateAsync(AcmeClient client, CancellationToken token)
    {
        try
        {
            await client.UpdateAccountAsync(config.Contact, token).ConfigureAwait(false);
            return true;
        }
        catch (AcmeException e) when (e.ProblemType == "accountDoesNotExist")
        {
            await client.OpenAccountAsync(config.Contact, config.ExternalAccount, token).ConfigureAwait(false);
            return true;
        }
        catch (AcmeException e)
        {
            AcmeLog.ContactNotChanged(logger, _authority, e.Failure, e.Message);
            return false;
        }
    }

    /// <summary>The authority does not know the account any more: the next <see cref="OpenAsync"/> makes it anew, for the same key.</summary>
    internal async Task ForgetAsync(AcmeClient client, CancellationToken token)
    {
        await _opening.WaitAsync(token).ConfigureAwait(false);
        try
        {
            if (_client != client) return; // somebody did so before
            using IDisposable held = await LockAsync(storage, LockName, time, token).ConfigureAwait(false);
            Keep(client, null); // the client itself stays as it is: orders of other names sign with it
            _client = null;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Waits for a lock of the storage.</summary>
    internal static async Task<IDisposable> LockAsync(AcmeStorage storage, string what, TimeProvider time, CancellationToken token)
    {
        while (true)
        {
            if (storage.TryLock(what) is { } held) return held;
            await Task.Delay(TimeSpan.FromSeconds(1), time, token).ConfigureAwait(false); // another process gives no event to wait for
        }
    }

    private void Keep(AcmeClient client, string? url)
    {
        try
        {
            storage.WriteAccount(new StoredAccount(url, client.Key.ExportPem(), config.Contact));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AcmeException(AcmeFailure.Storage, $"the account cannot be kept: {e.Message}", inner: e);
        }
    }

    private X509Certificate2Collection? Roots()
    {
        if (config.Trust is not { } file) return null;
        return TrustFile.TryLoad(file, out X509Certificate2Collection? roots, out string error) ? roots : throw new AcmeException(AcmeFailure.Storage, $"acme.trust: {file} {error}");
    }

    public void Dispose()
    {
        _transport?.Dispose();
        _client?.Key.Dispose();
        _opening.Dispose();
    }
}
