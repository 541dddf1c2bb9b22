using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LoadBalancer.Acme.Protocol;

/// <summary>The key of an account, P-256, and what it signs.</summary>
internal sealed class AccountKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly byte[] _jwk;

    /// <param name="key">On P-256; owned from now on.</param>
    internal AccountKey(ECDsa key)
    {
        _key = key;
        ECParameters point = key.ExportParameters(includePrivateParameters: false);
        // RFC 7638 §3.2: the required members, in this order, without white space. As good as any where the key itself is sent.
        _jwk = Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.Q.X)}}","y":"{{Base64Url.EncodeToString(point.Q.Y)}}"}""");
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(_jwk));
    }

    internal static AccountKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">It is no such key.</exception>
    internal static AccountKey Import(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize != 256) throw new CryptographicException("the account's key is not on P-256");
            return new AccountKey(key);
        }
        catch (ArgumentException e)
        {
            key.Dispose();
            throw new CryptographicException("the account's key is no PEM", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    internal string ExportPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>RFC 7638.</summary>
    internal string Thumbprint { get; }

    /// <summary>What proves to the authority that who answers a challenge has this key (RFC 8555 §8.1).</summary>
    internal string Authorize(string token) => $"{token}.{Thumbprint}";

    /// <summary>A signed request.</summary>
    /// <param name="url">Where it is sent.</param>
    /// <param name="nonce">The authority's.</param>
    /// <param name="accountUrl">Of the account; null for the request that makes it.</param>
    /// <param name="payload">Empty to read only ("POST-as-GET").</param>
    internal SignedMessage Sign(string url, string nonce, string? accountUrl, ReadOnlySpan<byte> payload)
    {
        var header = new ProtectedHeader("ES256", accountUrl is null ? JsonElement.Parse(_jwk) : null, accountUrl, nonce, url);
        string head = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(header, AcmeJson.Default.ProtectedHeader)), body = Base64Url.EncodeToString(payload);
        // RFC 7518 §3.4: both numbers of the signature, each in 32 bytes.
        byte[] signature = _key.SignData(Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return new SignedMessage(head, body, Base64Url.EncodeToString(signature));
    }

    /// <summary>This key, signed by that of an external account (RFC 8555 §7.3.4).</summary>
    internal SignedMessage Bind(string keyId, ReadOnlySpan<byte> macKey, string url)
    {
        var header = new ProtectedHeader("HS256", null, keyId, null, url);
        string head = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(header, AcmeJson.Default.ProtectedHeader)), body = Base64Url.EncodeToString(_jwk);
        return new SignedMessage(head, body, Base64Url.EncodeToString(HMACSHA256.HashData(macKey, Encoding.ASCII.GetBytes($"{head}.{body}"))));
    }

    public void Dispose() => _key.Dispose();
}
