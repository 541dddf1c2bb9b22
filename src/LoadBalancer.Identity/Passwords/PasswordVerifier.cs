using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Identity.Passwords;

/// <summary>
/// Verifies names and passwords (RFC 7617). bcrypt takes tens of milliseconds by design: it runs on the thread pool, so many at a time and so many waiting, and one that was good
/// is remembered for a while, as a keyed hash. The same credential is verified once, however often it comes at the same time. Thread-safe.
/// </summary>
public sealed class PasswordVerifier : IDisposable
{
    private const int CredentialBytesMax = 1024;
    private const int PasswordBytesMax = 72; // bcrypt looks at no more: a longer one would be as good as its beginning

    private readonly Func<PasswordFile?> _file;
    private readonly VerifiedCache _cache;
    private readonly TimeSpan _rememberFor;
    private readonly TimeProvider _time;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly SemaphoreSlim _slots;
    private readonly int _pendingMax;
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, Task<VerificationResult>> _running = []; // under _gate; at most _pendingMax
    private string? _decoy;

    /// <param name="file">The users as they are now; null when they cannot be had.</param>
    /// <param name="cacheCapacity">Credentials that are remembered.</param>
    /// <param name="rememberFor">For how long.</param>
    /// <param name="concurrency">Passwords that are verified at a time.</param>
    /// <param name="pendingMax">Passwords that are verified or wait for it; beyond, they are refused.</param>
    /// <param name="time">The clock.</param>
    public PasswordVerifier(Func<PasswordFile?> file, int cacheCapacity, TimeSpan rememberFor, int concurrency, int pendingMax, TimeProvider time)
    {
        (_file, _rememberFor, _pendingMax, _time) = (file, rememberFor, pendingMax, time);
        _cache = new VerifiedCache(cacheCapacity);
        _slots = new SemaphoreSlim(concurrency);
    }

    /// <summary>Forgets who was verified: the file is another.</summary>
    public void Forget() => _cache.Clear();

    /// <summary>Verifies what stands behind "Basic ".</summary>
    // Hot path: per request. 0 allocations for one that is remembered.
    public ValueTask<VerificationResult> VerifyAsync(ReadOnlySpan<byte> base64)
    {
        if (base64.Length > CredentialBytesMax * 4 / 3) return new(VerificationResult.Failed(FailureReason.CredentialTooLarge));
        Span<byte> credential = stackalloc byte[CredentialBytesMax];
        try
        {
            if (!IsBase64(base64) || Base64.DecodeFromUtf8(base64, credential, out _, out int length) != System.Buffers.OperationStatus.Done || !IsWellFormed(credential[..length], out int colon))
                return new(VerificationResult.Failed(FailureReason.CredentialMalformed));
            Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
            HMACSHA256.HashData(_secret, credential[..length], key);
            if (_cache.TryGet(key, Now, out Principal? known)) return new(VerificationResult.Of(known));
            return _file() is { } file ? Pend(file, key, credential[..colon], credential[(colon + 1)..length]) : new(VerificationResult.Failed(FailureReason.KeysUnavailable));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(credential);
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    // The decoder skips white space, of which RFC 7617 §2 (token68) knows none.
    private static bool IsBase64(ReadOnlySpan<byte> text)
    {
        foreach (byte c in text)
            if (c <= ' ') return false;
        return !text.IsEmpty;
    }

    // RFC 7617 §2: no control characters in either, no colon in the name.
    private static bool IsWellFormed(ReadOnlySpan<byte> credential, out int colon)
    {
        colon = credential.IndexOf((byte)':');
        if (colon <= 0 || !Utf8.IsValid(credential)) return false;
        foreach (byte c in credential)
            if (c < ' ' || c == 0x7F) return false;
        return true;
    }

    private ValueTask<VerificationResult> Pend(PasswordFile file, ReadOnlySpan<byte> key, ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        if (password.Length > PasswordBytesMax) return new(VerificationResult.Failed(FailureReason.WrongPassword));
        UInt128 name = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(key);
        lock (_gate)
        {
            if (_running.TryGetValue(name, out Task<VerificationResult>? running)) return new(running);
            if (_running.Count >= _pendingMax) return new(VerificationResult.Failed(FailureReason.TooBusy));
            byte[] cacheKey = key.ToArray();
            string userName = Encoding.UTF8.GetString(user), secret = Encoding.UTF8.GetString(password);
            int generation = _cache.Generation;
            Task<VerificationResult> task = Task.Run(() => RunAsync(file, name, cacheKey, generation, userName, secret));
            _running.Add(name, task);
            return new(task);
        }
    }

    private async Task<VerificationResult> RunAsync(PasswordFile file, UInt128 name, byte[] cacheKey, int generation, string user, string password)
    {
        try
        {
            await _slots.WaitAsync().ConfigureAwait(false);
            bool isRight;
            string? hash = file.HashOf(user);
            try
            {
                // An unknown user takes as long as a known one: else the time tells who there is.
                isRight = BCrypt.Net.BCrypt.Verify(password, hash ?? Decoy(file.Cost)) && hash is not null;
            }
            finally
            {
                _slots.Release();
            }
            if (!isRight) return VerificationResult.Failed(hash is null ? FailureReason.UnknownUser : FailureReason.WrongPassword);
            Principal principal = new PrincipalBuilder(Schemes.Basic, user).Build();
            _cache.Add(cacheKey, principal, Now + (long)_rememberFor.TotalSeconds, generation);
            return VerificationResult.Of(principal);
        }
        finally
        {
            // Not before it was added: the task may end before Pend has left the lock.
            lock (_gate) _running.Remove(name);
        }
    }

    // The hash of nobody's password.
    private string Decoy(int cost)
    {
        string prefix = $"$2b${cost:00}$";
        if (_decoy is { } decoy && decoy.StartsWith(prefix, StringComparison.Ordinal)) return decoy;
        return _decoy = BCrypt.Net.BCrypt.HashPassword(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), cost);
    }

    /// <summary>Nothing is verified afterwards.</summary>
    public void Dispose() => _slots.Dispose();
}
