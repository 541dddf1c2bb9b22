using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>
/// The keys that seal session tickets (RFC 5077 §4, RFC 8446 §4.6.1): all of a server's state about a session is with the client. A key seals for
/// twelve hours and opens for twelve more, so that one that is stolen opens no more than a day of TLS 1.2. Thread-safe.
/// </summary>
internal sealed unsafe class TicketKeys
{
    internal static readonly TimeSpan SealingTime = TimeSpan.FromHours(12);

    private const int NameSize = 16, KeySize = 32;

    private sealed record Key(byte[] Name, byte[] Cipher, byte[] Mac, DateTimeOffset MadeAt);

    private sealed record Keys(Key Current, Key? Previous);

    private Keys? _keys;

    /// <summary>Prepares the sealing of a ticket, as <c>SSL_CTX_set_tlsext_ticket_key_evp_cb</c> asks for it. False when that fails.</summary>
    internal bool TrySeal(DateTimeOffset now, byte* name, byte* iv, nint cipher, nint mac)
    {
        const int IvSize = 16;
        Key key = Current(now).Current;
        key.Name.CopyTo(new Span<byte>(name, NameSize));
        RandomNumberGenerator.Fill(new Span<byte>(iv, IvSize));
        fixed (byte* secret = key.Cipher)
            return LibSsl.EncryptInit(cipher, LibSsl.Aes256Cbc(), 0, secret, iv) == 1 && SetMacKey(mac, key);
    }

    /// <summary>Prepares the opening of a ticket. 0 when the key is not ours or too old, 1, or 2 when the client should get a new ticket.</summary>
    internal int TryOpen(DateTimeOffset now, byte* name, byte* iv, nint cipher, nint mac)
    {
        Keys keys = Current(now);
        var sealedWith = new ReadOnlySpan<byte>(name, NameSize);
        bool isCurrent = sealedWith.SequenceEqual(keys.Current.Name);
        Key? key = isCurrent ? keys.Current : keys.Previous is { } previous && sealedWith.SequenceEqual(previous.Name) ? previous : null;
        if (key is null) return 0;
        fixed (byte* secret = key.Cipher)
            if (!SetMacKey(mac, key) || LibSsl.DecryptInit(cipher, LibSsl.Aes256Cbc(), 0, secret, iv) != 1) return 0;
        return isCurrent ? 1 : 2;
    }

    private Keys Current(DateTimeOffset now)
    {
        Keys? keys = Volatile.Read(ref _keys);
        if (keys is not null && now - keys.Current.MadeAt < SealingTime) return keys;
        Key? previous = keys is not null && now - keys.Current.MadeAt < 2 * SealingTime ? keys.Current : null;
        var made = new Keys(new Key(RandomNumberGenerator.GetBytes(NameSize), RandomNumberGenerator.GetBytes(KeySize), RandomNumberGenerator.GetBytes(KeySize), now), previous);
        return Interlocked.CompareExchange(ref _keys, made, keys) == keys ? made : Volatile.Read(ref _keys)!; // one thread's keys hold
    }

    private static bool SetMacKey(nint mac, Key key)
    {
        LibSsl.Parameter* parameters = stackalloc LibSsl.Parameter[3];
        fixed (byte* secret = key.Mac, keyName = "key\0"u8, digestName = "digest\0"u8, digest = "SHA256\0"u8)
        {
            parameters[0] = new() { Key = keyName, Type = LibSsl.Parameter.Octets, Data = secret, Size = KeySize };
            parameters[1] = new() { Key = digestName, Type = LibSsl.Parameter.Utf8, Data = digest, Size = 6 };
            parameters[2] = default;
            return LibSsl.MacSetParameters(mac, parameters) == 1;
        }
    }
}
