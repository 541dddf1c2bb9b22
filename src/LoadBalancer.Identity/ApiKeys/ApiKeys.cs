using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.ApiKeys;

/// <summary>Makes API keys.</summary>
public static class ApiKeys
{
    /// <summary>A new key of 256 random bits behind a prefix by which scanners find it where it was lost, and the line for the file, which does not give the key away.</summary>
    /// <param name="id">Its public name.</param>
    public static (string Key, string Line) Create(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        string key = "lb_" + StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(32));
        return (key, $"{id}:{HashOf(key)}");
    }

    /// <summary>The hash of a key, as files have it.</summary>
    public static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
