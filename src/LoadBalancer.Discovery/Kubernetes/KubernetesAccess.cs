using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Tls;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Kubernetes;

/// <summary>Where the API server of Kubernetes is, and who asks it.</summary>
/// <param name="Server">Its address; ends in a slash.</param>
/// <param name="Tls">Whom we believe to be it.</param>
/// <param name="Namespace">Where we are, as far as that is known.</param>
/// <param name="Token">Proof of who we are; null for none.</param>
/// <param name="TokenFile">File with it, read for each request, as it is replaced every hour; null for none.</param>
internal sealed record KubernetesAccess(Uri Server, ApiTls Tls, string? Namespace, string? Token, string? TokenFile)
{
    private const int SmallFileBytesMax = 64 * 1024;

    /// <summary>What the configuration says, as it stands in the files now.</summary>
    /// <exception cref="ApiException">It cannot be used.</exception>
    internal static KubernetesAccess Load(KubernetesConfig config, PodEnvironment pod) => config.Kubeconfig is { } file ? Kubeconfig.Load(file) : InCluster(pod);

    /// <summary>The field by which we prove who we are; null for none.</summary>
    /// <exception cref="ApiException">The file cannot be read.</exception>
    internal string? Authorization() => TokenFile is { } file ? $"Bearer {ReadSmall(file)}" : Token is { } token ? $"Bearer {token}" : null;

    private static KubernetesAccess InCluster(PodEnvironment pod)
    {
        string? host = pod.Variable("KUBERNETES_SERVICE_HOST"), port = pod.Variable("KUBERNETES_SERVICE_PORT_HTTPS") ?? pod.Variable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || !RemoteSourceValidator.TryParsePort(port ?? "", out int number))
            throw new ApiException("this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; name a \"kubeconfig\"");
        string ca = Path.Combine(pod.AccountFolder, "ca.crt");
        if (!TrustFile.TryLoad(ca, out var authorities, out string error)) throw new ApiException($"{ca} {error}");
        return new KubernetesAccess(new UriBuilder(Uri.UriSchemeHttps, host, number).Uri, new ApiTls(true, authorities, null, null),
            ReadSmall(Path.Combine(pod.AccountFolder, "namespace")), null, Path.Combine(pod.AccountFolder, "token"));
    }

    private static string ReadSmall(string file) =>
        WholeFile.TryRead(file, SmallFileBytesMax, out byte[]? content, out string error) ? Encoding.UTF8.GetString(content).Trim() : throw new ApiException($"{file} {error}");
}

/// <summary>What Kubernetes tells a pod of itself.</summary>
/// <param name="Variable">Variables of the environment.</param>
/// <param name="AccountFolder">Where the service account is mounted.</param>
internal sealed record PodEnvironment(Func<string, string?> Variable, string AccountFolder)
{
    internal static readonly PodEnvironment Own = new(Environment.GetEnvironmentVariable, "/var/run/secrets/kubernetes.io/serviceaccount");
}
