using System.Net;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery.Etcd;

/// <summary>Where an etcd is, and who asks it.</summary>
internal sealed record EtcdAccess(IReadOnlyList<Uri> Endpoints, string? User, string? Password, UpstreamTlsConfig? Tls)
{
    /// <exception cref="FormatException">An endpoint is no address.</exception>
    internal static EtcdAccess Of(EtcdConfig config) => new([.. config.Endpoints.Select(endpoint => Root(endpoint, config.Tls is not null))], config.User, config.Password, config.Tls);

    private static Uri Root(string endpoint, bool isEncrypted)
    {
        if (!RemoteSourceValidator.TryParseEndpoint(endpoint, out DnsEndPoint parsed, out string error)) throw new FormatException($"{endpoint} {error}");
        return new UriBuilder(isEncrypted ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, parsed.Host, parsed.Port).Uri;
    }
}

/// <summary>How much is taken from etcd, whatever it holds.</summary>
/// <param name="KeysMax">Most keys; those beyond are left out.</param>
/// <param name="ValueBytesMax">Largest value.</param>
/// <param name="AnswerBytesMax">Largest answer, and line of a watch.</param>
internal sealed record EtcdBounds(int KeysMax, int ValueBytesMax, int AnswerBytesMax);
