namespace LoadBalancer.Core.Configuration;

/// <summary>Writes the path of a value in a configuration.</summary>
public static class ConfigPath
{
    /// <summary>"parent.key", or "parent[\"a key\"]" where the key is no plain word.</summary>
    public static string Append(string parent, string key)
    {
        bool plain = key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '$');
        return !plain ? $"{parent}[\"{key}\"]" : parent.Length == 0 ? key : $"{parent}.{key}";
    }
}
