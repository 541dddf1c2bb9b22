using LoadBalancer.Core.Configuration;
using System.Text;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>A secret that somebody signs requests with.</summary>
public sealed record SigningKeyConfig
{
    /// <summary>The secret, 32 bytes or more: its UTF-8, or after "base64:" what that stands for.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Claims of who signs with it, beside "sub"; a list where there are commas. "sub" in place of the key's name.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Claims = ").AppendJoin('|', Claims.Keys);
        return true;
    }
}
